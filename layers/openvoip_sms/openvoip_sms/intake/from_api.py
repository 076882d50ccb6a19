"""Messages of HTTP calls: sent while the caller waits, or stored for later."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.enqueue import Enqueuer, Stored
from openvoip_sms.delivery.permission import Permission
from openvoip_sms.intake.parse import parse_asked
from openvoip_sms.rules.new_record import record_of
from openvoip_sms.rules.record import WAITING, Record, Status


@dataclass(frozen=True, slots=True)
class DryRun:
    """The record as it would be made, and whether it might go now. Nothing was stored."""

    record: Record
    permission: Permission


@dataclass(frozen=True, slots=True)
class ApiIntake:
    """May raise `InvalidMessage`, and `StoreUnavailable`: with an id, callers may retry safely."""

    delivery: Delivery[Any]
    enqueuer: Enqueuer
    new_id: Callable[[], str]

    def handle(
        self, given: object, *, respond_async: bool, seconds_left: Callable[[], float]
    ) -> Stored | DryRun:
        """Send now, or store for later. A repeated id changes nothing."""
        now, policy = self.delivery.clock(), self.delivery.policy
        store = self.enqueuer.store
        message = parse_asked(given, policy, now=now, asked_at=now, store=store)
        record_id = message.id or self.new_id()
        record = record_of(message, id=record_id, source="api", policy=policy, now=now)
        if message.dry_run:
            return DryRun(record, self.delivery.foreseen(record, now))
        if record.status is Status.SCHEDULED or respond_async:
            stored = self.enqueuer.enqueue(record)
        else:
            stored = self._send(record, seconds_left)
        return self._if_lease_expired(stored, seconds_left)

    def _send(self, record: Record, seconds_left: Callable[[], float]) -> Stored:
        result = self.delivery.send_new(record, seconds_left)
        current = result.record or record
        if result.repeated:
            self.enqueuer.hand_over_again(current)
        elif result.retry_in is not None and current.status in WAITING:
            self.enqueuer.hand_over(current, result.retry_in)
        return Stored(current, result.repeated, result.conflict)

    def _if_lease_expired(self, stored: Stored, seconds_left: Callable[[], float]) -> Stored:
        """A repeated call may find a claim with an expired lease: it becomes `unknown`."""
        if not stored.repeated or stored.record.status is not Status.SENDING:
            return stored
        found = self.delivery.send_stored(stored.record.id, seconds_left)
        return Stored(found.record or stored.record, repeated=True)
