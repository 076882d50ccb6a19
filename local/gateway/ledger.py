"""Every call the gateway ever got, in order. Never the secret, never the signature."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from local.gateway.account import SmsRequest, Verdict
from local.gateway.segments import size_of

_LONGEST_REPLY = 500


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `status` and `reply` are what it was to get: none for a line that stays silent.

    `accepted` is the truth about the SMS, whatever the client could read.
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
class Outcome:
    """What became of a request."""

    signed: bool
    verdict: Verdict
    accepted: bool
    fault: str | None
    status: int | None
    reply: bytes | None


class Ledger:
    """Grows at the end only; numbers go on after `clear`, so that none means two calls."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._first = 1

    def add(self, request: SmsRequest, outcome: Outcome, at: datetime) -> None:
        text = request.text.decode(errors="replace")
        size = size_of(text)
        call = Call(
            id=self._first + len(self._calls),
            at=at,
            to=request.destination.decode(errors="replace"),
            sender=request.sender.decode(errors="replace"),
            text=text,
            encoding=size.encoding,
            segments=size.segments,
            archive={b"1": True, b"0": False}.get(request.archive),
            call_group=request.group.decode(errors="replace"),
            signed=outcome.signed,
            verdict=outcome.verdict.value,
            accepted=outcome.accepted,
            fault=outcome.fault,
            status=outcome.status,
            reply=_readable(outcome.reply),
        )
        self._calls.append(call)

    def after(self, call_id: int) -> list[Call]:
        return self._calls[max(0, call_id + 1 - self._first) :]

    @property
    def first(self) -> int:
        """The number of the oldest call kept, or of the next one to come."""
        return self._first

    def clear(self) -> None:
        self._first += len(self._calls)
        self._calls = []


def _readable(reply: bytes | None) -> str | None:
    return None if reply is None else reply[:_LONGEST_REPLY].decode(errors="replace")
