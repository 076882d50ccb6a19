"""Messages in which the sender dies, among others, in the simulated cloud with all its faults."""

from collections import Counter

import pytest

from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.intake.from_queue import QueueIntake
from openvoip_sms.rules.record import Reason, Status
from tests.simulation import faults
from tests.simulation.changes import string
from tests.simulation.dynamodb import COUNTERS
from tests.simulation.run import Run, Setup
from tests.simulation.stage import Crash
from tests.simulation.table import text_of
from tests.simulation.wired import RECIPIENTS

DEADLY = "mortale"
SEEDS = range(15)
RANDOM_DEATHS = {"crash_before_a_call", "crash_after_a_call", "frozen"}


@pytest.fixture(params=["queue", "queue_without_id", "api_async"])
def way(request, monkeypatch):
    """A way in, whose deadly messages kill the sender before it claims them."""
    worlds = []

    def die():
        worlds[-1].process().alive = False
        raise Crash

    class DeadlyRun(Run):
        def __init__(self, setup):
            super().__init__(setup)
            worlds.append(self.world)

    handle, send_stored = QueueIntake.handle, Delivery.send_stored

    def handled(intake, body, *more):
        return die() if DEADLY in body and '"to"' in body else handle(intake, body, *more)

    def sent(delivery, record_id, *more):
        return die() if DEADLY in record_id else send_stored(delivery, record_id, *more)

    monkeypatch.setattr(QueueIntake, "handle", handled)
    monkeypatch.setattr(Delivery, "send_stored", sent)
    return request.param, DeadlyRun


def played(way, seed, rates=None):
    """Three deadly messages among fifty others."""
    name, deadly_run = way
    run = deadly_run(Setup(seed, rates=rates))
    for n in range(3):
        more = {"to": RECIPIENTS[n], "valid_for": 86_400}
        more |= {} if name == "queue_without_id" else {"id": f"{DEADLY}-{n}"}
        send = run.clients.send
        run.world.stage.at(
            100.0 + n, lambda n=n, more=more, send=send: send(f"{DEADLY} {n}", name, **more)
        )
    outcome = run.play()
    assert not outcome.violations, (seed, outcome.violations)
    return run


def interrupted(run):
    """The texts of what was given up: among the dead letters, and on record."""
    dead = [body for body, reason in run.wired.sqs.dead if reason == "interrupted"]
    items = run.wired.dynamodb.table.items
    records = [item for key, item in items.items() if not key.startswith(COUNTERS)]
    failed = [text_of(item) for item in records if string(item, "reason") == Reason.INTERRUPTED]
    return dead, failed


def without_random_deaths(seed):
    return {n: rate for n, rate in faults.all_at_once(seed).items() if n not in RANDOM_DEATHS}


def test_nothing_is_lost_or_sent_twice_whatever_else_goes_wrong(way):
    given_up = [interrupted(played(way, seed)) for seed in SEEDS]
    assert sum(len(dead) + len(failed) for dead, failed in given_up) > len(SEEDS)


def test_only_messages_in_which_the_function_dies_are_given_up(way):
    for seed in SEEDS:
        dead, failed = interrupted(played(way, seed, without_random_deaths(seed)))
        assert all(DEADLY in one for one in dead + failed), seed


def test_where_nothing_else_goes_wrong_the_others_are_sent(way):
    """Only a call that was being made as the function died is unknown: at its first two deaths."""
    for seed in SEEDS:
        run = played(way, seed, rates={})
        dead, failed = interrupted(run)
        assert len(dead) + len(failed) == 3
        items = run.wired.dynamodb.table.items
        others = Counter(
            string(item, "status")
            for key, item in items.items()
            if not key.startswith(COUNTERS) and DEADLY not in text_of(item)
        )
        assert others[Status.UNKNOWN] <= 5
        assert others[Status.FAILED] == others[Status.QUEUED] == 0


def test_without_deaths_none_is_given_up_whatever_goes_wrong():
    for seed in range(60):
        run = Run(Setup(seed, rates=without_random_deaths(seed)))
        run.play()
        assert interrupted(run) == ([], []), seed
