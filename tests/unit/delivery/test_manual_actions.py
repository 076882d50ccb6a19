"""A person's manual_actions, safe under double clicks."""

from datetime import timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.manual_actions import ManualActions
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from tests.fakes import START, FakeClock, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry
from tests.records import sending, waiting

POLICY = Policy(default_sender="Bottega", live=True)
TOMORROW = START + timedelta(days=1)


@pytest.fixture
def desk():
    """The manual_actions, with their ways out in reach."""
    store, telemetry, clock = FakeStore(), FakeTelemetry(), FakeClock()
    schedule = FakeSchedule()
    enqueuer = Enqueuer(store, FakeQueue(), schedule, telemetry, POLICY, clock)
    return ManualActions(store, enqueuer, schedule, telemetry, POLICY, clock)


def queued(desk):
    return [key for key, _ in desk.enqueuer.queue.put_in]


def put(desk, record):
    desk.store.records[record.id] = record


@pytest.mark.parametrize("act", ["cancel", "resend", "confirm"])
def test_no_action_completes_on_a_message_that_does_not_exist(desk, act):
    decided = getattr(desk, act)("m-1")
    assert (decided.record, decided.completed) == (None, False)


def test_a_waiting_message_is_cancelled_and_a_second_click_changes_nothing(desk):
    put(desk, waiting())
    manual_actions = [desk.cancel("m-1"), desk.cancel("m-1")]
    assert [(one.completed, one.record.status) for one in manual_actions] == [
        (True, "cancelled")
    ] * 2
    assert desk.store["m-1"].version == 2
    assert len(desk.telemetry.changes) == 1


def test_a_scheduled_message_is_cancelled_with_its_schedule(desk):
    desk.enqueuer.enqueue(waiting(status=Status.SCHEDULED, send_at=TOMORROW))
    assert desk.cancel("m-1").completed
    assert desk.schedule.at == {}


def test_a_schedule_that_cannot_be_removed_does_not_undo_a_cancel(desk):
    put(desk, waiting(status=Status.SCHEDULED, send_at=TOMORROW))
    desk.schedule.down = True
    assert desk.cancel("m-1").completed
    assert [event for event, _, _ in desk.telemetry.failures] == ["schedule"]


@pytest.mark.parametrize("status", ["sent", "unknown", "failed", "rejected", "expired"])
def test_what_has_ended_cannot_be_cancelled(desk, status):
    put(desk, waiting(status=Status(status)))
    decided = desk.cancel("m-1")
    assert (decided.completed, decided.record.status) == (False, status)


def test_what_is_being_sent_cannot_be_cancelled(desk):
    put(desk, sending())
    assert not desk.cancel("m-1").completed
    assert desk.store["m-1"] == sending()


@pytest.mark.parametrize("status", ["unknown", "failed", "expired"])
def test_resend_queues_once_however_often_it_is_clicked(desk, status):
    put(desk, waiting(status=Status(status)))
    manual_actions = [desk.resend("m-1") for _ in range(3)]
    assert [one.completed for one in manual_actions] == [True, False, False]
    assert manual_actions[0].record.reason == "resent_by_person"
    assert queued(desk) == ["m-1"]


def test_of_two_resends_at_the_same_moment_one_completes(desk):
    put(desk, waiting(status=Status.UNKNOWN))
    read = desk.store.get

    def other_click(record_id):
        record = read(record_id)
        desk.store.get = read
        assert desk.resend(record_id).completed
        desk.clock.forward(0.001)
        return record

    desk.store.get = other_click
    assert not desk.resend("m-1").completed
    assert queued(desk) == ["m-1"]


def test_a_resend_whose_hand_over_fails_is_left_to_the_reconciler(desk):
    put(desk, waiting(status=Status.UNKNOWN))
    desk.enqueuer.queue.down = True
    assert desk.resend("m-1").completed
    assert desk.store["m-1"].check_at == START + transitions.GRACE


def test_what_was_scheduled_long_ago_goes_out_at_once_when_it_is_sent_again(desk):
    put(desk, waiting(status=Status.EXPIRED, send_at=START - timedelta(days=2)))
    assert desk.resend("m-1").record.expires_at == TOMORROW
    assert desk.enqueuer.queue.put_in == [("m-1", 0.0)]


def test_confirm_says_sent_once(desk):
    put(desk, waiting(status=Status.UNKNOWN))
    manual_actions = [desk.confirm("m-1"), desk.confirm("m-1")]
    assert [one.completed for one in manual_actions] == [True, False]
    assert manual_actions[1].record.status is Status.SENT
    assert queued(desk) == []


def test_confirm_and_resend_at_the_same_moment_do_not_both_complete(desk):
    put(desk, waiting(status=Status.UNKNOWN))
    read = desk.store.get

    def confirmed_meanwhile(record_id):
        record = read(record_id)
        desk.store.get = read
        assert desk.confirm(record_id).completed
        return record

    desk.store.get = confirmed_meanwhile
    assert not desk.resend("m-1").completed
    assert desk.store["m-1"].status is Status.SENT
    assert queued(desk) == []


@pytest.mark.parametrize("act", ["cancel", "resend", "confirm"])
def test_without_the_table_no_action_completes(desk, act):
    desk.store.down = True
    with pytest.raises(StoreUnavailable):
        getattr(desk, act)("m-1")
