"""The real functions in a world where everything goes wrong: some hundred seeds."""

from collections import Counter
from datetime import timedelta

import pytest

from openvoip_sms.intake import queue_records
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.simulation.faults import EVERY_FAULT, MILD, only
from tests.simulation.run import Run, Setup, simulate
from tests.simulation.traffic import WAYS
from tests.simulation.wired import RECIPIENTS
from tests.simulation.world import START

REPLIES = "accepted accepted_reply_lost cut_before_acceptance generic_error bad_destination".split()
REPLIES += ["security_error", "unreachable", "busy", "misconfigured"]


def held(**setup):
    """The outcome of a run in which all invariants held; else the seed and what happened."""
    outcome = simulate(Setup(**setup))
    if outcome.violations:
        replayed = simulate(Setup(**setup, traced=True))
        about = replayed.violations[0].split(":")[0]
        pytest.fail(f"{setup}\n{replayed.violations[0]}\n{replayed.trace(about)}")
    return outcome


def test_nothing_is_lost_sent_twice_told_or_counted_wrongly_whatever_goes_wrong():
    for seed in range(100):
        held(seed=seed)


def test_with_persons_who_click_twice_no_status_is_false_and_only_they_send_again():
    for seed in range(30):
        held(seed=seed, persons=True)


def test_under_resend_a_double_is_possible_but_no_status_is_false():
    outcomes = [held(seed=seed, resend=True) for seed in range(30)]
    assert sum(outcome.ends["sent again on purpose"] for outcome in outcomes) > 0


def test_persons_under_resend_make_no_status_false():
    for seed in range(15):
        held(seed=seed, resend=True, persons=True)


def test_a_queue_that_gives_up_at_once_loses_nothing():
    """What came too often lies among the dead letters; what has a record comes back by itself."""
    outcomes = [held(seed=seed, max_receives=1) for seed in range(30)]
    assert sum(outcome.ends["dead-lettered"] for outcome in outcomes) > 0


def redrive(run):
    """As SQS does: the same bodies as new messages."""
    dead, run.wired.sqs.dead = run.wired.sqs.dead, []
    for body, _ in dead:
        run.wired.sqs.send(body)


def test_a_redrive_of_the_dead_letters_sends_nothing_twice(monkeypatch):
    """Whatever was dead-lettered, and for whatever reason; also what brought no id of its own."""
    monkeypatch.setattr(queue_records, "MAX_RECEIVES", 1)
    for seed in range(30):
        run = Run(Setup(seed))
        for hours in (1, 2, 3):
            run.world.stage.at(hours * 3600.0, lambda run=run: redrive(run))
        assert not run.play().violations, seed


def test_without_faults_nothing_is_unknown_and_nothing_needs_repair():
    outcomes = [held(seed=seed, rates={}) for seed in range(15)]
    assert sum(outcome.ends[Status.UNKNOWN] + outcome.repairs for outcome in outcomes) == 0
    assert sum(outcome.ends[Status.SENT] for outcome in outcomes) > 600


def test_what_is_told_clearly_never_becomes_unknown():
    """Refusals, outages, repeated deliveries and secrets out of reach: every end is certain."""
    outcomes = [held(seed=seed, rates=only(*MILD)) for seed in range(30)]
    assert sum(outcome.ends[Status.UNKNOWN] for outcome in outcomes) == 0


def test_a_secret_rotated_in_the_middle_of_traffic_loses_and_fails_nothing():
    for seed in range(15):
        outcome = held(seed=seed, rates={"secret_rotated": 1.0})
        assert outcome.faults["secret_rotated"] == 1
        assert not outcome.ends.keys() & {Status.FAILED, Status.UNKNOWN}


@pytest.fixture(scope="module")
def everything():
    """What came of the runs of some seeds together."""
    ends, faults = Counter(), Counter()
    for seed in range(60):
        outcome = held(seed=seed, persons=seed % 3 == 0)
        ends += outcome.ends
        faults += outcome.faults
    return ends, faults


def test_every_fault_really_happens(everything):
    _, faults = everything
    assert +faults >= Counter(EVERY_FAULT.keys())


def test_what_is_not_counted_is_what_nobody_could_count(everything):
    """Its process died, or the answer to its write got lost.

    Where two do the same at the same moment, both count it.
    """
    ends, _ = everything
    not_counted = sum(ends[f"Sent, not counted: {why}"] for why in ("died", "answer lost"))
    by_two = ends["Sent, counted by two"]
    assert ends["Sent, counted"] == ends["sent"] - not_counted + by_two
    assert 0 < not_counted < ends["sent"] / 50
    assert by_two < ends["sent"] / 500


def test_low_limits_suppress_messages_and_lose_none(everything):
    ends, _ = everything
    assert ends["suppressed by a limit"] > 20


def test_the_same_seed_is_the_same_history():
    first, second = (simulate(Setup(7, traced=True)).history for _ in range(2))
    assert len(first) > 100
    assert first == second
    assert first != simulate(Setup(8, traced=True)).history


def alone(way, reply, dies_at=None):
    """One message, one reply of the gateway, and perhaps one death at a given point."""
    run = Run(Setup(1, messages=0, rates={}, dies_at=dies_at))
    run.wired.gateway.script = [reply]
    when = {"send_at": to_rfc3339(START + timedelta(minutes=20))} if way == "scheduled" else {}
    run.clients.send("Prova", way, to=RECIPIENTS[0], id="id-1", **when)
    return run.play()


@pytest.mark.parametrize("way", WAYS)
def test_a_death_at_any_single_point_breaks_no_promise(way):
    """Before and after every call that leaves a process, for each reply of the gateway."""
    for reply in REPLIES:
        points = alone(way, reply).points
        for point in range(1, points + 1):
            outcome = alone(way, reply, point)
            assert not outcome.violations, (reply, point, outcome.violations)
            assert outcome.faults.total() == 1
