"""Deliver one message: claim it, call the gateway once, record what came of it.

The one place that calls the gateway. A claim is a conditional write, so that of all workers that
hold the same message only one calls. A claim whose lease has expired is recognised, and its message
is not sent again automatically (unless the firm chose `resend`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openvoip_sms.delivery.permission import Circumstances, End, Permission, Wait, permission
from openvoip_sms.delivery.ports import (
    Clock,
    Gateway,
    Jitter,
    NewClaim,
    OutcomeNotRecorded,
    SecretNotSet,
    SecretUnavailable,
    Sms,
    Store,
    StoreUnavailable,
    Telemetry,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import OPEN, WAITING, Reason, Record, Status

CALL_BUDGET = timedelta(seconds=14)  # connect and read time-out as a whole, and a margin


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What is stored after a delivery; `retry_in` seconds until this message should be retried.

    `repeated`: the message was accepted earlier. `conflict`: its id belongs to another one.
    """

    record: Record | None
    retry_in: float | None = None
    repeated: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Delivery[Credentials]:
    """May raise `StoreUnavailable`: then the message must be retried."""

    store: Store
    gateway: Gateway[Credentials]
    telemetry: Telemetry
    policy: Policy
    clock: Clock
    jitter: Jitter
    new_claim: NewClaim

    def send_new(self, record: Record, seconds_left: Callable[[], float]) -> DeliveryResult:
        """Store a message that has no record yet, as claimed by this worker, and send it.

        A repeated one is left unchanged.
        """
        now = self.clock()
        answer = self._permission(record, now)
        new = self._as_stored(record, answer, now)
        current = self.store.create(new)
        if current != new:
            self.telemetry.duplicate_received(current)
            conflict = current.fingerprint != record.fingerprint
            return DeliveryResult(current, repeated=not conflict, conflict=conflict)
        if new.status is Status.SENDING:
            return self._call(new, seconds_left)
        self.telemetry.status_changed(new)
        return DeliveryResult(new, _retry_in(answer, now))

    def send_stored(self, record_id: str, seconds_left: Callable[[], float]) -> DeliveryResult:
        """Send a message that the table holds. `record` is `None` when it does not."""
        record = self.store.get(record_id)
        if record is None:
            return DeliveryResult(None)
        if record.status in WAITING:
            return self._send_waiting(record, seconds_left)
        if record.status is Status.SENDING:
            return self._find_claimed(record)
        return DeliveryResult(record, repeated=True)

    def give_up(self, record_id: str) -> DeliveryResult:
        """End a waiting message that made the function die before it was claimed: it failed.

        One that is claimed is left to its lease, after which the reconciler finds it.
        """
        record = self.store.get(record_id)
        if record is None or record.status not in WAITING:
            return DeliveryResult(record, repeated=True)
        new = transitions.ended(
            record, Status.FAILED, Reason.INTERRUPTED, self.clock(), self.policy
        )
        return self._write(record, new)

    def _send_waiting(self, record: Record, seconds_left: Callable[[], float]) -> DeliveryResult:
        now = self.clock()
        answer = self._permission(record, now)
        if isinstance(answer, Wait):
            return DeliveryResult(record, _retry_in(answer, now))
        new = self._as_stored(record, answer, now)
        if isinstance(answer, End):
            return self._write(record, new)
        current = self.store.replace(record, new)
        if current != new:
            return self._lost_race(current)
        return self._call(new, seconds_left)

    def _permission(self, record: Record, now: datetime) -> Permission:
        return permission(record, Circumstances(now, self.policy))

    def _as_stored(self, record: Record, answer: Permission, now: datetime) -> Record:
        match answer:
            case End():
                return answer.of(record, now, self.policy)
            case Wait():
                return transitions.waiting_until(record, answer.until or now)
            case _:
                return transitions.claimed(record, self.new_claim(), now)

    def _lost_race(self, current: Record | None) -> DeliveryResult:
        """Another worker changed the record meanwhile: retry soon if it is still open."""
        still_open = current is not None and current.status in OPEN
        return DeliveryResult(current, transitions.MIN_DELAY if still_open else None, repeated=True)

    def _find_claimed(self, record: Record) -> DeliveryResult:
        """Leave a claim alone while its lease runs; after that the outcome is `unknown`."""
        now = self.clock()
        left = ((record.claimed_until or now) - now).total_seconds()
        if left > 0:
            return DeliveryResult(record, left + transitions.MIN_DELAY, repeated=True)
        after = transitions.lease_expired(record, now, self.policy, self.jitter())
        return self._write(record, after.record, after.retry_in)

    def _call(self, ours: Record, seconds_left: Callable[[], float]) -> DeliveryResult:
        try:
            after = self._outcome(ours, seconds_left)
        except SecretUnavailable as error:
            self.telemetry.secret_unavailable(ours.id, error)
            unset = isinstance(error, SecretNotSet)
            reason = Reason.SECRET_NOT_SET if unset else Reason.SECRET_UNAVAILABLE
            after = transitions.released(ours, reason, self.clock(), self.jitter())
        try:
            return self._write_outcome(ours, after)
        except StoreUnavailable as error:
            self.telemetry.outcome_not_recorded(after.record)
            raise OutcomeNotRecorded(ours) from error

    def _outcome(self, ours: Record, seconds_left: Callable[[], float]) -> transitions.Transition:
        credentials = self.gateway.credentials()
        if not self._time_for_a_call(ours, seconds_left):
            return transitions.released(ours, Reason.OUT_OF_TIME, self.clock(), self.jitter())
        reply = self._gateway_call(ours, credentials)
        if reply.outcome is CallOutcome.BAD_CREDENTIALS:
            # The secret may have been rotated: read it past the cache, one more call.
            credentials = self.gateway.credentials(refresh=True)
            if self._time_for_a_call(ours, seconds_left):
                reply = self._gateway_call(ours, credentials)
        return transitions.answered(ours, reply, self.clock(), self.policy, self.jitter())

    def _time_for_a_call(self, ours: Record, seconds_left: Callable[[], float]) -> bool:
        """A call must end before the lease and the function do, or it could be made twice."""
        lease_suffices = ours.claimed_until is not None and (
            self.clock() + CALL_BUDGET <= ours.claimed_until
        )
        return lease_suffices and seconds_left() >= CALL_BUDGET.total_seconds()

    def _gateway_call(self, ours: Record, credentials: Credentials) -> CallResult:
        sms = Sms(
            sender=ours.sender or "", text=ours.text or "", to=ours.to, archive=bool(ours.archive)
        )
        started = self.clock()
        reply = self.gateway.send(sms, credentials)
        self.telemetry.gateway_called(ours, reply, (self.clock() - started).total_seconds())
        return reply

    def _write(self, old: Record, new: Record, retry_in: float | None = None) -> DeliveryResult:
        current = self.store.replace(old, new)
        if current != new:
            return self._lost_race(current)
        self.telemetry.status_changed(new)
        return DeliveryResult(new, retry_in)

    def _write_outcome(self, ours: Record, after: transitions.Transition) -> DeliveryResult:
        """Record what came of a call, also when its lease expired meanwhile.

        Then the answer replaces `unknown`; an acceptance ends the message even where it was queued
        again and still waits, so that no second SMS is sent.
        """
        new = after.record
        result = self._write(ours, new, after.retry_in)
        current = result.record
        if not result.repeated or current is None:
            return result
        if _is_own_unknown(ours, current) or _is_queued_again_and_sent(current, new):
            other = current.other_attributes
            again = replace(new, version=current.version + 1, other_attributes=other)
            return self._write(current, again, after.retry_in)
        return result


def _retry_in(answer: Permission, now: datetime) -> float | None:
    """Seconds to wait if that is short; later its schedule or the reconciler queues it again."""
    if not isinstance(answer, Wait) or answer.until is None:
        return None
    seconds = (answer.until - now).total_seconds()
    return seconds if seconds <= transitions.MAX_DELAY else None


def _is_own_unknown(ours: Record, current: Record) -> bool:
    same_claim = ours.claim is not None and ours.claim == current.claim
    return same_claim and ours.status is Status.SENDING and current.status is Status.UNKNOWN


def _is_queued_again_and_sent(current: Record, new: Record) -> bool:
    """`maybe_sent` says that our call was in doubt when the message was queued again."""
    return new.status is Status.SENT and current.status in WAITING and current.maybe_sent
