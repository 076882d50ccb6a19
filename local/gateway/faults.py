"""The faults that the local gateway can inject, by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from local.gateway.gateway_account import CallVerdict
from local.gateway.gateway_response import GatewayResponse, SendMode

MAX_SECONDS = 3600
_HEADER_VALUE = re.compile(r"[ -~]{0,100}")
_HUGE_BYTES = 5 * 1024 * 1024
_MIN_DRIP_BYTES = 60  # a reply of three bytes would end before any time-out
_PAGE = b"<!DOCTYPE html><html><body><h1>%s</h1></body></html>"

type ResponseChange = Callable[[Fault, GatewayResponse], GatewayResponse]


class FaultKind(NamedTuple):
    """A description for the page, the change of the response, and whether the SMS is sent."""

    description: str
    change: ResponseChange
    accepts: bool = False
    selectable: bool = False  # `accepted` can be chosen: the response does not show it
    refuses: CallVerdict | None = None  # the verdict in the response, regardless of the account


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and its options.

    Attributes:
        kind: One of `KINDS`.
        accepted: Whether the SMS is sent; `None` is the default of the kind.
        seconds: The delay of `slow`, the pause between two bytes of `drip` and `drip_headers`.
        retry_after: Seconds, or the header's text (an HTTP date); `None` sends none.

    Raises:
        ValueError: With a sentence, when the options do not fit.
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
        if self.accepted is not None and not self._may_be_chosen:
            raise ValueError(f"Whether {self.kind} accepts the SMS cannot be chosen.")
        if not 0 <= self.seconds <= MAX_SECONDS:
            raise ValueError(f"Seconds must be from 0 to {MAX_SECONDS}.")
        if not _HEADER_VALUE.fullmatch(str(self.retry_after)):
            raise ValueError("A Retry-After must be plain ASCII, up to 100 characters.")

    @property
    def _may_be_chosen(self) -> bool:
        kind = KINDS[self.kind]
        return kind.selectable or self.accepted == kind.accepts

    @property
    def accepts(self) -> bool:
        """Whether a call that the account allows is accepted, regardless of the response."""
        return KINDS[self.kind].accepts if self.accepted is None else self.accepted

    @property
    def refuses(self) -> CallVerdict | None:
        return KINDS[self.kind].refuses

    def applied_to(self, correct: GatewayResponse) -> GatewayResponse:
        """The response that the client gets instead of the correct one."""
        return KINDS[self.kind].change(self, correct)


def _unchanged(_: Fault, correct: GatewayResponse) -> GatewayResponse:
    return correct


def _sent(mode: SendMode) -> ResponseChange:
    return lambda fault, correct: replace(correct, mode=mode, seconds=fault.seconds)


def _drip(fault: Fault, correct: GatewayResponse) -> GatewayResponse:
    # Spaces are allowed before a reply in each of its forms.
    body = correct.body.rjust(_MIN_DRIP_BYTES)
    return replace(correct, body=body, mode=SendMode.DRIP_BODY, seconds=fault.seconds)


def _body(body: bytes) -> ResponseChange:
    return lambda _, correct: replace(correct, body=body)


def _status(status: int, title: str) -> ResponseChange:
    return lambda _, __: GatewayResponse(status, _PAGE % title.encode())


def _later(status: int, title: str) -> ResponseChange:
    def change(fault: Fault, _: GatewayResponse) -> GatewayResponse:
        after = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
        return GatewayResponse(status, _PAGE % title.encode(), headers=after)

    return change


def _redirect(_: Fault, correct: GatewayResponse) -> GatewayResponse:
    return GatewayResponse(302, b"", headers=(("Location", correct.target),))


KINDS: dict[str, FaultKind] = {
    "slow": FaultKind("accepts, answers late", _sent(SendMode.LATE), accepts=True),
    "hang": FaultKind("never answers, not sent", _sent(SendMode.HANG)),
    "hang_after": FaultKind("accepts, never answers", _sent(SendMode.HANG), accepts=True),
    "cut": FaultKind("resets the connection, not sent", _sent(SendMode.RESET)),
    "cut_inside": FaultKind("accepts, cuts the reply", _sent(SendMode.CUT_INSIDE), accepts=True),
    "cut_after": FaultKind("accepts, closes without a reply", _sent(SendMode.CLOSE), accepts=True),
    "cut_behind": FaultKind(
        "accepts, replies, then closes", _sent(SendMode.CUT_BEHIND), accepts=True
    ),
    "refuse_020": FaultKind("bad destination", _unchanged, refuses=CallVerdict.BAD_DESTINATION),
    "refuse_099": FaultKind("generic error", _unchanged, refuses=CallVerdict.GENERIC),
    "security_error": FaultKind("“Security error”", _unchanged, refuses=CallVerdict.SECURITY),
    "http_302": FaultKind("redirects to itself", _redirect),
    "http_403": FaultKind("forbidden", _status(403, "Forbidden")),
    "http_404": FaultKind("not found", _status(404, "Not Found")),
    "http_429": FaultKind("too many calls", _later(429, "Too Many Requests")),
    "http_500": FaultKind("internal error", _status(500, "Internal Server Error"), selectable=True),
    "http_502": FaultKind("bad gateway", _status(502, "Bad Gateway"), selectable=True),
    "http_503": FaultKind("unavailable", _later(503, "Service Unavailable")),
    "http_504": FaultKind("gateway time-out", _status(504, "Gateway Time-out"), selectable=True),
    "empty": FaultKind("an empty reply", _body(b""), selectable=True),
    "html": FaultKind("an HTML page", _body(_PAGE % b"It works!"), selectable=True),
    "huge": FaultKind("five megabytes", _body(b"0" * _HUGE_BYTES), selectable=True),
    "non_utf8": FaultKind(
        "Latin-1 in the reply", _body("è già così".encode("latin-1")), selectable=True
    ),
    "wrong_json": FaultKind("JSON of another shape", _body(b'{"stato":"ok"}'), selectable=True),
    "drip": FaultKind("accepts, a byte at a time", _drip, accepts=True),
    "drip_headers": FaultKind(
        "accepts, a byte at a time from the first", _sent(SendMode.DRIP_ALL), accepts=True
    ),
}
