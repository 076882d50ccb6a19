"""Every call to the gateway, in order, without secret or signature."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from local.gateway.gateway_account import CallVerdict, SmsRequest
from local.gateway.sms_size import sms_size

_MAX_REPLY = 500  # bytes kept of a reply


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call. `status` and `reply` are those of the response; None where nothing is sent.

    `accepted` says whether the SMS was sent, even if the client got no response.
    """

    id: int
    at: datetime
    to: str
    sender: str
    text: str
    encoding: str
    segments: int
    archive: bool | None
    call_group: str
    signed: bool
    verdict: str
    accepted: bool
    fault: str | None
    status: int | None
    reply: str | None

    def as_json(self) -> dict[str, object]:
        return {**dataclasses.asdict(self), "at": self.at.isoformat(timespec="milliseconds")}


@dataclass(frozen=True, slots=True)
class CallDecision:
    """The decision on a request, and its response."""

    signed: bool
    verdict: CallVerdict
    accepted: bool
    fault: str | None
    status: int | None
    reply: bytes | None


class CallLog:
    """An append-only list; ids continue after `clear`, so that none is used twice."""

    def __init__(self) -> None:
        self._calls: list[LoggedCall] = []
        self._first = 1

    def add(self, request: SmsRequest, decision: CallDecision, at: datetime) -> None:
        text = request.text.decode(errors="replace")
        size = sms_size(text)
        call = LoggedCall(
            id=self._first + len(self._calls),
            at=at,
            to=request.destination.decode(errors="replace"),
            sender=request.sender.decode(errors="replace"),
            text=text,
            encoding=size.encoding,
            segments=size.segments,
            archive={b"1": True, b"0": False}.get(request.archive),
            call_group=request.group.decode(errors="replace"),
            signed=decision.signed,
            verdict=decision.verdict.value,
            accepted=decision.accepted,
            fault=decision.fault,
            status=decision.status,
            reply=_readable(decision.reply),
        )
        self._calls.append(call)

    def after(self, call_id: int) -> list[LoggedCall]:
        return self._calls[max(0, call_id + 1 - self._first) :]

    @property
    def first(self) -> int:
        """The id of the oldest call in the log, or of the next one if it is empty."""
        return self._first

    def clear(self) -> None:
        self._first += len(self._calls)
        self._calls = []


def _readable(reply: bytes | None) -> str | None:
    return None if reply is None else reply[:_MAX_REPLY].decode(errors="replace")
