"""An HTTP answer and the manner in which it is sent, or not."""

import enum
import http
from dataclasses import dataclass
from email.utils import formatdate


class Manner(enum.Enum):
    """How the bytes of an answer travel."""

    WHOLE = "whole"
    LATE = "late"
    HANG = "hang"  # nothing, and the line stays open
    RESET = "reset"  # nothing, and the line is torn down (TCP RST)
    CLOSE = "close"  # nothing, and the line is closed (TCP FIN)
    CUT_INSIDE = "cut inside"  # half of the body, then closed
    CUT_BEHIND = "cut behind"  # all of it, then closed without a word
    DRIP_BODY = "drip body"
    DRIP_ALL = "drip all"  # from the first byte of the status line

    @property
    def silent(self) -> bool:
        """Whether the client gets no answer at all."""
        return self in {Manner.HANG, Manner.RESET, Manner.CLOSE}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers; `seconds` is the delay, or the pause between two bytes."""

    status: int
    body: bytes
    target: str = ""  # what was asked for, should the answer point back at it
    content_type: str = "text/html; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    manner: Manner = Manner.WHOLE
    seconds: float = 0.0

    def head(self) -> bytes:
        fields = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            *self.headers,
        ]
        status_line = f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"{status_line}{lines}\r\n".encode("latin-1")
