"""Repair open records that are overdue: claims with an expired lease, messages never queued.

Two runs may overlap: each change is conditional on the version it was made from, and a message
that is queued twice is still sent once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.permission import Circumstances, End, Wait, permission
from openvoip_sms.delivery.ports import (
    Clock,
    Jitter,
    Store,
    StoreUnavailable,
    Telemetry,
    UnreadableRecord,
    Usage,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record, Status

MIN_SECONDS_LEFT = 10.0  # the next run continues with the rest


@dataclass(slots=True)
class ReconcileCounts:
    """Records that one run queued again, found with an expired lease, ended unsent, or woke."""

    queued: int = 0
    leases_expired: int = 0
    ended: int = 0
    woken: int = 0


@dataclass(frozen=True, slots=True)
class Reconciler:
    """May raise `StoreUnavailable`: the next run continues."""

    store: Store
    enqueuer: Enqueuer
    usage: Usage
    telemetry: Telemetry
    policy: Policy
    clock: Clock
    jitter: Jitter

    def run(self, seconds_left: Callable[[], float]) -> ReconcileCounts:
        counts = ReconcileCounts()
        for record in self.store.due(self.clock()):
            if seconds_left() < MIN_SECONDS_LEFT:
                break
            try:
                self._repair(record, counts)
            except UnreadableRecord:
                continue  # it changed meanwhile; the store has reported it
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one record must not stop the others
                self.telemetry.unhandled_error("reconciler", error, message_id=record.id)
        return counts

    def _repair(self, record: Record, counts: ReconcileCounts) -> None:
        now = self.clock()
        if record.status is Status.SENDING:
            after = transitions.lease_expired(record, now, self.policy, self.jitter())
            if self._change(record, after.record, after.retry_in):
                self.usage.add_uncertain(record)
                counts.leases_expired += 1
            return
        match permission(record, Circumstances(now, self.policy)):
            case End() as end:
                counts.ended += self._change(record, end.of(record, now, self.policy))
            case Wait(until=datetime() as until):
                counts.queued += self._change(
                    record, transitions.handed_over_again(record, until), 0.0
                )
            case _:
                counts.queued += self._change(record, transitions.requeued(record, now), 0.0)

    def _change(self, old: Record, new: Record, queue_in: float | None = None) -> bool:
        """Write first, queue second: of two runs at once only one queues."""
        if self.store.replace(old, new) != new:
            return False
        self.telemetry.status_changed(new)
        if queue_in is not None:
            self.enqueuer.hand_over(new, queue_in)
        return True
