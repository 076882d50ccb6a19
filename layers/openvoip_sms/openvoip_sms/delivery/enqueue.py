"""Accept a message for later: store it, then hand it to the queue or the scheduler.

A message that is stored is accepted. If the hand-over fails or never happens, it is done again when
the caller repeats the call, or by the reconciler, which finds the record by its `check_at`.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from openvoip_sms.delivery.permission import Circumstances, End, Wait, permission
from openvoip_sms.delivery.ports import (
    MAX_QUEUE_DELAY,
    Clock,
    Queue,
    QueueUnavailable,
    Schedule,
    Store,
    StoreUnavailable,
    Telemetry,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.limits import ExceededLimit
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import WAITING, Record


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored under the id; `repeated` and `conflict` as in a `DeliveryResult`."""

    record: Record
    repeated: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Enqueuer:
    """May raise `StoreUnavailable`: then nothing was accepted."""

    store: Store
    queue: Queue
    schedule: Schedule
    telemetry: Telemetry
    policy: Policy
    clock: Clock

    def enqueue(self, record: Record, exceeded_limit: ExceededLimit | None = None) -> Stored:
        """Store a new record, and hand it over if it may go now or later."""
        new = self._as_stored(record, exceeded_limit, self.clock())
        current = self.store.create(new)
        if current != new:
            self.telemetry.duplicate_received(current)
            conflict = current.fingerprint != record.fingerprint
            if not conflict:
                self.hand_over_again(current)
            return Stored(current, repeated=not conflict, conflict=conflict)
        self.telemetry.status_changed(new)
        if new.status in WAITING:
            self.hand_over(new)
        return Stored(new)

    def _as_stored(
        self, record: Record, exceeded_limit: ExceededLimit | None, now: datetime
    ) -> Record:
        if record.status not in WAITING:
            return record
        answer = permission(record, Circumstances(now, self.policy, exceeded_limit))
        if isinstance(answer, End):
            return answer.of(record, now, self.policy)
        due = answer.until if isinstance(answer, Wait) else None
        return transitions.waiting_until(record, due or now)

    def hand_over_again(self, record: Record) -> None:
        """Hand over what a caller repeats, if the first time failed or the reconciler is late."""
        is_overdue = record.check_at is not None and record.check_at <= self.clock()
        if record.status in WAITING and is_overdue:
            self.hand_over(record)

    def hand_over(self, record: Record, delay: float = 0.0) -> bool:
        """Queue a stored message, or schedule it for a later time; return whether that succeeded.

        It is due after `delay` seconds, not before its `send_at`. A failure is left to the
        reconciler's next run.
        """
        now = self.clock()
        due = max(record.send_at or now, now + timedelta(seconds=delay))
        try:
            if due - now > MAX_QUEUE_DELAY:
                self.schedule.put(record.id, due)
            else:
                self.queue.put(record.id, (due - now).total_seconds())
        except QueueUnavailable as error:
            self.telemetry.hand_over_failed(record.id, error)
            with suppress(StoreUnavailable):  # then it is found by the check that it has
                self.store.replace(record, transitions.to_hand_over_again(record, now))
            return False
        return True
