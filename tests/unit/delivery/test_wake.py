"""Messages that were held back are handed over when what held them has ended, oldest first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openvoip_sms.delivery.braking import Probes
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.delivery.wake import BATCH, SECONDS_KEPT, Waking
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import PERMIT_LEASE, Brake, BrakeState
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.sending import Pause, Sending, with_brake
from tests.fakes import (
    START,
    FakeClock,
    FakeControl,
    FakeHeldMessages,
    FakeQueue,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
    FakeUsage,
)
from tests.records import sending, waiting

POLICY = Policy(default_sender="Bottega", live=True, daily_segment_limit=10)
MIDNIGHT = datetime(2026, 11, 24, 23, tzinfo=UTC)  # in Rome
HOLDING = Brake(BrakeState.HOLDING, START, next_try=START + timedelta(seconds=30))


def half_open(size, taken=0):
    return Brake(
        BrakeState.HALF_OPEN,
        START,
        half_open_since=START,
        half_open_size=size,
        half_open_taken=taken,
    )


def held(number, reason=Reason.PAUSED, until=None, **fields):
    created = START - timedelta(hours=1) + timedelta(seconds=number)
    record = waiting(**{"id": f"m-{number}", "created_at": created, "segments": 1} | fields)
    return transitions.waiting_for(record, reason, until)


RATE = 10.0  # messages a second


class Setup:
    """A waker on fakes, whose clock moves when it sleeps."""

    def __init__(self, *records, limit=10, state=None):
        self.store, self.clock = FakeStore(*records), FakeClock()
        self.queue, self.usage, self.telemetry = FakeQueue(), FakeUsage(), FakeTelemetry()
        self.control = FakeControl(self.clock, state)
        self.held = FakeHeldMessages(self.store)
        self.policy = replace(POLICY, daily_segment_limit=limit)
        self.left = 280.0
        self.waking = Waking(
            held=self.held,
            store=self.store,
            control=self.control,
            probes=Probes(self.queue, self.telemetry, self.clock),
            usage=self.usage,
            queue=self.queue,
            policy=self.policy,
            clock=self.clock,
            rate=RATE,
            sleep=self.sleep,
        )

    def sleep(self, seconds):
        self.clock.advance(seconds)
        self.left -= seconds

    def run(self, for_each=map):
        def at_once(function, messages):
            return list(for_each(function, messages))

        return self.waking.run(lambda: self.left, at_once)

    def reconcile(self):
        around = self.telemetry, self.policy, self.clock
        enqueuer = Enqueuer(self.store, self.queue, FakeSchedule(), *around)
        reconciler = Reconciler(self.store, enqueuer, self.usage, *around, jitter=lambda: 1.0)
        return reconciler.run(lambda: 60.0)

    def use(self, segments):
        self.usage.reserve(sending(segments=segments), 0)

    @property
    def queued(self):
        return [key for key, _ in self.queue.queued]

    def waits(self, number):
        record = self.store[f"m-{number}"]
        return record.held_by


# What has ended


def test_everything_goes_oldest_first_whatever_held_it():
    reasons = [Reason.DAILY_LIMIT, Reason.PAUSED, Reason.GATEWAY_DOWN, Reason.PAUSED]
    records = [held(n, reason) for n, reason in enumerate(reasons)]
    setup = Setup(*reversed(records))
    assert setup.run() == 4
    assert setup.queued == ["m-0", "m-1", "m-2", "m-3"]
    woken = setup.store["m-0"]
    assert (woken.status, woken.reason, woken.detail, woken.held_until) == (
        "queued",
        None,
        None,
        None,
    )
    assert woken.check_at == transitions.check_after(START, woken.expires_at)


def test_nothing_to_do_costs_no_write():
    setup = Setup(waiting(), waiting(id="m-2", status=Status.SENT))
    assert setup.run() == 0
    assert setup.queue.queued == []
    assert setup.control.writes == 0


def test_while_a_person_has_paused_nothing_goes():
    setup = Setup(held(1), state=Sending(Pause(START), version=1))
    assert setup.run() == 0
    assert setup.waits(1) is Reason.PAUSED


def test_a_pause_is_noticed_though_the_container_knows_of_none():
    setup = Setup(held(1))
    setup.control.current()
    setup.control.stored = Sending(Pause(START), version=1)
    assert setup.run() == 0


def test_while_the_brake_is_shut_nothing_goes_and_a_lost_probe_is_asked_for_again():
    setup = Setup(held(1), state=Sending(brake=HOLDING, version=1))
    assert setup.run() == 0
    assert setup.queue.probes == []
    setup.clock.advance(90)
    assert setup.run() == 0
    assert setup.queue.probes == [0.0]
    assert setup.queued == []


def test_a_brake_that_shuts_during_a_run_ends_it():
    setup = Setup(*(held(n) for n in range(BATCH * 2)), limit=0)
    put_all = setup.queue.put_all

    def shut_after_the_first_batch(ids):
        setup.control.stored = with_brake(setup.control.stored, HOLDING)
        setup.clock.advance(2)
        return put_all(ids)

    setup.queue.put_all = shut_after_the_first_batch
    assert setup.run() == BATCH
    assert setup.waits(BATCH) is Reason.PAUSED


# The day's limit


def test_what_the_day_leaves_goes_and_a_shorter_one_that_fits_overtakes():
    setup = Setup(held(1, segments=2), held(2, segments=4), held(3, segments=2), held(4))
    setup.use(5)
    assert setup.run() == 3
    assert setup.queued == ["m-1", "m-3", "m-4"]
    kept = setup.store["m-2"]
    assert (kept.reason, kept.held_until) == ("daily_limit", MIDNIGHT)
    assert kept.detail.startswith("The day's limit")
    assert kept.check_at == kept.expires_at


def test_what_the_limit_holds_already_is_not_written_again():
    setup = Setup(held(1, Reason.DAILY_LIMIT, MIDNIGHT, segments=4))
    setup.use(8)
    assert setup.run() == 0
    assert setup.store["m-1"].version == 1


def test_after_midnight_the_next_day_has_room_again():
    records = [held(n, Reason.DAILY_LIMIT, MIDNIGHT, segments=4) for n in (1, 2, 3)]
    setup = Setup(*records)
    setup.use(10)
    setup.clock.now = MIDNIGHT
    assert setup.run() == 2
    assert setup.store["m-3"].held_until == MIDNIGHT + timedelta(days=1)


def test_a_raised_limit_lets_what_waits_go():
    setup = Setup(held(1, Reason.DAILY_LIMIT, MIDNIGHT, segments=4), limit=14)
    setup.use(10)
    assert setup.run() == 1


@pytest.mark.parametrize("segments", [1, 1000])
def test_without_a_limit_everything_goes(segments):
    setup = Setup(held(1, Reason.DAILY_LIMIT, MIDNIGHT, segments=segments), limit=0)
    assert setup.run() == 1


# Expired


def test_what_has_expired_is_left_to_the_reconciler_and_takes_no_room():
    setup = Setup(held(1, segments=10, expires_at=START), held(2, segments=10))
    assert setup.run() == 1
    assert setup.queued == ["m-2"]
    assert setup.waits(1) is Reason.PAUSED
    setup.reconcile()
    assert setup.store["m-1"].status is Status.EXPIRED


# A half-open brake


@pytest.mark.parametrize(("taken", "goes"), [(0, 4), (1, 3), (3, 1)])
def test_a_half_open_brake_gets_as_many_messages_as_it_has_permits(taken, goes):
    records = [held(n, Reason.GATEWAY_DOWN) for n in range(9)]
    setup = Setup(*records, state=Sending(brake=half_open(4, taken), version=1))
    assert setup.run() == goes
    assert setup.queued == [f"m-{n}" for n in range(goes)]


def test_a_half_open_brake_without_permits_gets_nothing_until_their_workers_must_be_dead():
    setup = Setup(held(1, Reason.GATEWAY_DOWN), state=Sending(brake=half_open(1, 1), version=1))
    assert setup.run() == 0
    setup.clock.advance(PERMIT_LEASE.total_seconds())
    assert setup.run() == 1


def test_the_first_of_a_half_open_brake_is_none_that_was_in_doubt():
    records = held(1, Reason.GATEWAY_DOWN, maybe_sent=True), held(2, Reason.GATEWAY_DOWN)
    setup = Setup(*records, state=Sending(brake=half_open(1), version=1))
    assert setup.run() == 1
    assert setup.queued == ["m-2"]


def test_a_later_one_may_have_been():
    record = held(1, Reason.GATEWAY_DOWN, maybe_sent=True)
    assert Setup(record, state=Sending(brake=half_open(2), version=1)).run() == 1


def test_a_half_open_brake_gets_nothing_that_could_not_be_sent():
    records = held(1, expires_at=START), held(2, Reason.DAILY_LIMIT, MIDNIGHT), held(3)
    setup = Setup(*records, state=Sending(brake=half_open(1), version=1))
    assert setup.run() == 1
    assert setup.queued == ["m-3"]


# The queue


def test_behind_a_full_queue_no_more_is_woken_than_the_sender_can_do():
    setup = Setup(*(held(n) for n in range(2 * BATCH + 1)), limit=0)
    setup.queue.length = [1000]
    assert setup.run() == 2 * BATCH + 1
    assert setup.clock.now == START + timedelta(seconds=2 * BATCH / RATE)


def test_a_queue_that_is_almost_empty_is_filled_at_once():
    setup = Setup(*(held(n) for n in range(2 * BATCH + 1)), limit=0)
    setup.queue.length = [0, 299]
    assert setup.run() == 2 * BATCH + 1
    assert setup.clock.now == START


def test_a_run_without_time_leaves_the_rest_to_the_next_one():
    setup = Setup(*(held(n) for n in range(BATCH + 1)), limit=0)
    setup.queue.length = [1000]
    setup.left = SECONDS_KEPT + 5.0
    assert setup.run() == BATCH
    assert setup.left == SECONDS_KEPT
    assert setup.waits(BATCH) is Reason.PAUSED


def test_what_the_queue_refuses_is_handed_over_by_the_reconciler_at_once():
    setup = Setup(held(1), held(2), held(3))
    setup.queue.refused = {"m-2"}
    setup.run()
    assert setup.queued == ["m-1", "m-3"]
    refused = setup.store["m-2"]
    assert (refused.held_by, refused.check_at) == (None, START)
    setup.queue.refused = set()
    assert setup.reconcile().queued == 1
    assert setup.queued == ["m-1", "m-3", "m-2"]


def test_a_queue_that_takes_nothing_loses_nothing():
    setup = Setup(held(1), held(2))
    setup.queue.down = True
    setup.run()
    assert [one.check_at for one in setup.store.due(START)] == [START, START]


def test_a_refused_message_that_was_sent_meanwhile_is_left_alone():
    setup = Setup(held(1))

    def sent_and_refused(ids):
        record = setup.store["m-1"]
        sent = transitions.ended(record, Status.SENT, None, START, POLICY, sent_at=START)
        setup.store.replace(record, sent)
        return ids

    setup.queue.put_all = sent_and_refused
    setup.run()
    assert setup.store["m-1"].status is Status.SENT


# Two runs at once


def test_two_runs_at_once_queue_each_message_once():
    setup = Setup(*(held(n) for n in range(5)))
    setup.held.lagging = list(setup.held.oldest_first([Reason.PAUSED]))
    assert setup.run() == 5
    assert setup.run() == 0  # its index still shows them all
    assert setup.queued == [f"m-{n}" for n in range(5)]


def test_what_was_cancelled_meanwhile_is_not_handed_over():
    setup = Setup(held(1))
    setup.held.lagging = list(setup.held.oldest_first([Reason.PAUSED]))
    setup.store.replace(
        setup.store["m-1"], transitions.cancelled(setup.store["m-1"], START, POLICY)
    )
    assert setup.run() == 0
    assert setup.queued == []


def test_a_table_that_does_not_answer_leaves_it_to_the_next_run():
    setup = Setup(held(1))
    setup.store.down = True
    with pytest.raises(StoreUnavailable):
        setup.run()
    setup.store.down = False
    assert setup.run() == 1
