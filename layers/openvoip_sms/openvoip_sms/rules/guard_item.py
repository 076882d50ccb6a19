"""What the limits of webhooks know: a guard item's messages of this clock hour and the one before.

A message is an entry of a set, made from its id: however often the same message is noted, it counts
once. No entry shows a number, a text or an id.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from openvoip_sms.rules import limits
from openvoip_sms.rules.limits import Counts, FloodLimits
from openvoip_sms.rules.record import Record

# Characters of six bits each. Two numbers of an item's 250 entries are taken for one with a
# probability of 1 in 30,000, two ids with one of 1 in 10^11.
_NUMBER, _SOURCE, _ID = 5, 4, 9
_MARK = 10


@dataclass(frozen=True, slots=True)
class Mark:
    """Who was first with a text, or (where texts do not matter) when a message was noted."""

    name: str
    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """One message, as it is written into one item: `entry` counts it, `mark` is its `Mark`."""

    subject: str
    entry: str
    mark: str
    id: str


@dataclass(frozen=True, slots=True)
class GuardItem:
    """An item as it was after a note or a look. `has_unused`: its row of calls without one."""

    this_hour: frozenset[str] = frozenset()
    last_hour: frozenset[str] = frozenset()
    marks: tuple[Mark, ...] = ()
    paused_until: datetime | None = None
    has_unused: bool = False

    @property
    def counts(self) -> Counts:
        """What is noted in both hours is one message that came again: it counts as at first."""
        return Counts(len(self.this_hour - self.last_hour), len(self.last_hour))

    def only(self, selects: Callable[[str], bool]) -> "GuardItem":
        this, last = filter(selects, self.this_hour), filter(selects, self.last_hour)
        return replace(self, this_hour=frozenset(this), last_hour=frozenset(last))

    def of_number(self, number: str) -> "GuardItem":
        wanted = _short(number, _NUMBER)
        return self.only(lambda entry: entry.startswith(wanted))

    def of_source(self, source: str) -> "GuardItem":
        wanted = _short(source, _SOURCE)
        return self.only(lambda entry: entry[_NUMBER:-_ID] == wanted)

    def without(self, ids: list[str]) -> "GuardItem":
        left_out = {_short(one, _ID) for one in ids}
        return self.only(lambda entry: entry[-_ID:] not in left_out)

    def counts_id(self, record_id: str) -> bool:
        part = _short(record_id, _ID)
        return any(entry.endswith(part) for entry in self.this_hour | self.last_hour)

    def with_more(self, other: "GuardItem") -> "GuardItem":
        """Both items' messages."""
        return replace(
            self,
            this_hour=self.this_hour | other.this_hour,
            last_hour=self.last_hour | other.last_hour,
            marks=self.marks + other.marks,
        )

    @property
    def was_full(self) -> bool:
        """Whether the last hour may have had more messages than this item has."""
        return len(self.last_hour) >= limits.MAX_NOTED

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


@dataclass(frozen=True, slots=True)
class Noted:
    """What came of a note: not written if the text has another `first`, or the item `is_full`."""

    item: GuardItem
    first: Mark | None = None
    is_full: bool = False


def note_of(record: Record, allowed: FloodLimits) -> Note:
    """For the item of the number's range; what is signed has an item of its own."""
    entry = _short(record.to, _NUMBER) + _short(record.source, _SOURCE) + _short(record.id, _ID)
    subject = limits.subject(_kind("range", allowed), limits.number_range(record.to))
    return Note(subject, entry, _mark_of(record, allowed), record.id)


def note_of_number(record: Record, allowed: FloodLimits) -> Note:
    """For the item of the number alone, where that of its range is full."""
    subject = limits.subject(_kind("number", allowed), record.to)
    return replace(note_of(record, allowed), subject=subject)


def note_of_source(record: Record) -> Note:
    subject = limits.subject("source", record.source)
    return Note(subject, _short(record.id, _ID), _mark(record.id), record.id)


def _kind(kind: str, allowed: FloodLimits) -> str:
    return f"{kind}-signed" if allowed.signed else kind


def _mark_of(record: Record, allowed: FloodLimits) -> str:
    """One for each text, number and (if it waits) day."""
    if not allowed.same_text:
        return _mark(record.id)
    day = record.send_at.date() if record.send_at else ""
    return _mark(f"{record.to}\n{day}\n{record.text}")


def _mark(value: str) -> str:
    return f"m#{_short(value, _MARK)}"


def _short(value: str, characters: int) -> str:
    digest = hashlib.sha256(value.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:characters]
