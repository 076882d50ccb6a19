"""One call to the gateway for a claimed message: the one place that calls it.

Before the call the message's segments are reserved in the day's counter, without a retry: when the
answer is lost, nobody calls, and the message comes again. Then time, switch and brake are looked at
once more: a call must end before the lease does, and a worker may have stood still meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from openvoip_sms.delivery.permission import Circumstances, End, Hold, permission
from openvoip_sms.delivery.ports import (
    MAX_CONTROL_AGE,
    Clock,
    Gateway,
    Jitter,
    SecretNotSet,
    SecretUnavailable,
    SendingControl,
    Sms,
    Store,
    StoreUnavailable,
    Telemetry,
    Usage,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import FIRST_STEP, BrakeState, Permit, Place
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Record
from openvoip_sms.rules.rome import midnight_after
from openvoip_sms.rules.transitions import LEASE, Transition

_LOOKS = 3  # a worker that stands still so often has no time left
CALL_BUDGET = timedelta(seconds=14)  # connect and read time-out as a whole, and a margin


@dataclass(frozen=True, slots=True)
class Attempt:
    """What becomes of a claimed record. Without an outcome and a place nothing was called.

    `after` is `None` where another worker has ended the record meanwhile.
    """

    after: Transition | None
    outcome: CallOutcome | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class GatewayCall[Credentials]:
    """Never raises."""

    store: Store
    gateway: Gateway[Credentials]
    control: SendingControl
    usage: Usage
    telemetry: Telemetry
    policy: Policy
    clock: Clock
    jitter: Jitter

    def make(
        self, ours: Record, permit: Permit | None, seconds_left: Callable[[], float]
    ) -> Attempt:
        """Call once; a second time only when the account was refused and its secret is new."""
        try:
            credentials = self.gateway.credentials()
            stopped = self._held_back(ours, permit) or self._out_of_time(ours, seconds_left)
            return stopped or self._reserved(ours, permit, credentials, seconds_left)
        except SecretUnavailable as error:
            return Attempt(self._without_secret(ours, error))
        except StoreUnavailable as error:
            self.telemetry.usage_not_counted(ours, error)
            return self._released(ours, Reason.TABLE_UNAVAILABLE)

    def _held_back(self, ours: Record, permit: Permit | None) -> Attempt | None:
        now, sending = self.clock(), self.control.current()
        held_by = Reason.PAUSED if sending.pause else None
        # A message that was in doubt proves nothing when it is answered clearly.
        no_permit = permit is None or (permit.size == FIRST_STEP and ours.maybe_sent)
        shut_again = sending.brake.state is BrakeState.HOLDING
        if held_by is None and (shut_again or (no_permit and not sending.brake.is_open)):
            held_by = Reason.GATEWAY_DOWN
        match permission(ours, Circumstances(now, self.policy, held_by=held_by)):
            case End() as end:
                return Attempt(Transition(end.of(transitions.not_called(ours), now, self.policy)))
            case Hold() as hold:
                return Attempt(Transition(transitions.held(ours, hold.reason, hold.until, now)))
            case _:
                return None

    def _last_look(
        self, ours: Record, permit: Permit | None, seconds_left: Callable[[], float]
    ) -> Attempt | None:
        """Ask again what may have changed since the claim, until the answers are young."""
        for _ in range(_LOOKS):
            began = self.clock()
            stopped = (
                self._accepted_late(ours)
                or self._held_back(ours, permit)
                or self._out_of_time(ours, seconds_left)
            )
            if stopped is not None:
                return stopped
            if self.clock() - began <= MAX_CONTROL_AGE:
                return None
        return self._released(ours, Reason.OUT_OF_TIME)

    def _out_of_time(self, ours: Record, seconds_left: Callable[[], float]) -> Attempt | None:
        if self._time_for_a_call(ours, seconds_left):
            return None
        return self._released(ours, Reason.OUT_OF_TIME)

    def _reserved(
        self,
        ours: Record,
        permit: Permit | None,
        credentials: Credentials,
        seconds_left: Callable[[], float],
    ) -> Attempt:
        place = self.usage.reserve(ours, self.policy.daily_segment_limit)
        if place is None:
            return self._over_the_limit(ours)
        try:
            stopped = self._last_look(ours, permit, seconds_left)
        except StoreUnavailable:
            self.usage.give_back(ours)
            raise
        if stopped is not None:
            self.usage.give_back(ours)
            return stopped
        outcome, after = self._called(ours, permit, credentials, seconds_left)
        return Attempt(after, outcome, place)

    def _accepted_late(self, ours: Record) -> Attempt | None:
        """Look once more at a message that was in doubt: its earlier call may have ended now."""
        if not ours.maybe_sent:
            return None
        try:
            current = self.store.get(ours.id)
        except StoreUnavailable:
            return self._released(ours, Reason.TABLE_UNAVAILABLE)
        unchanged = current is not None and current.version == ours.version
        return None if unchanged else Attempt(None)

    def _over_the_limit(self, ours: Record) -> Attempt:
        now = self.clock()
        until = midnight_after((ours.claimed_until or now + LEASE) - LEASE)
        return Attempt(Transition(transitions.held(ours, Reason.DAILY_LIMIT, until, now)))

    def _called(
        self,
        ours: Record,
        permit: Permit | None,
        credentials: Credentials,
        seconds_left: Callable[[], float],
    ) -> tuple[CallOutcome, Transition]:
        reply = self._call(ours, credentials)
        if reply.outcome is CallOutcome.BAD_CREDENTIALS:
            # The secret may have been rotated: read it past the cache, one more call.
            try:
                credentials = self.gateway.credentials(refresh=True)
            except SecretNotSet as error:
                return reply.outcome, self._without_secret(ours, error)
            except SecretUnavailable as error:
                self.telemetry.secret_unavailable(ours.id, error)
                return reply.outcome, self._answered(ours, reply)
            if self._may_call_again(ours, permit, seconds_left):
                reply = self._call(ours, credentials)
        return reply.outcome, self._answered(ours, reply)

    def _may_call_again(
        self, ours: Record, permit: Permit | None, seconds_left: Callable[[], float]
    ) -> bool:
        try:
            return self._last_look(ours, permit, seconds_left) is None
        except StoreUnavailable:
            return False

    def _answered(self, ours: Record, reply: CallResult) -> Transition:
        return transitions.answered(ours, reply, self.clock(), self.policy, self.jitter())

    def _without_secret(self, ours: Record, error: SecretUnavailable) -> Transition:
        self.telemetry.secret_unavailable(ours.id, error)
        unset = isinstance(error, SecretNotSet)
        reason = Reason.SECRET_NOT_SET if unset else Reason.SECRET_UNAVAILABLE
        return transitions.released(ours, reason, self.clock(), self.jitter())

    def _released(self, ours: Record, reason: Reason) -> Attempt:
        return Attempt(transitions.released(ours, reason, self.clock(), self.jitter()))

    def _time_for_a_call(self, ours: Record, seconds_left: Callable[[], float]) -> bool:
        """A call must end before the lease and the function do, or it could be made twice."""
        lease_suffices = ours.claimed_until is not None and (
            self.clock() + CALL_BUDGET <= ours.claimed_until
        )
        return lease_suffices and seconds_left() >= CALL_BUDGET.total_seconds()

    def _call(self, ours: Record, credentials: Credentials) -> CallResult:
        sms = Sms(
            sender=ours.sender or "", text=ours.text or "", to=ours.to, archive=bool(ours.archive)
        )
        started = self.clock()
        reply = self.gateway.send(sms, credentials)
        self.telemetry.gateway_called(ours, reply, (self.clock() - started).total_seconds())
        return reply
