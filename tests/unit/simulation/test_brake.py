"""The gateway's answers are unclear: doubts stay within the bound, all others go out after."""

import pytest

from openvoip_sms.adapters import control
from openvoip_sms.adapters.usage import DynamoUsage
from openvoip_sms.delivery.braking import Braking
from openvoip_sms.delivery.call import GatewayCall
from openvoip_sms.delivery.wake import Waking
from openvoip_sms.rules import brake
from openvoip_sms.rules.record import Status
from tests.simulation.gateway import UNCLEAR, Unwell
from tests.simulation.run import Setup, simulate
from tests.simulation.unwell import unwell_time

MINUTES, HOURS = 300.0, 12 * 3600.0
ANSWERS = [(answer,) for answer in UNCLEAR] + [UNCLEAR]


def bound(found):
    """Ten a shutting and what was in flight; what it had let through while half open."""
    return 10 * found.shut + found.in_flight + found.at_stake


@pytest.mark.parametrize("answers", ANSWERS, ids="+".join)
@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("seconds", [MINUTES, HOURS])
@pytest.mark.parametrize("probes", [True, False])
def test_doubts_stay_within_the_bound_and_all_others_go_out(answers, share, seconds, probes):
    """Also where a probe is answered well and the messages are not."""
    found = unwell_time(1, 200, Unwell(0.0, seconds, share, answers, probes), later=20)
    ends = found.outcome.ends
    assert not found.outcome.violations
    assert 5 <= found.doubts <= bound(found)
    assert ends[Status.UNKNOWN] == found.doubts
    assert ends[Status.SENT] == 220 - found.doubts


def test_a_thousand_waiting_messages_cost_no_more_doubts_than_a_hundred():
    found = unwell_time(2, 1000, Unwell(0.0, HOURS, 1.0, UNCLEAR), later=100)
    assert not found.outcome.violations
    assert found.shut == 1
    assert found.failed == 0
    assert 5 <= found.doubts <= 10 + found.in_flight
    assert found.outcome.ends[Status.SENT] == 1100 - found.doubts


def test_the_pauses_grow_to_a_quarter_of_an_hour():
    """30 s, 1, 2, 4 and 8 minutes, then 15: in 12 hours about 52 probes."""
    found = unwell_time(3, 100, Unwell(0.0, HOURS, 1.0, UNCLEAR))
    assert 48 <= found.probes <= 54


def test_a_gateway_that_answers_clearly_is_never_held_back():
    found = unwell_time(4, 200, Unwell(), later=20)
    assert (found.shut, found.probes, found.doubts) == (0, 0, 0)


def test_refusals_and_busy_replies_count_neither_way():
    mixed = ("unreachable", "busy", "misconfigured", "generic_error", "server_error")
    found = unwell_time(5, 200, Unwell(0.0, MINUTES, 1.0, mixed))
    assert not found.outcome.violations
    assert found.shut == 1
    assert found.doubts <= bound(found)


# ---- Mutations: each safeguard that is taken out is noticed -----------------------------------


def exceeds_the_bound():
    found = unwell_time(1, 200, Unwell(0.0, HOURS, 1.0, ("server_error",), probes=False), later=20)
    return found.doubts > bound(found) or bool(found.outcome.violations)


def test_the_service_as_it_is_stays_within_the_bound():
    assert not exceeds_the_bound()


def test_a_brake_that_never_shuts_is_noticed(monkeypatch):
    monkeypatch.setattr(brake, "unclear_answer", lambda before, *_: before)
    found = unwell_time(1, 200, Unwell(0.0, HOURS, 1.0, ("server_error",)))
    assert found.doubts == 200


def test_a_half_open_brake_without_permits_is_noticed(monkeypatch):
    monkeypatch.setattr(brake, "FIRST_STEP", 1000)
    found = unwell_time(1, 200, Unwell(0.0, HOURS, 1.0, ("server_error",), probes=False), later=20)
    assert found.doubts > 10 * found.shut + found.in_flight + found.failed


def test_a_brake_that_is_looked_at_once_is_noticed(monkeypatch):
    monkeypatch.setattr(control.DynamoControl, "fresh", lambda _: control.Sending())
    assert exceeds_the_bound()


def test_a_gateway_that_is_never_probed_is_noticed(monkeypatch):
    monkeypatch.setattr(Braking, "probe", lambda *_: None)
    found = unwell_time(1, 100, Unwell(0.0, MINUTES, 1.0, ("server_error",)))
    assert found.outcome.ends[Status.EXPIRED] > 50


def test_messages_that_nobody_wakes_are_noticed(monkeypatch):
    monkeypatch.setattr(Waking, "run", lambda *_: 0)
    found = unwell_time(1, 100, Unwell(0.0, MINUTES, 1.0, ("server_error",)))
    assert found.outcome.ends[Status.EXPIRED] > 50


def notices(sentence, **setup):
    runs = (simulate(Setup(seed, **setup)) for seed in range(60))
    return any(sentence in violation for run in runs for violation in run.violations)


def test_a_switch_that_is_not_looked_at_again_before_the_call_is_noticed(monkeypatch):
    monkeypatch.setattr(GatewayCall, "_held_back", lambda *_: None)
    assert notices("called while", rates={"sending_paused": 1.0, "frozen": 0.2})


def test_a_limit_without_its_condition_is_noticed(monkeypatch):
    real = DynamoUsage.reserve
    monkeypatch.setattr(DynamoUsage, "reserve", lambda usage, of, _limit: real(usage, of, 0))
    assert notices("beyond the day's limit", rates={"low_daily_limit": 1.0})


def test_a_call_that_is_not_counted_is_noticed(monkeypatch):
    monkeypatch.setattr(
        GatewayCall, "_last_look", lambda call, ours, *_: call.usage.give_back(ours)
    )
    assert notices("counted", rates={"low_daily_limit": 1.0})


def test_segments_given_back_of_a_message_in_doubt_are_noticed(monkeypatch):
    monkeypatch.setattr(DynamoUsage, "add_uncertain", DynamoUsage.give_back)
    assert notices("counted", rates={"server_error": 0.3, "cut_before_acceptance": 0.3})


def test_segments_that_are_never_given_back_are_noticed(monkeypatch):
    monkeypatch.setattr(DynamoUsage, "give_back", lambda *_: None)
    assert notices("segments too many", rates={"generic_error": 0.3})
