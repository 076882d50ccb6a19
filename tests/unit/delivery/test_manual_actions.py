"""A person's manual actions, safe under double clicks."""

from datetime import timedelta

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.manual_actions import ManualActions
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
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
TOMORROW = START + timedelta(days=1)


@pytest.fixture
def actions():
    """The manual actions, on fakes."""
    store, telemetry, clock = FakeStore(), FakeTelemetry(), FakeClock()
    schedule = FakeSchedule()
    enqueuer = Enqueuer(store, FakeQueue(), schedule, telemetry, POLICY, clock)
    return ManualActions(store, enqueuer, schedule, FakeUsage(), telemetry, POLICY, clock)


def queued(actions):
    return [key for key, _ in actions.enqueuer.queue.queued]


def store(actions, record):
    actions.store.records[record.id] = record


@pytest.mark.parametrize("act", ["cancel", "resend", "confirm"])
def test_no_action_completes_on_a_message_that_does_not_exist(actions, act):
    result = getattr(actions, act)("m-1")
    assert (result.record, result.completed) == (None, False)


def test_a_waiting_message_is_cancelled_and_a_second_click_changes_nothing(actions):
    store(actions, waiting())
    results = [actions.cancel("m-1"), actions.cancel("m-1")]
    assert [(one.completed, one.record.status) for one in results] == [(True, "cancelled")] * 2
    assert actions.store["m-1"].version == 2
    assert len(actions.telemetry.changes) == 1


def test_a_scheduled_message_is_cancelled_with_its_schedule(actions):
    actions.enqueuer.enqueue(waiting(status=Status.SCHEDULED, send_at=TOMORROW))
    assert actions.cancel("m-1").completed
    assert actions.schedule.at == {}


def test_a_schedule_that_cannot_be_removed_does_not_undo_a_cancel(actions):
    store(actions, waiting(status=Status.SCHEDULED, send_at=TOMORROW))
    actions.schedule.down = True
    assert actions.cancel("m-1").completed
    assert [event for event, _, _ in actions.telemetry.failures] == ["schedule"]


@pytest.mark.parametrize("status", ["sent", "unknown", "failed", "rejected", "expired"])
def test_what_has_ended_cannot_be_cancelled(actions, status):
    store(actions, waiting(status=Status(status)))
    result = actions.cancel("m-1")
    assert (result.completed, result.record.status) == (False, status)


def test_what_is_being_sent_cannot_be_cancelled(actions):
    store(actions, sending())
    assert not actions.cancel("m-1").completed
    assert actions.store["m-1"] == sending()


@pytest.mark.parametrize("status", ["unknown", "failed", "expired"])
def test_resend_queues_once_however_often_it_is_clicked(actions, status):
    store(actions, waiting(status=Status(status)))
    results = [actions.resend("m-1") for _ in range(3)]
    assert [one.completed for one in results] == [True, False, False]
    assert results[0].record.reason == "resent_by_person"
    assert queued(actions) == ["m-1"]


@pytest.mark.parametrize(
    "reason", ["recipient_limit", "range_limit", "source_limit", "source_paused", "same_text"]
)
def test_what_a_limit_held_back_can_be_sent_by_a_person(actions, reason):
    store(actions, waiting(status=Status.SUPPRESSED, reason=reason))
    result = actions.resend("m-1")
    assert (result.completed, result.record.status) == (True, Status.QUEUED)
    assert result.record.reason == "resent_by_person"
    assert queued(actions) == ["m-1"]
    assert not actions.resend("m-1").completed


@pytest.mark.parametrize("reason", ["test_mode", "opted_out", "consent_expired", None])
def test_what_was_held_back_for_another_reason_cannot_be_resent(actions, reason):
    store(actions, waiting(status=Status.SUPPRESSED, reason=reason))
    assert not actions.resend("m-1").completed
    assert queued(actions) == []


@pytest.mark.parametrize("status", ["rejected", "sent", "cancelled"])
def test_a_limits_reason_alone_makes_nothing_resendable(actions, status):
    store(actions, waiting(status=Status(status), reason="recipient_limit"))
    assert not actions.resend("m-1").completed


def test_of_two_resends_at_the_same_moment_one_completes(actions):
    store(actions, waiting(status=Status.UNKNOWN))
    read = actions.store.get

    def other_click(record_id):
        record = read(record_id)
        actions.store.get = read
        assert actions.resend(record_id).completed
        actions.clock.advance(0.001)
        return record

    actions.store.get = other_click
    assert not actions.resend("m-1").completed
    assert queued(actions) == ["m-1"]


def test_a_resend_whose_hand_over_fails_is_left_to_the_reconciler(actions):
    store(actions, waiting(status=Status.UNKNOWN))
    actions.enqueuer.queue.down = True
    assert actions.resend("m-1").completed
    assert actions.store["m-1"].check_at == START


def test_what_was_scheduled_long_ago_is_sent_at_once_when_it_is_resent(actions):
    store(actions, waiting(status=Status.EXPIRED, send_at=START - timedelta(days=2)))
    assert actions.resend("m-1").record.expires_at == TOMORROW
    assert actions.enqueuer.queue.queued == [("m-1", 0.0)]


def test_a_reminder_that_is_resent_before_its_time_keeps_its_time(actions):
    in_a_month = START + timedelta(days=30)
    held = waiting(status=Status.SUPPRESSED, reason="recipient_limit", send_at=in_a_month)
    store(actions, held)
    record = actions.resend("m-1").record
    assert record.status is Status.SCHEDULED
    assert actions.schedule.at == {"m-1": in_a_month}
    assert record.expires_at == in_a_month + POLICY.validity
    assert record.check_at == in_a_month + transitions.GRACE
    assert actions.cancel("m-1").completed
    assert actions.schedule.at == {}


def test_confirm_says_sent_once(actions):
    store(actions, waiting(status=Status.UNKNOWN))
    results = [actions.confirm("m-1"), actions.confirm("m-1")]
    assert [one.completed for one in results] == [True, False]
    assert results[1].record.status is Status.SENT
    assert queued(actions) == []


def test_confirm_and_resend_at_the_same_moment_do_not_both_complete(actions):
    store(actions, waiting(status=Status.UNKNOWN))
    read = actions.store.get

    def confirmed_meanwhile(record_id):
        record = read(record_id)
        actions.store.get = read
        assert actions.confirm(record_id).completed
        return record

    actions.store.get = confirmed_meanwhile
    assert not actions.resend("m-1").completed
    assert actions.store["m-1"].status is Status.SENT
    assert queued(actions) == []


@pytest.mark.parametrize("act", ["cancel", "resend", "confirm"])
def test_without_the_table_no_action_completes(actions, act):
    actions.store.down = True
    with pytest.raises(StoreUnavailable):
        getattr(actions, act)("m-1")
