"""Delivering one message: claim, call, record, whatever happens in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery import deliver
from openvoip_sms.delivery.ports import (
    OutcomeNotRecorded,
    SecretNotSet,
    SecretUnavailable,
    Sms,
    StoreUnavailable,
)
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Status
from tests.deliveries import (
    BAD_CREDENTIALS,
    BUSY,
    POLICY,
    UNCERTAIN,
    Setup,
)
from tests.fakes import (
    ACCEPTED,
    START,
    FakeGateway,
    FakeStore,
)
from tests.records import waiting

# Sent


def test_a_new_message_is_claimed_sent_and_recorded():
    setup = Setup()
    result = setup.send_new()
    assert (result.record, result.retry_in) == (setup.store["m-1"], None)
    assert [one.status for one in setup.store.history] == ["sending", "sent"]
    assert setup.gateway.calls == [
        (Sms("Bottega", "Ciao", "+393331234567", archive=True), OpenvoipAccount("9999", "a-secret"))
    ]
    assert setup.store["m-1"].attempts == 1


def test_the_claim_is_stored_before_the_gateway_is_called():
    setup = Setup()
    seen = []

    def look():
        seen.append(setup.store["m-1"])
        return ACCEPTED

    setup.gateway = FakeGateway(look)
    setup.send_new()
    assert [(one.status, one.claim) for one in seen] == [("sending", "claim-1")]


def test_a_stored_message_is_sent_once_however_often_it_is_delivered():
    setup = Setup(store=FakeStore(waiting()))
    results = [setup.send_stored() for _ in range(3)]
    assert [one.record.status for one in results] == ["sent"] * 3
    assert [one.repeated for one in results] == [False, True, True]
    assert len(setup.gateway.calls) == 1


def test_a_new_message_is_sent_once_however_often_it_is_delivered():
    setup = Setup()
    results = [setup.send_new() for _ in range(3)]
    assert [one.repeated for one in results] == [False, True, True]
    assert len(setup.gateway.calls) == 1
    assert [one.id for one in setup.telemetry.duplicates] == ["m-1", "m-1"]


def test_the_same_id_with_other_content_is_a_conflict_and_changes_nothing():
    setup = Setup()
    setup.send_new()
    result = setup.send_new(waiting(fingerprint="other", text="Altro"))
    assert (result.conflict, result.repeated) == (True, False)
    assert result.record.text == "Ciao"
    assert len(setup.gateway.calls) == 1


def test_a_message_that_the_table_does_not_hold_has_no_record():
    assert Setup().send_stored().record is None


# Not now, or not at all


def test_an_expired_message_is_not_sent():
    setup = Setup(store=FakeStore(waiting(expires_at=START)))
    assert setup.send_stored().record.status is Status.EXPIRED
    assert setup.gateway.calls == []


def test_in_test_mode_any_other_number_gets_only_a_record():
    setup = Setup(policy=replace(POLICY, live=False))
    assert setup.send_new().record.status is Status.SUPPRESSED
    assert setup.store["m-1"].reason == "test_mode"
    assert setup.gateway.calls == []


def test_a_message_received_a_little_early_waits_for_its_time():
    record = waiting(status=Status.SCHEDULED, send_at=START + timedelta(seconds=30))
    setup = Setup(store=FakeStore(record))
    assert setup.send_stored().retry_in == 30.0
    setup.clock.advance(30)
    assert setup.send_stored().record.status is Status.SENT


def test_a_message_received_much_too_early_is_left_to_its_schedule():
    record = waiting(status=Status.SCHEDULED, send_at=START + timedelta(hours=3))
    setup = Setup(store=FakeStore(record))
    assert setup.send_stored().retry_in is None
    assert setup.store["m-1"] == record
    assert setup.gateway.calls == []


@pytest.mark.parametrize("status", ["sent", "rejected", "failed", "cancelled", "unknown"])
def test_what_has_ended_is_never_sent(status):
    setup = Setup(store=FakeStore(waiting(status=Status(status))))
    assert setup.send_stored().repeated
    assert setup.gateway.calls == []


# Not sent, or unknown


def test_what_was_not_sent_is_sent_at_the_next_attempt():
    setup = Setup(gateway=FakeGateway(BUSY))
    first = setup.send_new()
    assert (first.record.status, first.retry_in) == ("queued", 120.0)
    setup.clock.advance(120)
    assert setup.send_stored().record.status is Status.SENT
    assert [call.outcome for _, call, _ in setup.telemetry.calls] == ["busy", "accepted"]


def test_an_unknown_outcome_is_never_retried_automatically():
    setup = Setup(gateway=FakeGateway(UNCERTAIN))
    assert setup.send_new().record.status is Status.UNKNOWN
    setup.clock.advance(3600)
    assert setup.send_stored().record.status is Status.UNKNOWN
    assert setup.reconcile()[1] == []
    assert len(setup.gateway.calls) == 1


def test_resend_unknown_retries_an_unknown_outcome():
    setup = Setup(gateway=FakeGateway(UNCERTAIN), policy=replace(POLICY, resend_unknown=True))
    assert setup.send_new().retry_in == 2.0
    assert setup.send_stored().record.status is Status.SENT


# The account


def test_a_rotated_secret_works_at_once():
    new = OpenvoipAccount("9999", "new")
    setup = Setup(
        gateway=FakeGateway(BAD_CREDENTIALS, accounts=(OpenvoipAccount("9999", "old"), new))
    )
    assert setup.send_new().record.status is Status.SENT
    assert [account.secret for _, account in setup.gateway.calls] == ["old", "new"]
    assert setup.store["m-1"].attempts == 1


def test_a_wrong_account_costs_two_calls_and_waits():
    setup = Setup(gateway=FakeGateway(default=BAD_CREDENTIALS))
    result = setup.send_new()
    assert (result.record.status, result.record.reason) == ("queued", "bad_credentials")
    assert result.retry_in == 2.0
    assert (len(setup.gateway.calls), setup.gateway.refreshed) == (2, 1)


def test_the_outcome_of_the_second_call_can_be_unknown_too():
    setup = Setup(gateway=FakeGateway(BAD_CREDENTIALS, UNCERTAIN))
    assert setup.send_new().record.status is Status.UNKNOWN


def test_there_is_no_second_call_without_time_for_it():
    seconds = iter([60.0, 60.0, 5.0])  # before and after the reservation, and after the call
    setup = Setup(gateway=FakeGateway(BAD_CREDENTIALS))
    result = setup.send_new(seconds_left=lambda: next(seconds))
    assert (result.record.status, result.record.reason) == ("queued", "bad_credentials")
    assert len(setup.gateway.calls) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SecretNotSet("placeholder"), "secret_not_set"),
        (SecretUnavailable("ThrottlingException"), "secret_unavailable"),
    ],
)
def test_without_an_account_nothing_is_called_and_nothing_is_lost(error, reason):
    setup = Setup(gateway=FakeGateway(secret_fails_with=error))
    result = setup.send_new()
    assert (result.record.status, result.record.reason) == ("queued", reason)
    assert result.retry_in is not None
    assert setup.gateway.calls == []
    assert [(event, key) for event, key, _ in setup.telemetry.failures] == [("secret", "m-1")]
    setup.gateway.secret_fails_with = None
    assert setup.send_stored().record.status is Status.SENT


def test_an_account_that_becomes_unavailable_between_two_calls_is_still_refused():
    """The first call was made and counted: its answer is what is known."""
    setup = Setup()

    def become_unavailable():
        setup.gateway.secret_fails_with = SecretUnavailable("ThrottlingException")
        return BAD_CREDENTIALS

    setup.gateway = FakeGateway(become_unavailable)
    assert setup.send_new().record.reason == "bad_credentials"
    assert [event for event, _, _ in setup.telemetry.failures] == ["secret"]


# Time


def test_no_call_starts_when_the_function_is_running_out_of_time():
    setup = Setup()
    result = setup.send_new(seconds_left=lambda: 13.9)
    assert (result.record.status, result.record.reason) == ("queued", "out_of_time")
    assert setup.gateway.calls == []


def test_no_call_starts_when_the_lease_would_expire_during_it():
    setup = Setup()

    def slow_account():
        setup.clock.advance(transitions.LEASE.total_seconds() - 13)
        return OpenvoipAccount("9999", "a-secret")

    setup.gateway.credentials = slow_account
    assert setup.send_new().record.reason == "out_of_time"
    assert setup.gateway.calls == []


def test_the_latency_of_a_call_is_reported():
    setup = Setup()

    def slow():
        setup.clock.advance(1.5)
        return ACCEPTED

    setup.gateway = FakeGateway(slow)
    setup.send_new()
    assert [seconds for _, _, seconds in setup.telemetry.calls] == [1.5]


# Two at once


def test_while_one_worker_calls_another_leaves_the_message_alone():
    setup = Setup()
    meanwhile = []

    def other_worker():
        meanwhile.append(setup.send_stored())
        meanwhile.append(setup.send_new())
        return ACCEPTED

    setup.gateway = FakeGateway(other_worker)
    assert setup.send_new().record.status is Status.SENT
    assert [one.repeated for one in meanwhile] == [True, True]
    assert meanwhile[0].retry_in == transitions.LEASE.total_seconds() + 1
    assert len(setup.gateway.calls) == 1


def before_the_claim(setup, meanwhile):
    """Let something happen between the look at the brake and the claim."""
    claim = setup.store.claim

    def claim_late(*given):
        setup.store.claim = claim
        meanwhile()
        return claim(*given)

    setup.store.claim = claim_late


def test_of_two_workers_with_the_same_message_one_claims():
    setup = Setup(store=FakeStore(waiting()))
    before_the_claim(setup, setup.send_stored)
    result = setup.send_stored()
    assert (result.record.status, result.repeated, result.retry_in) == ("sent", True, None)
    assert len(setup.gateway.calls) == 1


def test_a_message_cancelled_at_the_last_moment_is_not_sent():
    setup = Setup(store=FakeStore(waiting()))

    def cancel():
        record = setup.store["m-1"]
        setup.store.replace(record, transitions.cancelled(record, START, POLICY))

    before_the_claim(setup, cancel)
    assert setup.send_stored().record.status is Status.CANCELLED
    assert setup.gateway.calls == []


# Killed workers


def killed_during_the_call(setup):
    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    setup.gateway = FakeGateway(kill)
    with pytest.raises(Killed):
        setup.send_new()


def test_an_expired_lease_becomes_unknown_at_redelivery_and_is_not_sent_again():
    setup = Setup()
    killed_during_the_call(setup)
    early = setup.send_stored()
    assert (early.record.status, early.retry_in) == ("sending", 91.0)
    setup.clock.advance(91)
    late = setup.send_stored()
    assert (late.record.status, late.record.reason) == ("unknown", "lease_expired")
    assert late.retry_in is None
    assert len(setup.gateway.calls) == 1


def test_an_expired_lease_is_found_by_the_reconciler():
    setup = Setup()
    killed_during_the_call(setup)
    assert setup.reconcile()[0].leases_expired == 0
    setup.clock.advance(90)
    assert setup.reconcile()[0].leases_expired == 1
    assert setup.store["m-1"].status is Status.UNKNOWN
    assert setup.reconcile()[0].leases_expired == 0


def test_resend_unknown_sends_a_message_again_whose_worker_was_killed():
    setup = Setup(policy=replace(POLICY, resend_unknown=True))
    killed_during_the_call(setup)
    setup.clock.advance(91)
    assert setup.send_stored().retry_in is not None
    assert setup.send_stored().record.status is Status.SENT


@pytest.mark.parametrize("late_reply", [ACCEPTED, CallResult(CallOutcome.BAD_DESTINATION, "020")])
def test_a_late_result_of_a_worker_whose_lease_expired_is_recorded(late_reply):
    setup = Setup()

    def sleep_beyond_the_lease():
        setup.clock.advance(91)
        setup.reconcile()
        assert setup.store["m-1"].status is Status.UNKNOWN
        return late_reply

    setup.gateway = FakeGateway(sleep_beyond_the_lease)
    status = setup.send_new().record.status
    assert status == ("sent" if late_reply is ACCEPTED else "rejected")
    assert setup.store["m-1"].status is status
    assert setup.store["m-1"].version == 4


def late_result_after_another_worker_claimed_the_message():
    """A person resent it meanwhile, and the outcome of that is unknown."""
    setup = Setup()

    def sleep_while_another_worker_gets_no_clear_answer():
        setup.clock.advance(91)
        setup.reconcile()
        unknown = setup.store["m-1"]
        setup.store.replace(unknown, transitions.resent(unknown, setup.clock(), POLICY))
        setup.send_stored()
        return CallResult(CallOutcome.BAD_DESTINATION, "020")

    setup.gateway = FakeGateway(sleep_while_another_worker_gets_no_clear_answer, UNCERTAIN)
    setup.send_new()
    return setup.store["m-1"]


def test_another_workers_unknown_is_not_overwritten_by_a_late_worker():
    stored = late_result_after_another_worker_claimed_the_message()
    assert (stored.status, stored.claim) == ("unknown", "claim-2")


def test_a_late_result_would_overwrite_it_without_the_comparison_of_claims(monkeypatch):
    """The fault that the test above detects."""
    monkeypatch.setattr(
        deliver, "_is_own_unknown", lambda _ours, current: current.status is Status.UNKNOWN
    )
    stored = late_result_after_another_worker_claimed_the_message()
    assert stored.status is Status.REJECTED


def test_an_expired_lease_is_recorded_once_when_two_find_it_at_once():
    setup = Setup()
    killed_during_the_call(setup)
    setup.clock.advance(91)
    read = setup.store.get

    def read_and_be_overtaken(record_id):
        record = read(record_id)
        setup.reconcile()
        setup.clock.advance(1)
        return record

    setup.store.get = read_and_be_overtaken
    assert setup.send_stored().record.status is Status.UNKNOWN
    assert setup.store["m-1"].version == 3
    assert [one.status for one in setup.telemetry.changes] == ["unknown"]


def resent_before_the_answer(setup, reply):
    """A worker's call whose lease ends; a person resends; then the gateway answers."""

    def sleep_while_a_person_resends():
        setup.clock.advance(91)
        setup.reconcile()
        unknown = setup.store["m-1"]
        setup.store.replace(unknown, transitions.resent(unknown, setup.clock(), POLICY))
        return reply

    setup.gateway = FakeGateway(sleep_while_a_person_resends)
    setup.send_new()
    setup.gateway = FakeGateway(ACCEPTED)
    return setup.send_stored()


def test_a_late_acceptance_ends_a_message_that_was_resent_and_still_waits():
    setup = Setup()
    assert resent_before_the_answer(setup, ACCEPTED).record.status is Status.SENT
    assert setup.gateway.calls == []  # no second SMS
    assert (setup.store["m-1"].gateway_code, setup.store["m-1"].reason) == ("000", None)


@pytest.mark.parametrize("outcome", [CallOutcome.BUSY, CallOutcome.UNCERTAIN])
def test_another_late_answer_leaves_a_message_that_was_resent_to_be_sent(outcome):
    setup = Setup()
    assert resent_before_the_answer(setup, CallResult(outcome)).record.status is Status.SENT
    assert len(setup.gateway.calls) == 1


def test_a_manual_action_is_not_overwritten_by_a_late_worker():
    setup = Setup()

    def sleep_while_a_person_confirms():
        setup.clock.advance(91)
        setup.reconcile()
        unknown = setup.store["m-1"]
        setup.store.replace(unknown, transitions.confirmed(unknown, setup.clock(), POLICY))
        return CallResult(CallOutcome.BUSY)

    setup.gateway = FakeGateway(sleep_while_a_person_confirms)
    setup.send_new()
    assert setup.store["m-1"].reason == "confirmed_by_person"


# A table that does not answer


def test_without_the_table_nothing_is_called():
    setup = Setup()
    setup.store.down = True
    with pytest.raises(StoreUnavailable):
        setup.send_new()
    assert setup.gateway.calls == []


def test_a_claim_whose_response_was_lost_makes_no_call_and_becomes_unknown():
    setup = Setup(store=FakeStore(waiting()))
    setup.store.lost_responses = 1
    with pytest.raises(StoreUnavailable):
        setup.send_stored()
    assert setup.gateway.calls == []
    setup.clock.advance(91)
    assert setup.send_stored().record.status is Status.UNKNOWN


def test_an_accepted_call_that_cannot_be_recorded_is_not_made_again():
    setup = Setup()

    def lose_the_table():
        setup.store.down = True
        return ACCEPTED

    setup.gateway = FakeGateway(lose_the_table)
    with pytest.raises(OutcomeNotRecorded):
        setup.send_new()
    assert [known.status for known in setup.telemetry.not_recorded] == [Status.SENT]
    setup.store.down = False
    setup.clock.advance(91)
    assert setup.send_stored().record.status is Status.UNKNOWN
    assert len(setup.gateway.accepted) == 1


def test_a_deleted_record_is_not_created_again():
    setup = Setup()

    def delete():
        del setup.store.records["m-1"]
        return ACCEPTED

    setup.gateway = FakeGateway(delete)
    assert setup.send_new().record is None
    assert setup.store.records == {}
