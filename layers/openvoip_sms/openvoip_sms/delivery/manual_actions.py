"""What a person may decide about a message: cancel, resend or confirm. Safe to repeat.

`by` says who: it is kept on the record.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import Clock, QueueUnavailable, Schedule, Store, Telemetry, Usage
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record, Status

type Change = Callable[[Record, datetime, Policy], Record | None]


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The record as it is now, `None` when there is none; `completed`: the action took effect."""

    record: Record | None
    completed: bool = False


@dataclass(frozen=True, slots=True)
class ManualActions:
    """May raise `StoreUnavailable`: then it is not known whether the decision was stored."""

    store: Store
    enqueuer: Enqueuer
    schedule: Schedule
    usage: Usage
    telemetry: Telemetry
    policy: Policy
    clock: Clock

    def cancel(self, record_id: str, by: str | None = None) -> ActionResult:
        """Cancel a waiting message. To repeat it is a success too."""
        result = self._apply(record_id, transitions.cancelled, by)
        if result.completed and result.record and result.record.send_at:
            self._unschedule(record_id)
        already = result.record is not None and result.record.status is Status.CANCELLED
        return ActionResult(result.record, completed=result.completed or already)

    def resend(self, record_id: str, by: str | None = None) -> ActionResult:
        """Queue a message again that is unknown, failed, expired or suppressed by a limit."""
        result = self._apply(record_id, transitions.resent, by)
        if result.completed and result.record:
            self.enqueuer.hand_over(result.record)
        return result

    def confirm(self, record_id: str, by: str | None = None) -> ActionResult:
        """Say of an unknown message that it arrived."""
        return self._apply(record_id, transitions.confirmed, by)

    def _apply(self, record_id: str, change: Change, by: str | None) -> ActionResult:
        record = self.store.get(record_id)
        if record is None:
            return ActionResult(None)
        changed = change(record, self.clock(), self.policy)
        if changed is None:
            return ActionResult(record)
        new = transitions.decided(changed, by)
        current = self.store.replace(record, new)
        if current != new:
            return ActionResult(current)
        self.telemetry.status_changed(new)
        if new.status is Status.SENT:
            self.usage.remove_uncertain(record)
        return ActionResult(new, completed=True)

    def _unschedule(self, record_id: str) -> None:
        try:
            self.schedule.remove(record_id)
        except QueueUnavailable as error:
            # It will fire and find a cancelled record: nothing is sent.
            self.telemetry.schedule_not_removed(record_id, error)
