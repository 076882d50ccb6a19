"""The brake at work: what the gateway answered is told to it, and a probe is made when it is due.

A good answer costs no write unless the brake is half open. All workers share the state by one item;
each change is conditional, so that of two at once the second is made from the first.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from openvoip_sms.delivery.ports import (
    MAX_QUEUE_DELAY,
    Clock,
    Gateway,
    Queue,
    QueueUnavailable,
    SecretUnavailable,
    SendingControl,
    StoreUnavailable,
    Telemetry,
    Waker,
)
from openvoip_sms.rules import brake as rules
from openvoip_sms.rules.brake import Brake, BrakeState, Permit, Place
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.rules.sending import Sending, with_brake

CLEAR = frozenset({CallOutcome.ACCEPTED, CallOutcome.BAD_DESTINATION})
PROBE_LATE = timedelta(minutes=1)  # then the queue has lost the message that asks for it


@dataclass(frozen=True, slots=True)
class Probes:
    """Asks the sender, through the queue, for the probe that is due after a pause."""

    queue: Queue
    telemetry: Telemetry
    clock: Clock

    def ask(self, brake: Brake) -> None:
        """A failure is left to the reconciler, which asks again."""
        wait = (brake.next_try - self.clock()) if brake.next_try else timedelta()
        wait = min(max(wait, timedelta()), MAX_QUEUE_DELAY)
        try:
            self.queue.put_probe(wait.total_seconds())
        except QueueUnavailable as error:
            self.telemetry.queue_failed(error)

    def ask_if_late(self, brake: Brake) -> None:
        """Ask again where the queue must have lost the message."""
        due = brake.next_try
        if brake.state is BrakeState.HOLDING and due and due + PROBE_LATE <= self.clock():
            self.ask(brake)


@dataclass(frozen=True, slots=True)
class Braking:
    """`permit` may raise `StoreUnavailable`; nothing else does."""

    control: SendingControl
    probes: Probes
    waker: Waker
    telemetry: Telemetry
    clock: Clock

    def permit(self) -> Permit | None:
        """Take the right to send one message through a half-open brake, if there is one."""
        permit: Permit | None = None

        def take(sending: Sending) -> Sending:
            nonlocal permit
            taken = rules.taken(sending.brake, self.clock())
            permit = taken[1] if taken else None
            return with_brake(sending, taken[0]) if taken else sending

        self.control.change(take)
        return permit

    def answered(self, outcome: CallOutcome, place: Place, permit: Permit | None) -> None:
        """Tell what a call came to. Without a permit only an unclear answer matters."""
        now = self.clock()
        if outcome is CallOutcome.UNCERTAIN:
            self._change(lambda brake: rules.unclear_answer(brake, place, permit, now))
        elif permit is not None and outcome in CLEAR:
            self._change(lambda brake: rules.clear_answer(brake, permit, now))
        elif permit is not None:
            self.give_back(permit)

    def give_back(self, permit: Permit | None) -> None:
        """A message that had a permit was not sent."""
        if permit is not None:
            self._change(lambda brake: rules.returned(brake, permit))

    def probe(self, gateway: Gateway[Any]) -> None:
        """Make the probe if it is due and no other worker makes it."""
        now = self.clock()
        before, after = self._change(lambda brake: rules.probing(brake, now) or brake)
        lease = after.probing_until
        if lease is None or before == after:
            return
        healthy = _is_healthy(gateway)
        now = self.clock()
        self._change(lambda brake: rules.probed(brake, lease, now, healthy=healthy))

    def _change(self, change: "rules.Change") -> tuple[Brake, Brake]:
        try:
            before, after = self.control.change(
                lambda sending: with_brake(sending, change(sending.brake))
            )
        except StoreUnavailable as error:
            self.telemetry.brake_not_changed(error)
            return rules.OPEN, rules.OPEN
        self._after(before.brake, after.brake)
        return before.brake, after.brake

    def _after(self, before: Brake, after: Brake) -> None:
        if (before.state, before.half_open_size) != (after.state, after.half_open_size):
            self.telemetry.brake_changed(after)
            if after.state is not BrakeState.HOLDING:
                self.waker.call()
        if after.next_try is not None and before.next_try != after.next_try:
            self.probes.ask(after)


def _is_healthy(gateway: Gateway[Any]) -> bool:
    try:
        return gateway.probe(gateway.credentials())
    except SecretUnavailable:
        return False
