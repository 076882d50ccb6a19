"""What the gateway can be told to do wrong: each fault by name, as data."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from local.gateway.account import Verdict
from local.gateway.answer import Answer, Manner

LONGEST_SECONDS = 3600
_HEADER_VALUE = re.compile(r"[ -~]{0,100}")
_HUGE_BYTES = 5 * 1024 * 1024
_DRIP_BYTES = 60  # a reply of three bytes would be through before any time-out
_PAGE = b"<!DOCTYPE html><html><body><h1>%s</h1></body></html>"

type Shape = Callable[[Fault, Answer], Answer]


class Kind(NamedTuple):
    """One sentence for the page, whether the SMS goes out, and how the honest answer is spoilt."""

    says: str
    shape: Shape
    accepts: bool = False
    either: bool = False  # may be told to accept or not, as nobody can see it from the answer
    refuses: Verdict | None = None  # the verdict it pretends


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and how it is to go.

    Attributes:
        kind: One of `KINDS`.
        accepted: Whether the SMS goes out nevertheless; `None` leaves it to the kind.
        seconds: The delay of `slow`, the pause between two bytes of `drip` and `drip_headers`.
        retry_after: Seconds, or the header's text as it stands (an HTTP date); `None` sends none.

    Raises:
        ValueError: With a sentence, when it makes no sense.
    """

    kind: str
    accepted: bool | None = None
    seconds: float = 1.0
    retry_after: int | str | None = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"There is no fault {self.kind[:40]!r}. There are: {', '.join(KINDS)}."
            )
        if self.accepted is not None and not self._may_be_told:
            raise ValueError(f"Whether {self.kind} accepts the SMS cannot be chosen.")
        if not 0 <= self.seconds <= LONGEST_SECONDS:
            raise ValueError(f"Seconds must be from 0 to {LONGEST_SECONDS}.")
        if not _HEADER_VALUE.fullmatch(str(self.retry_after)):
            raise ValueError("A Retry-After must be plain ASCII, up to 100 characters.")

    @property
    def _may_be_told(self) -> bool:
        kind = KINDS[self.kind]
        return kind.either or self.accepted == kind.accepts

    @property
    def accepts(self) -> bool:
        """Whether a call that the account allows is accepted, whatever the client gets to read."""
        return KINDS[self.kind].accepts if self.accepted is None else self.accepted

    @property
    def refuses(self) -> Verdict | None:
        return KINDS[self.kind].refuses

    def spoil(self, honest: Answer) -> Answer:
        return KINDS[self.kind].shape(self, honest)


def _honest(_: Fault, honest: Answer) -> Answer:
    return honest


def _manner(manner: Manner) -> Shape:
    return lambda fault, honest: replace(honest, manner=manner, seconds=fault.seconds)


def _drip(fault: Fault, honest: Answer) -> Answer:
    # Blanks may stand before a reply in each of its forms.
    body = honest.body.rjust(_DRIP_BYTES)
    return replace(honest, body=body, manner=Manner.DRIP_BODY, seconds=fault.seconds)


def _body(body: bytes) -> Shape:
    return lambda _, honest: replace(honest, body=body)


def _status(status: int, title: str) -> Shape:
    return lambda _, __: Answer(status, _PAGE % title.encode())


def _later(status: int, title: str) -> Shape:
    def shape(fault: Fault, _: Answer) -> Answer:
        after = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
        return Answer(status, _PAGE % title.encode(), headers=after)

    return shape


def _redirect(_: Fault, honest: Answer) -> Answer:
    return Answer(302, b"", headers=(("Location", honest.target),))


KINDS: dict[str, Kind] = {
    "slow": Kind("accepts, answers late", _manner(Manner.LATE), accepts=True),
    "hang": Kind("never answers, not sent", _manner(Manner.HANG)),
    "hang_after": Kind("accepts, never answers", _manner(Manner.HANG), accepts=True),
    "cut": Kind("resets the connection, not sent", _manner(Manner.RESET)),
    "cut_inside": Kind("accepts, cuts the reply", _manner(Manner.CUT_INSIDE), accepts=True),
    "cut_after": Kind("accepts, closes without a reply", _manner(Manner.CLOSE), accepts=True),
    "cut_behind": Kind("accepts, replies, then closes", _manner(Manner.CUT_BEHIND), accepts=True),
    "refuse_020": Kind("bad destination", _honest, refuses=Verdict.BAD_DESTINATION),
    "refuse_099": Kind("generic error", _honest, refuses=Verdict.GENERIC),
    "security_error": Kind("“Security error”", _honest, refuses=Verdict.SECURITY),
    "http_302": Kind("redirects to itself", _redirect),
    "http_403": Kind("forbidden", _status(403, "Forbidden")),
    "http_404": Kind("not found", _status(404, "Not Found")),
    "http_429": Kind("too many calls", _later(429, "Too Many Requests")),
    "http_500": Kind("internal error", _status(500, "Internal Server Error"), either=True),
    "http_502": Kind("bad gateway", _status(502, "Bad Gateway"), either=True),
    "http_503": Kind("unavailable", _later(503, "Service Unavailable")),
    "http_504": Kind("gateway time-out", _status(504, "Gateway Time-out"), either=True),
    "empty": Kind("an empty reply", _body(b""), either=True),
    "html": Kind("an HTML page", _body(_PAGE % b"It works!"), either=True),
    "huge": Kind("five megabytes", _body(b"0" * _HUGE_BYTES), either=True),
    "non_utf8": Kind("Latin-1 in the reply", _body("è già così".encode("latin-1")), either=True),
    "wrong_json": Kind("JSON of another shape", _body(b'{"stato":"ok"}'), either=True),
    "drip": Kind("accepts, a byte at a time", _drip, accepts=True),
    "drip_headers": Kind(
        "accepts, a byte at a time from the first", _manner(Manner.DRIP_ALL), accepts=True
    ),
}
