"""Counts the messages that webhooks cause, and says which limit a message would exceed.

For a source that cannot sign, exceeding the limit of a range or of the source pauses the source:
otherwise an attacker who posts forged forms would go on with the next number. A signed source is
never paused; a person is told.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from openvoip_sms.delivery.ports import Clock, Counters, Store, Telemetry, UnreadableRecord
from openvoip_sms.rules import limits
from openvoip_sms.rules.limits import Counts, ExceededLimit, FloodLimits
from openvoip_sms.rules.record import REASON_IN_WORDS, Reason, Record
from openvoip_sms.rules.rfc3339 import to_rfc3339


@dataclass(frozen=True, slots=True)
class FloodGuard:
    """May raise `StoreUnavailable`: then nothing was decided, and the shop must call again."""

    store: Store
    counters: Counters
    telemetry: Telemetry
    clock: Clock

    def check(self, record: Record, allowed: FloodLimits) -> ExceededLimit | None:
        """Count the message; return the first limit that it exceeds."""
        now = self.clock()
        return self._same_text(record, allowed, now) or self._limit(record, allowed, now)

    def _same_text(
        self, record: Record, allowed: FloodLimits, now: datetime
    ) -> ExceededLimit | None:
        if not allowed.same_text:
            return None
        first = self._first_with_text(record, allowed, now)
        return None if first == record.id else _exceeded(Reason.SAME_TEXT, f"The first is {first}.")

    def _first_with_text(self, record: Record, allowed: FloodLimits, now: datetime) -> str:
        """The id of the message that has this text, number and (if it waits) day.

        One that was never stored, because its call failed, suppresses nothing.
        """
        day = record.send_at.date() if record.send_at else ""
        same = limits.subject(_kind("text", allowed), f"{record.to}\n{day}\n{record.text}")
        first = self.counters.claim_once(same, record.id, now, limits.SAME_TEXT_WITHIN)
        if first != record.id and not self._is_stored(first):
            return self.counters.claim_once(same, record.id, now, limits.STORED_WITHIN)
        return first

    def _is_stored(self, record_id: str) -> bool:
        try:
            return self.store.get(record_id) is not None
        except UnreadableRecord:
            return True

    def _limit(self, record: Record, allowed: FloodLimits, now: datetime) -> ExceededLimit | None:
        """Count for source, range and number, in that order, up to the first limit exceeded."""
        of_source = limits.subject("source", record.source)
        counted = self.counters.count(of_source, now)
        if allowed.signed:
            return self._alarmed(counted, record, allowed, now)
        if counted.paused_until is not None and counted.paused_until > now:
            return _exceeded(Reason.SOURCE_PAUSED, f"Until {to_rfc3339(counted.paused_until)}.")
        reason = self._reached(counted, record, allowed, now)
        if reason in (Reason.SOURCE_LIMIT, Reason.RANGE_LIMIT):
            self.counters.pause(of_source, now + limits.PAUSE)
            self.telemetry.source_paused(record)
        return None if reason is None else _exceeded(reason)

    def _alarmed(
        self, counted: Counts, record: Record, allowed: FloodLimits, now: datetime
    ) -> ExceededLimit | None:
        reason = self._reached(counted, record, allowed, now)
        if reason is None:
            return None
        self.telemetry.limit_exceeded(record, reason)
        return replace(_exceeded(reason), enforced=False)

    def _reached(
        self, of_source: Counts, record: Record, allowed: FloodLimits, now: datetime
    ) -> Reason | None:
        if limits.is_over(of_source, allowed.source_hourly, now):
            return Reason.SOURCE_LIMIT
        number_range = f"{record.source} {limits.number_range(record.to)}"
        if self._is_over("range", number_range, allowed.range_hourly, allowed, now):
            return Reason.RANGE_LIMIT
        if self._is_over("recipient", record.to, allowed.recipient_hourly, allowed, now):
            return Reason.RECIPIENT_LIMIT
        return None

    def _is_over(
        self, kind: str, value: str, limit: int, allowed: FloodLimits, now: datetime
    ) -> bool:
        """Count one more, where there is a limit."""
        if limit == 0:
            return False
        counted = self.counters.count(limits.subject(_kind(kind, allowed), value), now)
        return limits.is_over(counted, limit, now)


def _kind(kind: str, allowed: FloodLimits) -> str:
    """What is signed has counters of its own."""
    return f"{kind}-signed" if allowed.signed else kind


def _exceeded(reason: Reason, more: str = "") -> ExceededLimit:
    return ExceededLimit(reason, f"{REASON_IN_WORDS[reason]} {more}".strip())
