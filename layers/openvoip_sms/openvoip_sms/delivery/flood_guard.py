"""Notes the messages that webhooks cause, and says which limit a message would exceed.

Each message is one write: into the guard item of its number's range, before it is known whether the
event came before. An event that did is taken back if it counts in an hour in which it was not
accepted.

For a source that cannot sign, exceeding the limit of a range or of the source pauses the source:
otherwise an attacker who posts forged forms would go on with the next number. A signed source is
never paused; a person is told.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from openvoip_sms.delivery.ports import Counters, Store, Telemetry, UnreadableRecord
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.rules import limits
from openvoip_sms.rules.guard_item import (
    GuardItem,
    Mark,
    Note,
    Noted,
    note_of,
    note_of_number,
    note_of_source,
)
from openvoip_sms.rules.limits import ExceededLimit, FloodLimits
from openvoip_sms.rules.record import REASON_IN_WORDS, Reason, Record
from openvoip_sms.rules.rfc3339 import to_rfc3339

_IN_FLIGHT = 3  # repeated events that may be under way at the same time, taken for new ones


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and what it wrote at the moment `at`."""

    at: datetime
    to: str = field(repr=False)
    exceeded: ExceededLimit | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class FloodGuard:
    """May raise `StoreUnavailable`: then nothing was decided, and the shop must call again."""

    store: Store
    counters: Counters
    telemetry: Telemetry
    states: SourceStates

    def check(self, record: Record, allowed: FloodLimits) -> Checked:
        """Note the message; return the first limit that it exceeds."""
        return _Check(self, record, allowed).run()

    def accepted(self, stored: Record, checked: Checked) -> None:
        """The message is new: now its source pauses, or a person is told, if it exceeded a limit.

        It also ends the source's row of calls without a message.
        """
        source, exceeded = limits.subject("source", stored.source), checked.exceeded
        known = self.states.known(source, checked.at, limits.ROW_SEEN_WITHIN)
        if known is not None and known.has_unused:
            self.counters.end_unused(source)
            self.states.learn(source, replace(known, has_unused=False), checked.at)
        if exceeded is None:
            return
        if not exceeded.enforced:
            self.telemetry.limit_exceeded(stored, exceeded.reason)
        elif exceeded.reason in (Reason.SOURCE_LIMIT, Reason.RANGE_LIMIT):
            self.counters.pause(source, checked.at + limits.PAUSE)
            self.states.forget(source)
            self.telemetry.source_paused(stored)

    def repeated(self, stored: Record, checked: Checked) -> None:
        """The message was accepted before: it counts in that hour only, and for that number."""
        is_late = limits.hour_of(stored.created_at) != limits.hour_of(checked.at)
        of_source = note_of_source(stored)
        for note in checked.notes:
            if is_late or (stored.to != checked.to and note != of_source):
                self.counters.take_back(note, checked.at)


class _Check:
    """The check of one message."""

    def __init__(self, guard: FloodGuard, record: Record, allowed: FloodLimits) -> None:
        self._guard, self._record, self._allowed = guard, record, allowed
        self._now, self._notes = record.created_at, list[Note]()

    def run(self) -> Checked:
        exceeded = self._exceeded()
        if exceeded is not None and self._allowed.signed and exceeded.reason != Reason.SAME_TEXT:
            exceeded = replace(exceeded, enforced=False)
        return Checked(self._now, self._record.to, exceeded, tuple(self._notes))

    def _exceeded(self) -> ExceededLimit | None:
        may_pause, subject = self._allowed.may_pause, note_of_source(self._record).subject
        max_age = limits.PAUSE_SEEN_WITHIN if may_pause else limits.ROW_SEEN_WITHIN
        source = self._guard.states.get(subject, self._now, max_age)
        if may_pause and source.is_paused(self._now):
            self._counted_source()
            return _paused(source)
        guarded = self._noted()
        if guarded.first is not None:
            return _exceeded(Reason.SAME_TEXT, f"The first is {guarded.first.id}.")
        source = self._counted_source()
        if may_pause and source.is_paused(self._now):
            return _paused(source)
        reason = self._reached(source, guarded.item)
        return None if reason is None else _exceeded(reason)

    def _noted(self) -> Noted:
        """Note the message by its range; by its number where the range's item is or was full."""
        by_range = self._note(note_of(self._record, self._allowed))
        if by_range.first is not None or not (by_range.is_full or by_range.item.was_full):
            return by_range
        by_number = self._note(note_of_number(self._record, self._allowed))
        return replace(by_number, item=by_range.item.with_more(by_number.item))

    def _note(self, note: Note) -> Noted:
        """Note the message, or find who was first with its text.

        One that was never stored, because its call failed, suppresses nothing.
        """
        noted = self._guard.counters.note(note, self._now)
        if noted.first is not None and not self._is_accepted(noted.first):
            noted = self._guard.counters.note(note, self._now, instead_of=noted.first)
        if noted.first is None:
            self._notes.append(note)
        return noted

    def _is_accepted(self, first: Mark) -> bool:
        """Whether a message that has a text was accepted with it, or may be at this moment."""
        try:
            record = self._guard.store.get(first.id)
        except UnreadableRecord:
            return True
        if record is None:
            return first.at > self._now - limits.STORED_WITHIN
        is_recent = record.created_at > self._now - limits.SAME_TEXT_WITHIN
        return is_recent and record.text in (None, self._record.text)  # a repetition may differ

    def _counted_source(self) -> GuardItem:
        """Count the message for its source, if it is one of the sample; return what is known."""
        note, now, limit = note_of_source(self._record), self._now, self._allowed.source_hourly
        states, every = self._guard.states, limits.sampled_every(limit)
        known = states.known(note.subject, now, limits.PAUSE_SEEN_WITHIN) or GuardItem()
        is_over = limits.excess(known.counts, limit, now, every) > 0
        if limit == 0 or is_over or not limits.is_sampled(self._record.id, every):
            return known
        self._notes.append(note)
        return states.learn(note.subject, self._guard.counters.note(note, now).item, now)

    def _reached(self, source: GuardItem, guarded: GuardItem) -> Reason | None:
        allowed, record = self._allowed, self._record
        every = limits.sampled_every(allowed.source_hourly)
        if self._is_over(source, allowed.source_hourly, every):
            return Reason.SOURCE_LIMIT
        if self._is_over(guarded.of_source(record.source), allowed.range_hourly):
            return Reason.RANGE_LIMIT
        if self._is_over(guarded.of_number(record.to), allowed.recipient_hourly):
            return Reason.RECIPIENT_LIMIT
        return None

    def _is_over(self, item: GuardItem, limit: int, every: int = 1) -> bool:
        excess = limits.excess(item.counts, limit, self._now, every)
        if self._allowed.signed or not 0 < excess <= _IN_FLIGHT * every:
            return excess > 0
        left = item.without([one.id for one in item.marks if self._is_repeated(one, item)])
        return limits.excess(left.counts, limit, self._now, every) > 0

    def _is_repeated(self, mark: Mark, item: GuardItem) -> bool:
        """Whether a message that is counted at this moment was accepted in an earlier hour."""
        is_new = abs(self._now - mark.at) < limits.STORED_WITHIN and mark.id != self._record.id
        if not is_new or not item.counts_id(mark.id):
            return False
        try:
            record = self._guard.store.get(mark.id)
        except UnreadableRecord:
            return False
        return record is not None and limits.hour_of(record.created_at) < limits.hour_of(mark.at)


def _paused(source: GuardItem) -> ExceededLimit:
    until = f"Until {to_rfc3339(source.paused_until)}." if source.paused_until else ""
    return _exceeded(Reason.SOURCE_PAUSED, until)


def _exceeded(reason: Reason, more: str = "") -> ExceededLimit:
    return ExceededLimit(reason, f"{REASON_IN_WORDS[reason]} {more}".strip())
