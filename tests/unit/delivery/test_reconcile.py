"""Messages that were stored and never queued, claimed and never recorded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import StoreUnavailable, UnreadableRecord
from openvoip_sms.delivery.reconcile import ReconcileCounts, Reconciler
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.transitions import GRACE, LEASE, MIN_GRACE
from tests.fakes import (
    START,
    FakeClock,
    FakeQueue,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
    FakeUsage,
)
from tests.records import sending, waiting

POLICY = Policy(default_sender="Bottega", live=True)


@pytest.fixture
def reconciler():
    store, telemetry, clock = FakeStore(), FakeTelemetry(), FakeClock()
    enqueuer = Enqueuer(store, FakeQueue(), FakeSchedule(), telemetry, POLICY, clock)
    return Reconciler(store, enqueuer, FakeUsage(), telemetry, POLICY, clock, jitter=lambda: 1.0)


def put(reconciler, *records):
    reconciler.store.records.update({record.id: record for record in records})


def run(reconciler, left=60.0):
    return reconciler.run(lambda: left)


def test_nothing_to_do_costs_nothing(reconciler):
    put(reconciler, waiting(check_at=START + timedelta(seconds=1)), waiting(id="m-2"))
    assert run(reconciler) == ReconcileCounts()
    assert reconciler.store.history == []


def test_what_was_stored_and_never_queued_is_queued(reconciler):
    put(reconciler, waiting(check_at=START))
    assert run(reconciler) == ReconcileCounts(queued=1)
    assert reconciler.enqueuer.queue.queued == [("m-1", 0.0)]
    assert reconciler.store["m-1"].reason == "requeued"
    assert reconciler.store["m-1"].check_at == START + GRACE


def test_what_was_never_scheduled_is_queued_late_rather_than_never(reconciler):
    due = waiting(status=Status.SCHEDULED, send_at=START - GRACE, check_at=START)
    put(reconciler, due)
    assert run(reconciler) == ReconcileCounts(queued=1)
    assert reconciler.store["m-1"].status is Status.QUEUED


def test_a_schedule_that_was_never_made_is_made(reconciler):
    due = START + timedelta(days=2)
    put(reconciler, waiting(status=Status.SCHEDULED, send_at=due, check_at=START))
    assert run(reconciler) == ReconcileCounts(queued=1)
    assert reconciler.enqueuer.schedule.at == {"m-1": due}
    stored = reconciler.store["m-1"]
    assert (stored.status, stored.reason, stored.check_at) == ("scheduled", None, due + MIN_GRACE)
    assert run(reconciler) == ReconcileCounts()


def test_a_hand_over_that_fails_again_is_done_by_the_next_run(reconciler):
    put(reconciler, waiting(check_at=START))
    reconciler.enqueuer.queue.down = True
    run(reconciler)
    reconciler.enqueuer.queue.down = False
    reconciler.clock.advance(1)
    assert run(reconciler) == ReconcileCounts(queued=1)
    assert reconciler.enqueuer.queue.queued == [("m-1", 0.0)]


def test_a_record_that_becomes_unreadable_during_a_run_stops_no_other(reconciler):
    put(reconciler, *(waiting(id=f"m-{n}", check_at=START) for n in range(3)))
    write = reconciler.store.replace

    def replaced(old, new):
        if old.id == "m-1":
            raise UnreadableRecord("m-1", {}, "status")
        return write(old, new)

    reconciler.store.replace = replaced
    assert run(reconciler) == ReconcileCounts(queued=2)
    assert [key for key, _ in reconciler.enqueuer.queue.queued] == ["m-0", "m-2"]


def test_a_record_that_causes_an_error_stops_no_other(reconciler):
    """Damage may make one: a validity up to the last moment that can be calculated with."""
    last = datetime.max.replace(tzinfo=UTC)
    reconciler = replace(reconciler, policy=replace(POLICY, resend_unknown=True))
    put(
        reconciler,
        sending(id="m-0", check_at=START, attempts=None),
        sending(id="m-1", check_at=START, expires_at=last),
        waiting(id="m-2", check_at=START),
    )
    assert run(reconciler) == ReconcileCounts(queued=1, leases_expired=1)
    assert [type(one) for one in reconciler.telemetry.unhandled] == [TypeError]
    assert [key for key, _ in reconciler.enqueuer.queue.queued] == ["m-1", "m-2"]


def test_a_message_that_expired_unnoticed_is_marked_expired(reconciler):
    put(reconciler, waiting(check_at=START, expires_at=START))
    assert run(reconciler) == ReconcileCounts(ended=1)
    assert reconciler.store["m-1"].status is Status.EXPIRED
    assert reconciler.enqueuer.queue.queued == []
    assert [one.status for one in reconciler.telemetry.changes] == ["expired"]


def test_an_expired_lease_becomes_unknown(reconciler):
    put(reconciler, sending(check_at=START))
    assert run(reconciler) == ReconcileCounts(leases_expired=1)
    assert reconciler.store["m-1"].status is Status.UNKNOWN
    assert reconciler.enqueuer.queue.queued == []


def test_an_expired_lease_is_queued_again_with_resend_unknown(reconciler):
    reconciler = replace(reconciler, policy=replace(POLICY, resend_unknown=True))
    put(reconciler, sending(check_at=START))
    assert run(reconciler) == ReconcileCounts(leases_expired=1)
    assert reconciler.store["m-1"].status is Status.QUEUED
    assert reconciler.enqueuer.queue.queued == [("m-1", 2.0)]


def test_a_current_lease_is_not_touched(reconciler):
    put(reconciler, sending())
    reconciler.clock.advance(LEASE.total_seconds() - 1)
    assert run(reconciler) == ReconcileCounts()


def test_two_runs_at_once_queue_each_message_once(reconciler):
    put(reconciler, *(waiting(id=f"m-{n}", check_at=START) for n in range(5)))
    one_by_one = reconciler.store.due

    def other_run_first(now):
        reconciler.store.due = one_by_one
        stale = list(one_by_one(now))
        run(reconciler)
        reconciler.clock.advance(0.001)
        return stale

    reconciler.store.due = other_run_first
    assert run(reconciler) == ReconcileCounts()
    assert sorted(key for key, _ in reconciler.enqueuer.queue.queued) == [
        f"m-{n}" for n in range(5)
    ]


def test_a_second_run_finds_nothing(reconciler):
    put(reconciler, waiting(check_at=START), sending(id="m-2", check_at=START))
    assert run(reconciler) == ReconcileCounts(queued=1, leases_expired=1)
    assert run(reconciler) == ReconcileCounts()


def test_an_unavailable_queue_is_tried_again_later(reconciler):
    put(reconciler, waiting(check_at=START))
    reconciler.enqueuer.queue.down = True
    run(reconciler)
    assert [event for event, _, _ in reconciler.telemetry.failures] == ["hand_over"]
    reconciler.enqueuer.queue.down = False
    reconciler.clock.advance(GRACE.total_seconds())
    assert run(reconciler) == ReconcileCounts(queued=1)
    assert reconciler.enqueuer.queue.queued == [("m-1", 0.0)]


def test_a_run_stops_in_time_and_the_next_continues(reconciler):
    put(reconciler, *(waiting(id=f"m-{n}", check_at=START) for n in range(5)))
    seconds = iter([60.0, 60.0, 9.0])
    assert reconciler.run(lambda: next(seconds)) == ReconcileCounts(queued=2)
    assert run(reconciler) == ReconcileCounts(queued=3)


def test_a_table_that_does_not_answer_leaves_the_rest_to_the_next_run(reconciler):
    reconciler.store.down = True
    with pytest.raises(StoreUnavailable):
        run(reconciler)
