"""The simulation can fail: each safeguard taken out of the service is missed within seconds.

A mutation is a patch of the real code, of what the table is asked, or of the template. Some break
no promise, because the reconciler makes up for them, but make messages late: that shows where
nothing crashes and no write is lost, since there nothing may need repair.

Left out as equivalent: a live claim taken for dead under `hold`. Its owner's answer still wins, and
nobody else may call.
"""

from dataclasses import replace
from itertools import count

import pytest

from openvoip_sms.adapters import store, telemetry
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.adapters.telemetry import CloudWatchTelemetry
from openvoip_sms.delivery import deliver
from openvoip_sms.delivery.call import GatewayCall
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.flood_guard import Checked, FloodGuard
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.intake.from_queue import COMPLETED, QueueIntake
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.rules.record import FINAL, Reason, Status
from openvoip_sms.webhooks import plan
from openvoip_sms.webhooks.verify import Verified
from tests.simulation.dynamodb import SimDynamoDb
from tests.simulation.faults import MILD, only
from tests.simulation.functions import module
from tests.simulation.run import Setup, simulate
from tests.template import resource

SEEDS = range(150)
AGAIN = only("sent_again_by_client", "table_retried", more=5)
ANYTHING = "attribute_exists(id) OR attribute_not_exists(id)"


def notices(sentence, **setup):
    """Whether the runs of some seeds find what the sentence says."""
    runs = (simulate(Setup(seed, **setup)) for seed in SEEDS)
    return any(sentence in violation for run in runs for violation in run.violations)


def needs_repair(**setup):
    """Whether the reconciler finds anything where nothing crashes and no write is lost."""
    return any(simulate(Setup(seed, rates=only(*MILD), **setup)).repairs for seed in range(30))


def test_without_losses_nothing_needs_repair():
    assert not needs_repair()


# ---- The table: what the real adapter asks of it ---------------------------------------------


@pytest.fixture
def drop_condition(monkeypatch):
    """Leaves the condition out of the writes from old records to new ones that are named."""

    def drop(named):
        real = DynamoStore.replace

        def mutated(store, old, new):
            return store._put(new, ANYTHING, {}) if named(old, new) else real(store, old, new)

        monkeypatch.setattr(DynamoStore, "replace", mutated)

    return drop


def test_an_unconditional_create_is_noticed(monkeypatch):
    monkeypatch.setattr(DynamoStore, "create", lambda store, new: store._put(new, ANYTHING, {}))
    assert notices("accepted 2 times")


def test_an_unconditional_claim_is_noticed(monkeypatch):
    real = store._claiming

    def hopeful(record_id, claim, now):
        return real(record_id, claim, now) | {"ConditionExpression": "attribute_exists(id)"}

    monkeypatch.setattr(store, "_claiming", hopeful)
    crowded = only("schedule_fired_twice", "delivered_twice", more=15)
    assert notices("accepted 2 times", rates=crowded)


def test_a_release_without_its_condition_is_noticed(drop_condition):
    drop_condition(lambda old, new: (old.status, new.status) == (Status.SENDING, Status.QUEUED))
    assert notices("was final and became queued", persons=True)


def test_an_outcome_without_its_condition_is_noticed(drop_condition):
    drop_condition(lambda old, new: old.status is Status.SENDING and new.status in FINAL)
    assert notices("was final and became", persons=True)


def test_any_write_of_a_claims_owner_without_its_condition_is_noticed(drop_condition):
    drop_condition(lambda old, _new: old.status is Status.SENDING)
    assert notices("version ")


def test_a_read_that_is_not_consistent_is_noticed(monkeypatch):
    real = SimDynamoDb.get_item

    def mutated(table, **request):
        return real(table, **request | {"ConsistentRead": False})

    monkeypatch.setattr(SimDynamoDb, "get_item", mutated)
    assert notices("a stored message was not found")


# ---- The gateway's answers -------------------------------------------------------------------


def test_an_unclear_answer_taken_for_not_sent_is_noticed(monkeypatch):
    answered = transitions.answered

    def hopeful(record, reply, now, policy, jitter):
        if reply.outcome is CallOutcome.UNCERTAIN:
            return transitions.released(record, Reason.GATEWAY_UNREACHABLE, now, jitter)
        return answered(record, reply, now, policy, jitter)

    monkeypatch.setattr(transitions, "answered", hopeful)
    assert notices("accepted 2 times")


def test_an_expired_lease_that_is_sent_again_is_noticed(monkeypatch):
    def hopeful(record, now, _policy, jitter):
        return transitions.released(record, Reason.LEASE_EXPIRED, now, jitter)

    monkeypatch.setattr(transitions, "lease_expired", hopeful)
    assert notices("accepted 2 times")


def test_a_call_beyond_the_lease_is_noticed(monkeypatch):
    monkeypatch.setattr(GatewayCall, "_time_for_a_call", lambda *_: True)
    assert notices("too old a claim")


def test_a_late_answer_that_is_forgotten_is_noticed(monkeypatch):
    monkeypatch.setattr(deliver, "_is_own_unknown", lambda _ours, _current: False)
    assert notices("unknown without a reason")


def test_a_late_answer_over_another_workers_unknown_is_noticed(monkeypatch):
    def anybodys(ours, current):
        return ours.status is Status.SENDING and current.status is Status.UNKNOWN

    slow = {"rates": only("frozen", "accepted_reply_lost", more=20), "resend": True}
    assert not any(simulate(Setup(seed, **slow)).violations for seed in range(10))
    monkeypatch.setattr(deliver, "_is_own_unknown", anybodys)
    assert notices("another worker's unknown", **slow)


def test_a_resend_that_forgets_an_earlier_call_is_noticed(monkeypatch):
    resent = transitions.resent

    def forgetful(record, now, policy):
        again = resent(record, now, policy)
        return again and replace(again, maybe_sent=False)

    monkeypatch.setattr(transitions, "resent", forgetful)
    assert notices("and was sent", persons=True)


# ---- The queue and who looks after it --------------------------------------------------------


def test_a_missing_reconciler_is_noticed():
    assert notices("nobody will come", reconciles=False)


def test_an_acknowledgement_before_the_work_is_noticed():
    assert notices("now nowhere", acknowledges_first=True)


def test_an_acknowledgement_without_the_table_is_noticed(monkeypatch):
    real = QueueIntake.handle

    def hopeful(intake, body, sqs_id, seconds_left):
        try:
            return real(intake, body, sqs_id, seconds_left)
        except StoreUnavailable:
            return COMPLETED

    monkeypatch.setattr(QueueIntake, "handle", hopeful)
    assert notices("now nowhere")


def test_a_sender_that_names_no_failure_is_noticed(monkeypatch):
    monkeypatch.setattr(module("sender"), "failed", lambda *_: [])
    assert notices("now nowhere")


def test_a_template_that_does_not_report_failures_is_noticed(monkeypatch):
    monkeypatch.delitem(resource("SenderMessages"), "FunctionResponseTypes")
    assert notices("now nowhere")
    assert needs_repair()


def test_a_live_claim_whose_message_is_dropped_is_noticed(monkeypatch):
    real = Delivery._find_claimed

    def dropping(delivery, record):
        left = real(delivery, record)
        return replace(left, retry_in=None) if left.record == record else left

    monkeypatch.setattr(Delivery, "_find_claimed", dropping)
    assert needs_repair()


def test_a_message_that_only_the_reconciler_brings_back_is_noticed():
    assert needs_repair(acknowledges_first=True)


# ---- Telemetry -------------------------------------------------------------------------------


def test_a_metric_that_is_missing_is_noticed(monkeypatch):
    monkeypatch.delitem(telemetry._COUNTED, Status.UNKNOWN)
    assert notices("Unknown happened and was not counted")
    assert notices("became unknown, and was never counted")


def test_a_change_that_is_counted_twice_is_noticed(monkeypatch):
    real = CloudWatchTelemetry.status_changed

    def twice(told, record):
        real(told, record)
        real(told, record)

    monkeypatch.setattr(CloudWatchTelemetry, "status_changed", twice)
    assert notices("Sent was counted and did not happen")


def test_a_change_counted_before_it_is_written_is_noticed(monkeypatch):
    real = Delivery._write

    def eager(delivery, old, new, retry_in=None):
        delivery.telemetry.status_changed(new)
        return real(delivery, old, new, retry_in)

    monkeypatch.setattr(Delivery, "_write", eager)
    assert notices("Sent was counted and did not happen")


# ---- Webhooks --------------------------------------------------------------------------------


def test_a_flood_guard_that_lets_all_through_is_noticed(monkeypatch):
    monkeypatch.setattr(
        FloodGuard, "check", lambda _guard, record, _of: Checked(record.created_at, record.to)
    )
    assert notices("one number got more than its limit", rates={"low_limits": 1.0})


def test_a_count_that_is_not_idempotent_by_id_is_noticed(monkeypatch):
    """Each write counts, as an `ADD` to a number would."""
    real, written = SimDynamoDb.update_item, count()

    def mutated(table, **request):
        values = dict(request.get("ExpressionAttributeValues", {}))
        if request["UpdateExpression"].startswith("ADD #this :entry"):
            [entry] = values[":entry"]["SS"]
            values[":entry"] = {"SS": [f"{entry[:9]}{next(written):09}"]}
            request["ConditionExpression"] = ""
        return real(table, **request | {"ExpressionAttributeValues": values})

    monkeypatch.setattr(SimDynamoDb, "update_item", mutated)
    assert notices("a limit suppressed what was within it", rates={"low_limits": 1.0, **AGAIN})
    assert notices("a repeated webhook was noted twice", rates=AGAIN)


def test_a_limit_that_suppresses_what_is_signed_is_noticed(monkeypatch):
    real = FloodGuard.check
    monkeypatch.setattr(
        FloodGuard,
        "check",
        lambda guard, record, of: real(guard, record, replace(of, signed=False)),
    )
    assert notices("a limit suppressed what a source signed", rates={"low_limits": 1.0})


def test_a_verification_that_believes_everybody_is_noticed(monkeypatch):
    monkeypatch.setattr(plan, "verify", lambda *_: Verified())
    assert notices("its webhook was forged")
