"""Accepting is storing; queueing may fail."""

from datetime import timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.transitions import GRACE
from tests.fakes import START, FakeClock, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry
from tests.records import waiting

POLICY = Policy(default_sender="Bottega", live=True)


@pytest.fixture
def enqueuer():
    return Enqueuer(FakeStore(), FakeQueue(), FakeSchedule(), FakeTelemetry(), POLICY, FakeClock())


def later(**ahead):
    due = START + timedelta(**ahead)
    return waiting(status=Status.SCHEDULED, send_at=due, expires_at=due + timedelta(hours=24))


def test_a_message_is_stored_and_then_queued(enqueuer):
    accepted = enqueuer.enqueue(waiting())
    assert accepted.record == enqueuer.store["m-1"]
    assert enqueuer.queue.queued == [("m-1", 0.0)]
    assert enqueuer.store["m-1"].check_at == START + GRACE
    assert [one.status for one in enqueuer.telemetry.changes] == ["queued"]


@pytest.mark.parametrize("record", [waiting(), later(days=3)])
def test_a_hand_over_that_failed_is_done_when_the_call_is_repeated(enqueuer, record):
    enqueuer.queue.down = enqueuer.schedule.down = True
    enqueuer.enqueue(record)
    enqueuer.queue.down = enqueuer.schedule.down = False
    enqueuer.clock.advance(0.001)
    accepted = enqueuer.enqueue(record)
    assert (accepted.repeated, accepted.conflict) == (True, False)
    assert [*enqueuer.queue.queued, *enqueuer.schedule.at] in ([("m-1", 0.0)], ["m-1"])
    assert len(enqueuer.telemetry.duplicates) == 1


@pytest.mark.parametrize(
    "stored",
    [
        waiting(check_at=START + timedelta(seconds=1)),
        waiting(status=Status.SENT),
        waiting(fingerprint="other", check_at=START),
    ],
)
def test_what_was_handed_over_is_final_or_another_message_is_not_queued_again(enqueuer, stored):
    enqueuer.store.records["m-1"] = stored
    enqueuer.enqueue(waiting())
    assert enqueuer.queue.queued == []


@pytest.mark.parametrize("record", [waiting(), later(days=3)])
def test_a_hand_over_that_failed_is_due_at_once_for_the_reconciler(enqueuer, record):
    enqueuer.queue.down = enqueuer.schedule.down = True
    enqueuer.enqueue(record)
    assert enqueuer.store["m-1"].check_at == START


@pytest.mark.parametrize(
    ("valid", "grace"),
    [
        (timedelta(seconds=10), timedelta(minutes=1)),
        (timedelta(minutes=12), timedelta(minutes=4)),
        (timedelta(hours=24), GRACE),
    ],
)
def test_what_was_never_handed_over_is_found_before_a_short_validity_ends(enqueuer, valid, grace):
    enqueuer.enqueue(waiting(expires_at=START + valid))
    assert enqueuer.store["m-1"].check_at == START + grace


def test_a_repeated_message_is_answered_with_the_stored_record(enqueuer):
    enqueuer.store.records["m-1"] = waiting(status=Status.SENT, version=3)
    assert enqueuer.enqueue(waiting()).record.status is Status.SENT


def test_the_same_id_with_other_content_is_a_conflict(enqueuer):
    enqueuer.enqueue(waiting())
    accepted = enqueuer.enqueue(waiting(fingerprint="other"))
    assert (accepted.conflict, accepted.repeated) == (True, False)


def test_a_message_for_soon_is_delayed_by_the_queue(enqueuer):
    enqueuer.enqueue(later(minutes=15))
    assert enqueuer.queue.queued == [("m-1", 900.0)]
    assert enqueuer.schedule.at == {}


def test_a_message_for_later_is_scheduled(enqueuer):
    enqueuer.enqueue(later(minutes=16))
    assert enqueuer.queue.queued == []
    assert enqueuer.schedule.at == {"m-1": START + timedelta(minutes=16)}
    assert enqueuer.store["m-1"].check_at == START + timedelta(minutes=16) + GRACE


@pytest.mark.parametrize("record", [waiting(), later(days=3)])
def test_a_hand_over_that_fails_loses_nothing(enqueuer, record):
    enqueuer.queue.down = enqueuer.schedule.down = True
    accepted = enqueuer.enqueue(record)
    assert accepted.record.status is record.status
    assert enqueuer.store["m-1"].check_at is not None
    assert [event for event, _, _ in enqueuer.telemetry.failures] == ["hand_over"]


def test_without_the_table_nothing_is_accepted(enqueuer):
    enqueuer.store.down = True
    with pytest.raises(StoreUnavailable):
        enqueuer.enqueue(waiting())
    assert enqueuer.queue.queued == []


def test_a_write_whose_response_was_lost_is_left_to_the_reconciler(enqueuer):
    enqueuer.store.lost_responses = 1
    with pytest.raises(StoreUnavailable):
        enqueuer.enqueue(waiting())
    assert enqueuer.queue.queued == []
    assert enqueuer.store["m-1"].check_at is not None


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (waiting(status=Status.REJECTED), "rejected"),
        (waiting(expires_at=START), "expired"),
    ],
)
def test_what_cannot_be_sent_is_stored_and_not_queued(enqueuer, record, status):
    assert enqueuer.enqueue(record).record.status == status
    assert enqueuer.store["m-1"].check_at is None
    assert enqueuer.queue.queued == []


def test_a_delay_longer_than_the_queue_allows_is_scheduled(enqueuer):
    """A gateway may ask for hours (Retry-After)."""
    assert enqueuer.hand_over(waiting(), 3600.0)
    assert enqueuer.queue.queued == []
    assert enqueuer.schedule.at == {"m-1": START + timedelta(hours=1)}


def test_a_short_delay_is_left_to_the_queue(enqueuer):
    assert enqueuer.hand_over(waiting(), 120.0)
    assert enqueuer.queue.queued == [("m-1", 120.0)]


def test_a_time_in_the_past_causes_no_delay(enqueuer):
    enqueuer.enqueue(waiting(send_at=START - timedelta(hours=1)))
    assert enqueuer.queue.queued == [("m-1", 0.0)]
