"""Delivering one message: claim, call, record, whatever happens in between."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery import deliver
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.ports import (
    OutcomeNotRecorded,
    SecretNotSet,
    SecretUnavailable,
    Sms,
    StoreUnavailable,
)
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from tests.fakes import (
    ACCEPTED,
    START,
    FakeClock,
    FakeGateway,
    FakeQueue,
    FakeStore,
    FakeTelemetry,
)
from tests.records import waiting

POLICY = Policy(default_sender="Bottega", live=True)
UNCERTAIN = CallResult(CallOutcome.UNCERTAIN, fault="ReadTimeoutError")
SECURITY = CallResult(CallOutcome.BAD_CREDENTIALS, "-1", '{"exit_status":"-1"}')
BUSY = CallResult(CallOutcome.BUSY, "http_503", retry_after=120.0)


def plenty():
    return 60.0


@dataclass
class Stage:
    """A delivery and all that is around it."""

    gateway: FakeGateway = field(default_factory=FakeGateway)
    store: FakeStore = field(default_factory=FakeStore)
    policy: Policy = POLICY
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    claims: int = 0

    def delivery(self):
        return Delivery(
            store=self.store,
            gateway=self.gateway,
            telemetry=self.telemetry,
            policy=self.policy,
            clock=self.clock,
            jitter=lambda: 1.0,
            new_claim=self._claim,
        )

    def _claim(self):
        self.claims += 1
        return f"claim-{self.claims}"

    def send_new(self, record=None, left=plenty):
        return self.delivery().send_new(record or waiting(), left)

    def send_stored(self, left=plenty):
        return self.delivery().send_stored("m-1", left)

    def reconcile(self):
        queue = FakeQueue()
        reconciler = Reconciler(
            self.store, queue, self.telemetry, self.policy, self.clock, lambda: 1.0
        )
        return reconciler.run(plenty), queue.put_in


# Straight on


def test_a_new_message_is_claimed_sent_and_recorded():
    stage = Stage()
    result = stage.send_new()
    assert (result.record, result.retry_in) == (stage.store["m-1"], None)
    assert [one.status for one in stage.store.history] == ["sending", "sent"]
    assert stage.gateway.calls == [
        (Sms("Bottega", "Ciao", "+393331234567", archive=True), OpenvoipAccount("9999", "a-secret"))
    ]
    assert stage.store["m-1"].attempts == 1


def test_the_claim_stands_before_the_gateway_is_called():
    stage = Stage()
    seen = []

    def look():
        seen.append(stage.store["m-1"])
        return ACCEPTED

    stage.gateway = FakeGateway(look)
    stage.send_new()
    assert [(one.status, one.claim) for one in seen] == [("sending", "claim-1")]


def test_a_stored_message_is_sent_once_however_often_it_comes():
    stage = Stage(store=FakeStore(waiting()))
    results = [stage.send_stored() for _ in range(3)]
    assert [one.record.status for one in results] == ["sent"] * 3
    assert [one.repeated for one in results] == [False, True, True]
    assert len(stage.gateway.calls) == 1


def test_a_new_message_is_sent_once_however_often_it_comes():
    stage = Stage()
    results = [stage.send_new() for _ in range(3)]
    assert [one.repeated for one in results] == [False, True, True]
    assert len(stage.gateway.calls) == 1
    assert [one.id for one in stage.telemetry.duplicates] == ["m-1", "m-1"]


def test_the_same_id_with_other_content_is_a_conflict_and_changes_nothing():
    stage = Stage()
    stage.send_new()
    result = stage.send_new(waiting(fingerprint="other", text="Altro"))
    assert (result.conflict, result.repeated) == (True, False)
    assert result.record.text == "Ciao"
    assert len(stage.gateway.calls) == 1


def test_a_message_that_the_table_does_not_hold_has_no_record():
    assert Stage().send_stored().record is None


# Not now, or never


def test_an_expired_message_is_not_sent():
    stage = Stage(store=FakeStore(waiting(expires_at=START)))
    assert stage.send_stored().record.status is Status.EXPIRED
    assert stage.gateway.calls == []


def test_in_test_mode_a_foreign_number_gets_nothing_but_a_record():
    stage = Stage(policy=replace(POLICY, live=False))
    assert stage.send_new().record.status is Status.SUPPRESSED
    assert stage.store["m-1"].reason == "test_mode"
    assert stage.gateway.calls == []


def test_what_comes_a_little_early_waits_for_its_time():
    record = waiting(status=Status.SCHEDULED, send_at=START + timedelta(seconds=30))
    stage = Stage(store=FakeStore(record))
    assert stage.send_stored().retry_in == 30.0
    stage.clock.forward(30)
    assert stage.send_stored().record.status is Status.SENT


def test_what_comes_much_too_early_is_brought_again_by_its_schedule():
    record = waiting(status=Status.SCHEDULED, send_at=START + timedelta(hours=3))
    stage = Stage(store=FakeStore(record))
    assert stage.send_stored().retry_in is None
    assert stage.store["m-1"] == record
    assert stage.gateway.calls == []


@pytest.mark.parametrize("status", ["sent", "rejected", "failed", "cancelled", "unknown"])
def test_what_has_ended_is_never_sent(status):
    stage = Stage(store=FakeStore(waiting(status=Status(status))))
    assert stage.send_stored().repeated
    assert stage.gateway.calls == []


# Not sent, doubt, and back again


def test_what_was_not_sent_goes_out_at_the_next_try():
    stage = Stage(gateway=FakeGateway(BUSY))
    first = stage.send_new()
    assert (first.record.status, first.retry_in) == ("queued", 120.0)
    stage.clock.forward(120)
    assert stage.send_stored().record.status is Status.SENT
    assert [call.outcome for _, call, _ in stage.telemetry.calls] == ["busy", "accepted"]


def test_a_doubt_is_never_tried_again_by_itself():
    stage = Stage(gateway=FakeGateway(UNCERTAIN))
    assert stage.send_new().record.status is Status.UNKNOWN
    stage.clock.forward(3600)
    assert stage.send_stored().record.status is Status.UNKNOWN
    assert stage.reconcile()[1] == []
    assert len(stage.gateway.calls) == 1


def test_resend_tries_a_doubt_again():
    stage = Stage(gateway=FakeGateway(UNCERTAIN), policy=replace(POLICY, resend_unknown=True))
    assert stage.send_new().retry_in == 2.0
    assert stage.send_stored().record.status is Status.SENT


# The account


def test_a_rotated_secret_works_at_once():
    new = OpenvoipAccount("9999", "new")
    stage = Stage(gateway=FakeGateway(SECURITY, accounts=(OpenvoipAccount("9999", "old"), new)))
    assert stage.send_new().record.status is Status.SENT
    assert [account.secret for _, account in stage.gateway.calls] == ["old", "new"]
    assert stage.store["m-1"].attempts == 1


def test_a_wrong_account_costs_two_calls_and_waits():
    stage = Stage(gateway=FakeGateway(otherwise=SECURITY))
    result = stage.send_new()
    assert (result.record.status, result.record.reason) == ("queued", "bad_credentials")
    assert result.retry_in == 2.0
    assert (len(stage.gateway.calls), stage.gateway.refreshed) == (2, 1)


def test_the_second_call_can_end_in_doubt_too():
    stage = Stage(gateway=FakeGateway(SECURITY, UNCERTAIN))
    assert stage.send_new().record.status is Status.UNKNOWN


def test_there_is_no_second_call_without_time_for_it():
    seconds = iter([60.0, 5.0])
    stage = Stage(gateway=FakeGateway(SECURITY))
    result = stage.send_new(left=lambda: next(seconds))
    assert (result.record.status, result.record.reason) == ("queued", "bad_credentials")
    assert len(stage.gateway.calls) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SecretNotSet("placeholder"), "secret_not_set"),
        (SecretUnavailable("ThrottlingException"), "secret_unavailable"),
    ],
)
def test_without_an_account_nothing_is_called_and_nothing_is_lost(error, reason):
    stage = Stage(gateway=FakeGateway(secret_fails_with=error))
    result = stage.send_new()
    assert (result.record.status, result.record.reason) == ("queued", reason)
    assert result.retry_in is not None
    assert stage.gateway.calls == []
    assert [(event, key) for event, key, _ in stage.telemetry.failures] == [("secret", "m-1")]
    stage.gateway.secret_fails_with = None
    assert stage.send_stored().record.status is Status.SENT


def test_an_account_that_vanishes_between_two_calls_loses_nothing():
    stage = Stage()

    def vanish():
        stage.gateway.secret_fails_with = SecretUnavailable("ThrottlingException")
        return SECURITY

    stage.gateway = FakeGateway(vanish)
    assert stage.send_new().record.reason == "secret_unavailable"


# Time


def test_a_call_is_not_begun_when_our_own_time_runs_out():
    stage = Stage()
    result = stage.send_new(left=lambda: 13.9)
    assert (result.record.status, result.record.reason) == ("queued", "out_of_time")
    assert stage.gateway.calls == []


def test_a_call_is_not_begun_when_the_claim_would_run_out_during_it():
    stage = Stage()

    def slow_account():
        stage.clock.forward(transitions.LEASE.total_seconds() - 13)
        return OpenvoipAccount("9999", "a-secret")

    stage.gateway.credentials = slow_account
    assert stage.send_new().record.reason == "out_of_time"
    assert stage.gateway.calls == []


def test_the_latency_of_a_call_is_told():
    stage = Stage()

    def slow():
        stage.clock.forward(1.5)
        return ACCEPTED

    stage.gateway = FakeGateway(slow)
    stage.send_new()
    assert [seconds for _, _, seconds in stage.telemetry.calls] == [1.5]


# Two at once


def test_while_one_worker_calls_another_leaves_the_message_alone():
    stage = Stage()
    meanwhile = []

    def other_worker():
        meanwhile.append(stage.send_stored())
        meanwhile.append(stage.send_new())
        return ACCEPTED

    stage.gateway = FakeGateway(other_worker)
    assert stage.send_new().record.status is Status.SENT
    assert [one.repeated for one in meanwhile] == [True, True]
    assert meanwhile[0].retry_in == transitions.LEASE.total_seconds() + 1
    assert len(stage.gateway.calls) == 1


def test_of_two_workers_that_read_the_same_record_one_claims():
    stage = Stage(store=FakeStore(waiting()))
    read = stage.store.get

    def quicker_worker(record_id):
        record = read(record_id)
        stage.store.get = read
        stage.send_stored()
        return record

    stage.store.get = quicker_worker
    result = stage.send_stored()
    assert (result.record.status, result.repeated, result.retry_in) == ("sent", True, None)
    assert len(stage.gateway.calls) == 1


def test_a_message_cancelled_at_the_last_moment_is_not_sent():
    stage = Stage(store=FakeStore(waiting()))
    read = stage.store.get

    def cancelling(record_id):
        record = read(record_id)
        stage.store.replace(record, transitions.cancelled(record, START, POLICY))
        return record

    stage.store.get = cancelling
    assert stage.send_stored().record.status is Status.CANCELLED
    assert stage.gateway.calls == []


# Dying


def died_during_the_call(stage):
    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    stage.gateway = FakeGateway(kill)
    with pytest.raises(Killed):
        stage.send_new()


def test_a_claim_left_behind_becomes_unknown_at_redelivery_and_is_not_sent_again():
    stage = Stage()
    died_during_the_call(stage)
    early = stage.send_stored()
    assert (early.record.status, early.retry_in) == ("sending", 91.0)
    stage.clock.forward(91)
    late = stage.send_stored()
    assert (late.record.status, late.record.reason) == ("unknown", "lease_expired")
    assert late.retry_in is None
    assert len(stage.gateway.calls) == 1


def test_a_claim_left_behind_is_found_by_the_reconciler():
    stage = Stage()
    died_during_the_call(stage)
    assert stage.reconcile()[0].leases_expired == 0
    stage.clock.forward(90)
    assert stage.reconcile()[0].leases_expired == 1
    assert stage.store["m-1"].status is Status.UNKNOWN
    assert stage.reconcile()[0].leases_expired == 0


def test_resend_sends_a_message_again_whose_worker_died():
    stage = Stage(policy=replace(POLICY, resend_unknown=True))
    died_during_the_call(stage)
    stage.clock.forward(91)
    assert stage.send_stored().retry_in is not None
    assert stage.send_stored().record.status is Status.SENT


@pytest.mark.parametrize("late_reply", [ACCEPTED, CallResult(CallOutcome.BAD_DESTINATION, "020")])
def test_a_worker_taken_for_dead_that_knows_the_answer_is_believed(late_reply):
    stage = Stage()

    def sleep_through_the_claim():
        stage.clock.forward(91)
        stage.reconcile()
        assert stage.store["m-1"].status is Status.UNKNOWN
        return late_reply

    stage.gateway = FakeGateway(sleep_through_the_claim)
    status = stage.send_new().record.status
    assert status == ("sent" if late_reply is ACCEPTED else "rejected")
    assert stage.store["m-1"].status is status
    assert stage.store["m-1"].version == 4


def late_answer_to_a_message_that_is_another_workers_by_now():
    """A person had it sent again meanwhile, and nobody knows what came of that."""
    stage = Stage()

    def sleep_while_another_worker_gets_no_clear_answer():
        stage.clock.forward(91)
        stage.reconcile()
        unknown = stage.store["m-1"]
        stage.store.replace(unknown, transitions.resent(unknown, stage.clock(), POLICY))
        stage.send_stored()
        return CallResult(CallOutcome.BAD_DESTINATION, "020")

    stage.gateway = FakeGateway(sleep_while_another_worker_gets_no_clear_answer, UNCERTAIN)
    stage.send_new()
    return stage.store["m-1"]


def test_another_workers_unknown_is_not_overwritten_by_a_worker_that_wakes_up_late():
    stored = late_answer_to_a_message_that_is_another_workers_by_now()
    assert (stored.status, stored.claim) == ("unknown", "claim-2")


def test_a_late_answer_without_its_claim_compared_would_overwrite_it(monkeypatch):
    """What the test above is for."""
    monkeypatch.setattr(
        deliver, "_is_own_unknown", lambda _ours, current: current.status is Status.UNKNOWN
    )
    stored = late_answer_to_a_message_that_is_another_workers_by_now()
    assert stored.status is Status.REJECTED


def test_an_expired_lease_is_recorded_once_when_two_find_it_at_once():
    stage = Stage()
    died_during_the_call(stage)
    stage.clock.forward(91)
    read = stage.store.get

    def read_and_be_overtaken(record_id):
        record = read(record_id)
        stage.reconcile()
        stage.clock.forward(1)
        return record

    stage.store.get = read_and_be_overtaken
    assert stage.send_stored().record.status is Status.UNKNOWN
    assert stage.store["m-1"].version == 3
    assert [one.status for one in stage.telemetry.changes] == ["unknown"]


def test_a_persons_decision_is_not_overwritten_by_a_worker_that_wakes_up_late():
    stage = Stage()

    def sleep_and_let_a_person_decide():
        stage.clock.forward(91)
        stage.reconcile()
        unknown = stage.store["m-1"]
        stage.store.replace(unknown, transitions.confirmed(unknown, stage.clock(), POLICY))
        return CallResult(CallOutcome.BUSY)

    stage.gateway = FakeGateway(sleep_and_let_a_person_decide)
    stage.send_new()
    assert stage.store["m-1"].reason == "confirmed_by_person"


# A table that does not answer


def test_without_the_table_nothing_is_called():
    stage = Stage()
    stage.store.down = True
    with pytest.raises(StoreUnavailable):
        stage.send_new()
    assert stage.gateway.calls == []


def test_a_claim_whose_answer_got_lost_calls_nobody_and_ends_in_doubt():
    stage = Stage(store=FakeStore(waiting()))
    stage.store.loses_answers = 1
    with pytest.raises(StoreUnavailable):
        stage.send_stored()
    assert stage.gateway.calls == []
    stage.clock.forward(91)
    assert stage.send_stored().record.status is Status.UNKNOWN


def test_an_accepted_call_that_cannot_be_recorded_is_not_made_again():
    stage = Stage()

    def lose_the_table():
        stage.store.down = True
        return ACCEPTED

    stage.gateway = FakeGateway(lose_the_table)
    with pytest.raises(OutcomeNotRecorded):
        stage.send_new()
    assert [known.status for known in stage.telemetry.not_recorded] == [Status.SENT]
    stage.store.down = False
    stage.clock.forward(91)
    assert stage.send_stored().record.status is Status.UNKNOWN
    assert len(stage.gateway.accepted) == 1


def test_a_record_deleted_meanwhile_is_not_written_anew():
    stage = Stage()

    def delete():
        del stage.store.records["m-1"]
        return ACCEPTED

    stage.gateway = FakeGateway(delete)
    assert stage.send_new().record is None
    assert stage.store.records == {}
