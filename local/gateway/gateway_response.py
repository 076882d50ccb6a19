"""An HTTP response and the way it is sent."""

import enum
import http
from dataclasses import dataclass
from email.utils import formatdate


class SendMode(enum.Enum):
    """How the bytes of a response are sent."""

    WHOLE = "whole"
    LATE = "late"
    HANG = "hang"  # nothing, and the connection stays open
    RESET = "reset"  # nothing, and the connection is reset (TCP RST)
    CLOSE = "close"  # nothing, and the connection is closed (TCP FIN)
    CUT_INSIDE = "cut inside"  # half of the body, then closed
    CUT_BEHIND = "cut behind"  # all of it, then closed without `Connection: close`
    DRIP_BODY = "drip body"
    DRIP_ALL = "drip all"  # from the first byte of the status line

    @property
    def sends_nothing(self) -> bool:
        """Whether the client gets no response at all."""
        return self in {SendMode.HANG, SendMode.RESET, SendMode.CLOSE}


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """Status, body and headers; `seconds` is the delay, or the pause between two bytes."""

    status: int
    body: bytes
    target: str = ""  # the request target, for a redirect to itself
    content_type: str = "text/html; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    mode: SendMode = SendMode.WHOLE
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
