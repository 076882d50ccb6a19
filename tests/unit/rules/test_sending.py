"""What holds all messages back: a person's switch, and the brake."""

from dataclasses import replace
from datetime import timedelta

from openvoip_sms.rules.brake import PERMIT_LEASE, Brake, BrakeState
from openvoip_sms.rules.record import Reason
from openvoip_sms.rules.sending import Pause, Sending, with_brake, with_pause
from tests.fakes import START

HOLDING = Brake(BrakeState.HOLDING, START, next_try=START + timedelta(seconds=30))
HALF_OPEN = Brake(BrakeState.HALF_OPEN, START, half_open_since=START, half_open_size=1)


def test_nothing_holds_messages_back_while_the_brake_is_open_and_the_switch_is_on():
    assert Sending().held_by(START) is None


def test_the_switch_goes_before_the_brake():
    assert Sending(Pause(START), HOLDING).held_by(START) is Reason.PAUSED
    assert Sending(None, HOLDING).held_by(START) is Reason.GATEWAY_DOWN


def test_a_half_open_brake_holds_back_what_it_has_no_permit_for():
    used = replace(HALF_OPEN, half_open_taken=1)
    assert Sending(None, HALF_OPEN).held_by(START) is None
    assert Sending(None, used).held_by(START) is Reason.GATEWAY_DOWN
    assert Sending(None, used).held_by(START + PERMIT_LEASE) is None
    assert Sending(Pause(START), HALF_OPEN).held_by(START) is Reason.PAUSED


def test_each_change_is_a_new_version_and_what_changes_nothing_is_none():
    paused = with_pause(Sending(), Pause(START, "guasto", "Anna"))
    assert (paused.version, with_pause(paused, paused.pause)) == (1, paused)
    both = with_brake(paused, HOLDING)
    assert (both.version, both.pause, with_brake(both, HOLDING)) == (2, paused.pause, both)
    assert with_pause(both, None) == Sending(None, HOLDING, 3)
