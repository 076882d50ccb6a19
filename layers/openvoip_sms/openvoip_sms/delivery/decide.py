"""What a person may decide about a message: cancel, resend, confirm, safe under double clicks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.delivery.accept import Acceptance
from openvoip_sms.delivery.ports import Clock, Journal, QueueUnavailable, Schedule, Store
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record, Status

type Change = Callable[[Record, datetime, Policy], Record | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """What stands now, `None` when there is no such message; `done` says if the wish was met."""

    record: Record | None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Decisions:
    """May raise `StoreUnavailable`: then it is not known whether the decision was written."""

    store: Store
    acceptance: Acceptance
    schedule: Schedule
    journal: Journal
    policy: Policy
    clock: Clock

    def cancel(self, record_id: str) -> Decided:
        """Take back what waits. A repeated cancel is met already."""
        decided = self._decide(record_id, transitions.cancelled)
        if decided.done and decided.record and decided.record.send_at:
            self._unschedule(record_id)
        already = decided.record is not None and decided.record.status is Status.CANCELLED
        return Decided(decided.record, done=decided.done or already)

    def resend(self, record_id: str) -> Decided:
        """Queue once more what is unknown, failed or expired."""
        decided = self._decide(record_id, transitions.resent)
        if decided.done and decided.record:
            self.acceptance.hand_over(decided.record)
        return decided

    def confirm(self, record_id: str) -> Decided:
        """Say of an unknown message that it arrived."""
        return self._decide(record_id, transitions.confirmed)

    def _decide(self, record_id: str, change: Change) -> Decided:
        record = self.store.get(record_id)
        if record is None:
            return Decided(None)
        new = change(record, self.clock(), self.policy)
        if new is None:
            return Decided(record)
        stands = self.store.replace(record, new)
        if stands != new:
            return Decided(stands)
        self.journal.changed(new)
        return Decided(new, done=True)

    def _unschedule(self, record_id: str) -> None:
        try:
            self.schedule.remove(record_id)
        except QueueUnavailable as error:
            # It will fire and find a cancelled record: nothing is sent.
            self.journal.trouble("schedule.not_removed", record_id, error)
