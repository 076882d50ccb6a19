"""The brake at work: one worker makes the probe, and who waits is called when it opens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery.braking import PROBE_LATE
from openvoip_sms.delivery.ports import SecretNotSet, StoreUnavailable
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.brake import OPEN, PROBE_LEASE, Brake, BrakeState, Permit, Place
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.rules.sending import Pause, Sending
from tests.deliveries import braking_on
from tests.fakes import (
    START,
    FakeClock,
    FakeControl,
    FakeGateway,
    FakeQueue,
    FakeTelemetry,
    FakeWaker,
)

DUE = START + timedelta(seconds=30)
HOLDING = Brake(BrakeState.HOLDING, START, next_try=DUE)
HALF_OPEN = Brake(BrakeState.HALF_OPEN, START, half_open_since=START, half_open_size=1)


class Setup:
    """A brake whose probe is due."""

    def __init__(self, brake=HOLDING, now=DUE):
        self.clock, self.gateway, self.queue = FakeClock(now), FakeGateway(), FakeQueue()
        self.waker, self.telemetry = FakeWaker(), FakeTelemetry()
        self.control = FakeControl(self.clock, Sending(brake=brake, version=1))
        self.braking = self.another_worker()

    def another_worker(self):
        return braking_on(
            self.control,
            self.clock,
            queue=self.queue,
            waker=self.waker,
            telemetry=self.telemetry,
        )

    def probe(self):
        self.braking.probe(self.gateway)
        return self.brake

    @property
    def brake(self):
        return self.control.stored.brake


# The probe


def test_a_healthy_gateway_opens_the_brake_by_half_and_calls_whoever_hands_over():
    setup = Setup()
    assert (setup.probe().state, setup.brake.half_open_size) == ("half_open", 1)
    assert setup.gateway.probes == [OpenvoipAccount("9999", "a-secret")]
    assert setup.gateway.calls == []
    assert setup.waker.calls == 1
    assert [one.state for one in setup.telemetry.brakes] == ["half_open"]


def test_an_unhealthy_gateway_gets_another_probe_after_a_longer_pause():
    setup = Setup()
    setup.gateway.healthy = False
    assert (setup.probe().state, setup.brake.pauses) == ("holding", 1)
    assert setup.queue.probes == [60.0]
    assert setup.waker.calls == 0


def test_a_probe_that_comes_too_early_is_not_made():
    setup = Setup(now=DUE - timedelta(seconds=2))
    assert setup.probe() == HOLDING
    assert setup.gateway.probes == []


@pytest.mark.parametrize("brake", [OPEN, HALF_OPEN], ids=lambda one: one.state)
def test_a_probe_that_is_delivered_twice_is_made_once(brake):
    setup = Setup(brake)
    assert setup.probe() == brake
    assert setup.gateway.probes == []


def test_while_one_worker_makes_the_probe_another_does_not():
    setup = Setup()
    probe = setup.gateway.probe

    def slow(account):
        setup.another_worker().probe(setup.gateway)
        return probe(account)

    setup.gateway.probe = slow
    setup.probe()
    assert len(setup.gateway.probes) == 1


def test_a_worker_that_dies_in_its_probe_is_replaced():
    setup = Setup()

    class Killed(BaseException):
        pass

    def kill(_account):
        raise Killed

    setup.gateway.probe, probe = kill, setup.gateway.probe
    with pytest.raises(Killed):
        setup.probe()
    setup.gateway.probe = probe
    assert setup.probe().state is BrakeState.HOLDING
    setup.clock.advance(PROBE_LEASE.total_seconds())
    assert setup.probe().state is BrakeState.HALF_OPEN


def test_a_worker_whose_lease_has_ended_does_not_end_the_probe_of_another():
    setup = Setup()

    def slow(_account):
        setup.clock.advance(PROBE_LEASE.total_seconds())
        other = setup.another_worker()
        setup.gateway.probe = lambda _: True
        other.probe(setup.gateway)
        return False

    setup.gateway.probe = slow
    assert setup.probe().state is BrakeState.HALF_OPEN


def test_a_secret_that_cannot_be_read_is_no_sign_of_health():
    setup = Setup()
    setup.gateway.secret_fails_with = SecretNotSet("placeholder")
    assert setup.probe().state is BrakeState.HOLDING


def test_without_the_control_item_no_probe_is_made():
    setup = Setup()
    setup.control.down = True
    setup.braking.probe(setup.gateway)
    assert setup.gateway.probes == []
    assert [event for event, _, _ in setup.telemetry.failures] == ["brake"]


def test_a_probe_is_made_while_a_person_has_paused():
    """It sends nothing, and the gateway may be well when sending is resumed."""
    setup = Setup()
    setup.control.stored = replace(setup.control.stored, pause=Pause(START))
    assert setup.probe().state is BrakeState.HALF_OPEN
    assert setup.control.stored.pause == Pause(START)


# Asking for the probe


def test_a_queue_that_takes_no_probe_leaves_it_to_the_reconciler():
    setup = Setup()
    setup.gateway.healthy, setup.queue.down = False, True
    setup.probe()
    assert [event for event, _, _ in setup.telemetry.failures] == ["queue"]
    setup.queue.down = False
    setup.clock.now = setup.brake.next_try + PROBE_LATE - timedelta(milliseconds=1)
    setup.braking.probes.ask_if_late(setup.brake)
    assert setup.queue.probes == []
    setup.clock.advance(0.001)
    setup.braking.probes.ask_if_late(setup.brake)
    assert setup.queue.probes == [0.0]


@pytest.mark.parametrize("brake", [OPEN, HALF_OPEN], ids=lambda one: one.state)
def test_no_probe_is_asked_for_unless_the_brake_is_shut(brake):
    setup = Setup(now=DUE + timedelta(days=1))
    setup.braking.probes.ask_if_late(brake)
    assert setup.queue.probes == []


def test_the_longest_pause_fits_into_the_queue():
    setup = Setup(replace(HOLDING, pauses=9))
    setup.gateway.healthy = False
    setup.probe()
    assert setup.queue.probes == [900.0]


# Permits


def test_a_permit_is_taken_once():
    setup = Setup(HALF_OPEN, START)
    assert setup.braking.permit() == Permit(START, 1)
    assert setup.another_worker().permit() is None


def test_while_it_is_open_there_are_no_permits_and_nothing_is_written():
    setup = Setup(OPEN)
    assert setup.braking.permit() is None
    assert setup.control.writes == 0


def test_a_permit_that_cannot_be_taken_is_an_error():
    setup = Setup(HALF_OPEN, START)
    setup.control.down = True
    with pytest.raises(StoreUnavailable):
        setup.braking.permit()


def test_two_answers_at_once_count_both():
    setup = Setup(replace(HALF_OPEN, half_open_size=2, half_open_taken=2), START)
    permit, place = Permit(START, 2), Place(START.date(), 1)

    def other_answer(stored):
        clear = replace(stored.brake, half_open_clear=1)
        return replace(stored, brake=clear, version=stored.version + 1)

    setup.control.overtaken_by = [other_answer]
    setup.braking.answered(CallOutcome.ACCEPTED, place, permit)
    assert setup.brake.half_open_size == 4
