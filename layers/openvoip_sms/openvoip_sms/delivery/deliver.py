"""Deliver one message: claim it, call the gateway once, record what came of it.

A claim is a conditional write, so that of all workers that hold the same message only one calls. A
claim whose lease has expired is recognised, and its message is not sent again automatically (unless
the firm chose `resend`). A message that may not go now is held back: it is stored so, and its queue
message is completed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from openvoip_sms.delivery.braking import Braking
from openvoip_sms.delivery.call import Attempt, GatewayCall
from openvoip_sms.delivery.permission import Circumstances, End, Hold, Permission, Wait, permission
from openvoip_sms.delivery.ports import (
    Clock,
    Jitter,
    NewClaim,
    OutcomeNotRecorded,
    SendingControl,
    Store,
    StoreUnavailable,
    Telemetry,
    Usage,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import Permit
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import OPEN, WAITING, Reason, Record, Status
from openvoip_sms.rules.rome import day_of


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
class _Admission:
    """Whether anything may be sent now: what holds it back, or with which permit."""

    held_by: Reason | None
    permit: Permit | None = None


@dataclass(frozen=True, slots=True)
class Delivery[Credentials]:
    """May raise `StoreUnavailable`: then the message must be retried."""

    store: Store
    control: SendingControl
    braking: Braking
    usage: Usage
    call: GatewayCall[Credentials]
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
        admission = _Admission(None)
        if not isinstance(answer, End | Wait):
            admission = self._admission(now)
            answer = self._permission(record, now, admission.held_by)
        new = self._as_stored(record, answer, now)
        with self._given_back_if_unavailable(admission.permit):
            current = self.store.create(new)
        if current != new:
            self.telemetry.duplicate_received(current)
            self.braking.give_back(admission.permit)
            conflict = current.fingerprint != record.fingerprint
            return DeliveryResult(current, repeated=not conflict, conflict=conflict)
        if new.status is Status.SENDING:
            return self._call(new, admission.permit, seconds_left)
        self.telemetry.status_changed(new)
        return DeliveryResult(new, _retry_in(answer, now))

    def send_stored(self, record_id: str, seconds_left: Callable[[], float]) -> DeliveryResult:
        """Send a message that the table holds. `record` is `None` when it does not."""
        now = self.clock()
        admission = self._admission(now)
        if admission.held_by is not None:
            return self._not_claimed(self.store.get(record_id), admission.held_by)
        claim = self.new_claim()
        with self._given_back_if_unavailable(admission.permit):
            current = self.store.claim(record_id, claim, now)
        if current is not None and (current.status, current.claim) == (Status.SENDING, claim):
            return self._call(current, admission.permit, seconds_left)
        self.braking.give_back(admission.permit)
        return self._not_claimed(current)

    def foreseen(self, record: Record, now: datetime) -> Permission:
        """Return whether a message might go now; nothing is stored or used up."""
        held_by = self.control.fresh().held_by(now)
        limit, segments = self.policy.daily_segment_limit, record.segments or 0
        if held_by is None and limit and self.usage.used(day_of(now)) + segments > limit:
            held_by = Reason.DAILY_LIMIT
        return self._permission(record, now, held_by)

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

    def _admission(self, now: datetime) -> _Admission:
        """Ask switch and brake; what holds a message back is read again before it is stored."""
        sending = self.control.current()
        if sending.held_by(now) is not None:
            sending = self.control.fresh()
        reason = sending.held_by(now)
        if reason is not None or sending.brake.is_open:
            return _Admission(reason)
        permit = self.braking.permit()
        return _Admission(None if permit else Reason.GATEWAY_DOWN, permit)

    @contextmanager
    def _given_back_if_unavailable(self, permit: Permit | None) -> Iterator[None]:
        """Where it is not known whether a claim was stored, nobody calls."""
        try:
            yield
        except StoreUnavailable:
            self.braking.give_back(permit)
            raise

    def _permission(
        self, record: Record, now: datetime, held_by: Reason | None = None
    ) -> Permission:
        return permission(record, Circumstances(now, self.policy, held_by=held_by))

    def _as_stored(self, record: Record, answer: Permission, now: datetime) -> Record:
        match answer:
            case End():
                return answer.of(record, now, self.policy)
            case Wait():
                return transitions.waiting_until(record, answer.until or now)
            case Hold():
                return transitions.waiting_for(record, answer.reason, answer.until)
            case _:
                return transitions.claimed(record, self.new_claim(), now)

    def _not_claimed(self, record: Record | None, held_by: Reason | None = None) -> DeliveryResult:
        if record is None:
            return DeliveryResult(None)
        if record.status is Status.SENDING:
            return self._find_claimed(record)
        if record.status not in WAITING:
            return DeliveryResult(record, repeated=True)
        return self._still_waiting(record, held_by)

    def _still_waiting(self, record: Record, held_by: Reason | None) -> DeliveryResult:
        now = self.clock()
        match self._permission(record, now, held_by):
            case End() as end:
                return self._write(record, end.of(record, now, self.policy))
            case Wait() as wait:
                return DeliveryResult(record, _retry_in(wait, now))
            case Hold() as hold if record.held_by is hold.reason:
                return DeliveryResult(record)
            case Hold() as hold:
                return self._write(record, transitions.held(record, hold.reason, hold.until, now))
            case _:
                return self._lost_race(record)

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
        result = self._write(record, after.record, after.retry_in)
        if not result.repeated:
            self.usage.add_uncertain(record)
        return result

    def _call(
        self, ours: Record, permit: Permit | None, seconds_left: Callable[[], float]
    ) -> DeliveryResult:
        attempt = self.call.make(ours, permit, seconds_left)
        if attempt.after is None:
            self.braking.give_back(permit)
            return self._lost_race(self.store.get(ours.id))
        try:
            result, expired = self._write_outcome(ours, attempt.after)
        except StoreUnavailable as error:
            self.telemetry.outcome_not_recorded(attempt.after.record)
            self._tell_the_brake(attempt, permit)
            raise OutcomeNotRecorded(ours) from error
        if attempt.outcome:
            self._count(ours, attempt.outcome, expired=expired)
        self._tell_the_brake(attempt, permit)
        return result

    def _tell_the_brake(self, attempt: Attempt, permit: Permit | None) -> None:
        if attempt.outcome and attempt.place:
            self.braking.answered(attempt.outcome, attempt.place, permit)
        else:
            self.braking.give_back(permit)

    def _count(self, ours: Record, outcome: CallOutcome, *, expired: bool) -> None:
        """Correct the day's usage. A lease that had expired was counted as uncertain."""
        if outcome is CallOutcome.UNCERTAIN:
            if not expired:
                self.usage.add_uncertain(ours)
            return
        if outcome is not CallOutcome.ACCEPTED:
            self.usage.give_back(ours)
        if expired:
            self.usage.remove_uncertain(ours)

    def _write(self, old: Record, new: Record, retry_in: float | None = None) -> DeliveryResult:
        current = self.store.replace(old, new)
        if current != new:
            return self._lost_race(current)
        self.telemetry.status_changed(new)
        return DeliveryResult(new, retry_in)

    def _write_outcome(
        self, ours: Record, after: transitions.Transition
    ) -> tuple[DeliveryResult, bool]:
        """Record what came of a call, also when its lease expired meanwhile; return whether it had.

        Then the answer replaces `unknown`; an acceptance ends the message even where it was queued
        again, so that no second SMS is sent.
        """
        new, retry_in = after.record, after.retry_in
        result = self._write(ours, new, retry_in)
        current = result.record
        if not result.repeated or current is None:
            return result, False
        if _is_own_unknown(ours, current) or _is_queued_again_and_sent(current, new):
            again = replace(
                new,
                version=current.version + 1,
                decided_by=current.decided_by,
                resolution=current.resolution,
                other_attributes=current.other_attributes,
            )
            return self._write(current, again, retry_in), True
        return result, not _was_accepted_before(ours, current)


def _retry_in(answer: Permission, now: datetime) -> float | None:
    """Seconds to wait if that is short; later its schedule or the reconciler queues it again."""
    if not isinstance(answer, Wait) or answer.until is None:
        return None
    seconds = (answer.until - now).total_seconds()
    return seconds if seconds <= transitions.MAX_DELAY else None


def _is_own_unknown(ours: Record, current: Record) -> bool:
    same_claim = ours.claim is not None and ours.claim == current.claim
    return same_claim and ours.status is Status.SENDING and current.status is Status.UNKNOWN


def _was_accepted_before(ours: Record, current: Record) -> bool:
    """Whether an earlier call, long in doubt, ended the message: nothing else does so to a claim.

    A lease that expires leaves `unknown` or `queued` first.
    """
    return current.status is Status.SENT and current.version == ours.version + 1


def _is_queued_again_and_sent(current: Record, new: Record) -> bool:
    """`maybe_sent` says that our call was in doubt when the message was queued again."""
    return new.status is Status.SENT and current.status in OPEN and current.maybe_sent
