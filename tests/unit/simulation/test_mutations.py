"""The simulation can fail: each safeguard taken out of the delivery is missed within seconds.

Two mutations break no promise, because the reconciler makes up for them: a message deleted when
its claim is found alive, or between claim and outcome. They make messages late, which shows where
nothing crashes and no write is lost: there nothing may need repair.

Left out as equivalent: a live claim taken for dead under `hold`. Its owner's answer still wins, and
nobody else may call.
"""

from dataclasses import replace

import pytest

from openvoip_sms.delivery import deliver
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.intake.from_queue import COMPLETED, QueueIntake
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.rules.record import FINAL, Reason, Status
from tests.simulation.faults import MILD, only
from tests.simulation.run import Parts, Setup, simulate
from tests.simulation.table import SimTable

SEEDS = range(150)


def notices(sentence, parts=None, **setup):
    """Whether the runs of some seeds find what the sentence says."""
    runs = (simulate(Setup(seed, parts=parts or Parts(), **setup)) for seed in SEEDS)
    return any(sentence in violation for run in runs for violation in run.violations)


class CreatesOverWhatStands(SimTable):
    def refuses(self, old, stands, new):
        return old is not None and super().refuses(old, stands, new)


class ClaimsWhatIsTaken(SimTable):
    def refuses(self, old, stands, new):
        return new.status is not Status.SENDING and super().refuses(old, stands, new)


class ReleasesUnasked(SimTable):
    def refuses(self, old, stands, new):
        gives_back = old is not None and old.status is Status.SENDING and new.status == "queued"
        return not gives_back and super().refuses(old, stands, new)


class RecordsOverAnything(SimTable):
    def refuses(self, old, stands, new):
        ends = old is not None and old.status is Status.SENDING and new.status in FINAL
        return not ends and super().refuses(old, stands, new)


class ForgetsTheLease(Delivery):
    def _time_for_a_call(self, _ours, _seconds_left):
        return True


class DropsALiveClaim(Delivery):
    def _find_claimed(self, record):
        left = super()._find_claimed(record)
        return replace(left, retry_in=None) if left.record == record else left


class AcknowledgesWithoutTheTable(QueueIntake):
    def handle(self, body, sqs_id, seconds_left):
        try:
            return super().handle(body, sqs_id, seconds_left)
        except StoreUnavailable:
            return COMPLETED


def test_an_unconditional_create_is_noticed():
    assert notices("accepted 2 times", Parts(table=CreatesOverWhatStands))


def test_an_unconditional_claim_is_noticed():
    assert notices("accepted 2 times", Parts(table=ClaimsWhatIsTaken))


def test_a_doubt_taken_for_not_sent_is_noticed(monkeypatch):
    answered = transitions.answered

    def hopeful(record, reply, now, policy, jitter):
        if reply.outcome is CallOutcome.UNCERTAIN:
            return transitions.released(record, Reason.GATEWAY_UNREACHABLE, now, jitter)
        return answered(record, reply, now, policy, jitter)

    monkeypatch.setattr(transitions, "answered", hopeful)
    assert notices("accepted 2 times")


def test_a_dead_claim_that_is_sent_again_is_noticed(monkeypatch):
    def hopeful(record, now, _policy, jitter):
        return transitions.released(record, Reason.LEASE_EXPIRED, now, jitter)

    monkeypatch.setattr(transitions, "lease_expired", hopeful)
    assert notices("accepted 2 times")


def test_a_release_without_its_condition_is_noticed():
    assert notices("was final and became queued", Parts(table=ReleasesUnasked), persons=True)


def test_an_outcome_without_its_condition_is_noticed():
    assert notices("was final and became", Parts(table=RecordsOverAnything), persons=True)


def test_a_missing_reconciler_is_noticed():
    assert notices("nobody will come", Parts(reconciles=False))


def test_an_acknowledgement_before_the_work_is_noticed():
    assert notices("now nowhere", Parts(acknowledges_first=True))


def test_an_acknowledgement_without_the_table_is_noticed():
    assert notices("now nowhere", Parts(intake=AcknowledgesWithoutTheTable))


def test_a_call_beyond_the_lease_is_noticed():
    assert notices("too old a claim", Parts(delivery=ForgetsTheLease))


def test_a_late_answer_that_is_forgotten_is_noticed(monkeypatch):
    monkeypatch.setattr(deliver, "_is_own_unknown", lambda _ours, _stands: False)
    assert notices("unknown without a reason")


def test_a_doubt_forgotten_by_a_resend_is_noticed(monkeypatch):
    resent = transitions.resent

    def forgetful(record, now, policy):
        again = resent(record, now, policy)
        return again and replace(again, maybe_sent=False)

    monkeypatch.setattr(transitions, "resent", forgetful)
    assert notices("and was sent", persons=True)


def repairs(parts):
    return sum(simulate(Setup(seed, rates=only(*MILD), parts=parts)).repairs for seed in range(30))


def test_without_losses_nothing_needs_repair():
    assert repairs(Parts()) == 0


@pytest.mark.parametrize(
    "parts",
    [Parts(delivery=DropsALiveClaim), Parts(acknowledges_first=True)],
    ids=["found", "early"],
)
def test_a_message_that_only_the_reconciler_brings_back_is_noticed(parts):
    assert repairs(parts) > 0
