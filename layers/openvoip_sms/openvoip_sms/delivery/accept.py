"""Accept a message for later: store it, then hand it to the queue or the scheduler.

Storing is accepting. If the hand-over fails or never happens, the record's `check_at` brings the
reconciler to it.
"""

from dataclasses import dataclass
from datetime import timedelta

from openvoip_sms.delivery.ports import (
    QUEUE_DELAY_LIMIT,
    Clock,
    Journal,
    Queue,
    QueueUnavailable,
    Schedule,
    Store,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import WAITING, Record


@dataclass(frozen=True, slots=True)
class Accepted:
    """What stands under the id; `repeated` and `conflict` as in a delivery's `Result`."""

    record: Record
    repeated: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Acceptance:
    """May raise `StoreUnavailable`: then nothing was accepted."""

    store: Store
    queue: Queue
    schedule: Schedule
    journal: Journal
    policy: Policy
    clock: Clock

    def accept(self, record: Record) -> Accepted:
        now = self.clock()
        new = transitions.first(record, now, self.policy)
        stands = self.store.create(new)
        if stands != new:
            self.journal.duplicate(stands)
            conflict = stands.fingerprint != record.fingerprint
            return Accepted(stands, repeated=not conflict, conflict=conflict)
        self.journal.changed(new)
        if new.status in WAITING:
            self.hand_over(new)
        return Accepted(new)

    def hand_over(self, record: Record, delay: float = 0.0) -> bool:
        """Bring a stored, waiting message on its way; a failure is left to the reconciler."""
        now = self.clock()
        due = max(record.send_at or now, now + timedelta(seconds=delay))
        try:
            if due - now > QUEUE_DELAY_LIMIT:
                self.schedule.put(record.id, due)
            else:
                self.queue.put(record.id, (due - now).total_seconds())
        except QueueUnavailable as error:
            self.journal.trouble("message.not_handed_over", record.id, error)
            return False
        return True
