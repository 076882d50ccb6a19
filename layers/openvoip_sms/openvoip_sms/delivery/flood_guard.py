"""Counts the messages that webhooks cause, and says which limit a message would exceed.

Exceeding the limit of a range or a source pauses the source: otherwise an attacker who posts forged
forms would go on with the next number.
"""

from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.delivery.ports import Clock, Counters, Store, Telemetry
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
        first = self._first_with_text(record, now)
        return None if first == record.id else _exceeded(Reason.SAME_TEXT, f"The first is {first}.")

    def _first_with_text(self, record: Record, now: datetime) -> str:
        """The id of the message that has this text, number and (if it waits) day.

        One that was never stored, because its call failed, suppresses nothing.
        """
        day = record.send_at.date() if record.send_at else ""
        same = limits.subject("text", f"{record.to}\n{day}\n{record.text}")
        first = self.counters.claim_once(same, record.id, now, limits.SAME_TEXT_WITHIN)
        if first != record.id and self.store.get(first) is None:
            return self.counters.claim_once(same, record.id, now, limits.STORED_WITHIN)
        return first

    def _limit(self, record: Record, allowed: FloodLimits, now: datetime) -> ExceededLimit | None:
        """Count for source, range and number, in that order, up to the first limit exceeded."""
        of_source = limits.subject("source", record.source)
        counted = self.counters.count(of_source, now)
        if counted.paused_until is not None and counted.paused_until > now:
            return _exceeded(Reason.SOURCE_PAUSED, f"Until {to_rfc3339(counted.paused_until)}.")
        if limits.is_over(counted, allowed.source_hourly, now):
            return self._paused(of_source, Reason.SOURCE_LIMIT, record, now)
        number_range = f"{record.source} {limits.number_range(record.to)}"
        if limits.is_over(self._count("range", number_range, now), allowed.range_hourly, now):
            return self._paused(of_source, Reason.RANGE_LIMIT, record, now)
        if limits.is_over(self._count("recipient", record.to, now), allowed.recipient_hourly, now):
            return _exceeded(Reason.RECIPIENT_LIMIT)
        return None

    def _count(self, kind: str, value: str, now: datetime) -> Counts:
        return self.counters.count(limits.subject(kind, value), now)

    def _paused(
        self, of_source: str, reason: Reason, record: Record, now: datetime
    ) -> ExceededLimit:
        self.counters.pause(of_source, now + limits.PAUSE)
        self.telemetry.source_paused(record)
        return _exceeded(reason)


def _exceeded(reason: Reason, more: str = "") -> ExceededLimit:
    return ExceededLimit(reason, f"{REASON_IN_WORDS[reason]} {more}".strip())
