"""What was stored and never queued, claimed and never recorded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.delivery.reconcile import ReconcileCounts, Reconciler
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.transitions import GRACE, LEASE
from tests.fakes import START, FakeClock, FakeQueue, FakeStore, FakeTelemetry
from tests.records import sending, waiting

POLICY = Policy(default_sender="Bottega", live=True)


@pytest.fixture
def night_watch():
    return Reconciler(
        FakeStore(), FakeQueue(), FakeTelemetry(), POLICY, FakeClock(), jitter=lambda: 1.0
    )


def put(watch, *records):
    watch.store.records.update({record.id: record for record in records})


def run(watch, left=60.0):
    return watch.run(lambda: left)


def test_nothing_to_do_costs_nothing(night_watch):
    put(night_watch, waiting(check_at=START + timedelta(seconds=1)), waiting(id="m-2"))
    assert run(night_watch) == ReconcileCounts()
    assert night_watch.store.history == []


def test_what_was_stored_and_never_queued_is_queued(night_watch):
    put(night_watch, waiting(check_at=START))
    assert run(night_watch) == ReconcileCounts(queued=1)
    assert night_watch.queue.put_in == [("m-1", 0.0)]
    assert night_watch.store["m-1"].reason == "requeued"
    assert night_watch.store["m-1"].check_at == START + GRACE


def test_what_was_never_scheduled_is_queued_late_rather_than_never(night_watch):
    due = waiting(status=Status.SCHEDULED, send_at=START - GRACE, check_at=START)
    put(night_watch, due)
    assert run(night_watch) == ReconcileCounts(queued=1)
    assert night_watch.store["m-1"].status is Status.QUEUED


def test_a_message_that_expired_unnoticed_is_marked_expired(night_watch):
    put(night_watch, waiting(check_at=START, expires_at=START))
    assert run(night_watch) == ReconcileCounts(ended=1)
    assert night_watch.store["m-1"].status is Status.EXPIRED
    assert night_watch.queue.put_in == []
    assert [one.status for one in night_watch.telemetry.changes] == ["expired"]


def test_an_expired_lease_becomes_unknown(night_watch):
    put(night_watch, sending(check_at=START))
    assert run(night_watch) == ReconcileCounts(leases_expired=1)
    assert night_watch.store["m-1"].status is Status.UNKNOWN
    assert night_watch.queue.put_in == []


def test_an_expired_lease_is_queued_again_with_resend_unknown(night_watch):
    night_watch = replace(night_watch, policy=replace(POLICY, resend_unknown=True))
    put(night_watch, sending(check_at=START))
    assert run(night_watch) == ReconcileCounts(leases_expired=1)
    assert night_watch.store["m-1"].status is Status.QUEUED
    assert night_watch.queue.put_in == [("m-1", 2.0)]


def test_a_current_lease_is_not_touched(night_watch):
    put(night_watch, sending())
    night_watch.clock.forward(LEASE.total_seconds() - 1)
    assert run(night_watch) == ReconcileCounts()


def test_two_runs_at_once_queue_each_message_once(night_watch):
    put(night_watch, *(waiting(id=f"m-{n}", check_at=START) for n in range(5)))
    one_by_one = night_watch.store.due

    def other_run_first(now):
        night_watch.store.due = one_by_one
        stale = list(one_by_one(now))
        run(night_watch)
        night_watch.clock.forward(0.001)
        return stale

    night_watch.store.due = other_run_first
    assert run(night_watch) == ReconcileCounts()
    assert sorted(key for key, _ in night_watch.queue.put_in) == [f"m-{n}" for n in range(5)]


def test_a_second_run_finds_nothing(night_watch):
    put(night_watch, waiting(check_at=START), sending(id="m-2", check_at=START))
    assert run(night_watch) == ReconcileCounts(queued=1, leases_expired=1)
    assert run(night_watch) == ReconcileCounts()


def test_an_unavailable_queue_is_tried_again_later(night_watch):
    put(night_watch, waiting(check_at=START))
    night_watch.queue.down = True
    run(night_watch)
    assert [event for event, _, _ in night_watch.telemetry.failures] == ["hand_over"]
    night_watch.queue.down = False
    night_watch.clock.forward(GRACE.total_seconds())
    assert run(night_watch) == ReconcileCounts(queued=1)
    assert night_watch.queue.put_in == [("m-1", 0.0)]


def test_a_run_stops_in_time_and_the_next_continues(night_watch):
    put(night_watch, *(waiting(id=f"m-{n}", check_at=START) for n in range(5)))
    seconds = iter([60.0, 60.0, 9.0])
    assert night_watch.run(lambda: next(seconds)) == ReconcileCounts(queued=2)
    assert run(night_watch) == ReconcileCounts(queued=3)


def test_a_table_that_does_not_answer_leaves_the_rest_to_the_next_run(night_watch):
    night_watch.store.down = True
    with pytest.raises(StoreUnavailable):
        run(night_watch)
