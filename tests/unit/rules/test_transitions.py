"""The state machine of docs/delivery.md: what each event makes of a record."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import FINAL, OPEN, WAITING, Reason, Status
from tests.fakes import START
from tests.records import sending, waiting

HOLD = Policy(default_sender="Bottega", live=True)
RESEND = replace(HOLD, resend_unknown=True)
HOUR = timedelta(hours=1)
LATER = START + timedelta(seconds=2)


def answered(outcome, policy=HOLD, record=None, jitter=1.0, **reply):
    return transitions.answered(
        record or sending(), CallResult(outcome, **reply), LATER, policy, jitter
    )


# The table of docs/delivery.md

ROWS = [
    (CallOutcome.ACCEPTED, "sent", None),
    (CallOutcome.BAD_DESTINATION, "rejected", "bad_destination"),
    (CallOutcome.GENERIC_ERROR, "queued", "gateway_error"),
    (CallOutcome.BAD_CREDENTIALS, "queued", "bad_credentials"),
    (CallOutcome.UNREACHABLE, "queued", "gateway_unreachable"),
    (CallOutcome.BUSY, "queued", "gateway_busy"),
    (CallOutcome.MISCONFIGURED, "queued", "gateway_misconfigured"),
    (CallOutcome.UNCERTAIN, "unknown", "no_clear_answer"),
]


def test_every_outcome_has_its_row():
    assert {outcome for outcome, _, _ in ROWS} == set(CallOutcome)


@pytest.mark.parametrize(("outcome", "status", "reason"), ROWS)
def test_each_outcome_leads_to_its_status(outcome, status, reason):
    after = answered(outcome)
    assert (after.record.status, after.record.reason) == (status, reason)
    assert (after.retry_in is None) == (status != "queued")
    assert (after.record.detail is None) == (reason is None)
    assert after.record.version == 3
    assert after.record.updated_at == LATER


@pytest.mark.parametrize("outcome", CallOutcome)
def test_only_an_open_record_is_checked_again_and_only_an_unknown_one_keeps_its_claim(outcome):
    record = answered(outcome).record
    assert (record.check_at is not None) == (record.status in OPEN)
    # The owner of the claim may still report a late result.
    assert (record.claim is not None) == (record.status is Status.UNKNOWN)


def test_a_sent_record_says_when_and_what_the_gateway_said():
    record = answered(CallOutcome.ACCEPTED, code="000", raw="[0]").record
    assert (record.sent_at, record.gateway_code, record.gateway_reply) == (LATER, "000", "[0]")


def test_the_gateways_reply_is_stored_whatever_it_means():
    record = answered(CallOutcome.UNCERTAIN, code="042", raw="ERR: 042").record
    assert (record.gateway_code, record.gateway_reply) == ("042", "ERR: 042")


def test_a_generic_error_fails_at_the_third_call():
    first = answered(CallOutcome.GENERIC_ERROR)
    second = answered(CallOutcome.GENERIC_ERROR, record=again(first))
    third = answered(CallOutcome.GENERIC_ERROR, record=again(second))
    assert [first.record.status, second.record.status] == [Status.QUEUED] * 2
    assert (third.record.status, third.record.reason) == (Status.FAILED, "gateway_error")
    assert third.record.attempts == 3


def again(after):
    return transitions.claimed(after.record, "c-2", LATER)


@pytest.mark.parametrize(
    "outcome",
    [
        CallOutcome.UNREACHABLE,
        CallOutcome.BUSY,
        CallOutcome.MISCONFIGURED,
        CallOutcome.BAD_CREDENTIALS,
    ],
)
def test_what_was_certainly_not_sent_never_uses_up_the_three_calls(outcome):
    after = answered(outcome)
    for _ in range(20):
        after = answered(outcome, record=again(after))
    assert (after.record.status, after.record.refusals) == (Status.QUEUED, 0)
    assert after.record.attempts == 21


# Claims


def test_a_claim_is_one_workers_own_for_its_lease():
    record = transitions.claimed(waiting(reason="gateway_busy", detail="x"), "c-9", LATER)
    assert (record.status, record.claim, record.attempts) == (Status.SENDING, "c-9", 1)
    assert record.claimed_until == record.check_at == LATER + transitions.LEASE
    assert (record.reason, record.detail) == (None, None)


def test_an_expired_lease_is_unknown():
    after = transitions.lease_expired(sending(), LATER, HOLD, 1.0)
    assert (after.record.status, after.record.reason) == (Status.UNKNOWN, "lease_expired")
    assert after.retry_in is None


# Unknown outcomes with AmbiguousOutcome=resend


@pytest.mark.parametrize(
    "unknown_outcome",
    [
        lambda record: transitions.answered(
            record, CallResult(CallOutcome.UNCERTAIN), LATER, RESEND, 1.0
        ),
        lambda record: transitions.lease_expired(record, LATER, RESEND, 1.0),
    ],
    ids=["no clear answer", "lease expired"],
)
def test_resend_unknown_makes_up_to_three_calls_then_leaves_it_to_a_person(unknown_outcome):
    first = unknown_outcome(sending())
    second = unknown_outcome(again(first))
    third = unknown_outcome(again(second))
    assert [first.record.status, second.record.status] == [Status.QUEUED] * 2
    assert first.record.maybe_sent
    assert first.retry_in is not None
    assert third.record.status is Status.UNKNOWN


@pytest.mark.parametrize(
    "ending",
    [
        lambda record: answered(CallOutcome.BAD_DESTINATION, RESEND, record).record,
        lambda record: (
            answered(CallOutcome.GENERIC_ERROR, RESEND, replace(record, refusals=2)).record
        ),
        lambda record: transitions.ended(record, Status.EXPIRED, Reason.TOO_LATE, LATER, RESEND),
        lambda record: transitions.ended(
            record, Status.SUPPRESSED, Reason.TEST_MODE, LATER, RESEND
        ),
    ],
    ids=["rejected", "failed", "expired", "suppressed"],
)
def test_after_an_unknown_outcome_no_record_says_that_nothing_was_sent(ending):
    assert ending(sending(maybe_sent=True)).status is Status.UNKNOWN


def test_after_an_unknown_outcome_an_accepted_reply_still_counts():
    assert (
        answered(CallOutcome.ACCEPTED, RESEND, sending(maybe_sent=True)).record.status
        is Status.SENT
    )


def test_cancelling_after_an_unknown_outcome_stops_sending_and_stays_unknown():
    ended = transitions.cancelled(waiting(maybe_sent=True), LATER, RESEND)
    assert (ended.status, ended.reason) == (Status.UNKNOWN, "no_clear_answer")


def test_a_new_record_is_checked_once_its_grace_period_is_over():
    due = START + HOUR
    assert transitions.waiting_until(waiting(), due).check_at == due + transitions.GRACE


# Backoff


@given(st.integers(0, 100_000), st.floats(0, 1))
def test_backoff_stays_between_a_second_and_a_quarter_of_an_hour(attempts, jitter):
    assert 1.0 <= transitions.backoff(attempts, jitter) <= 900.0


def test_backoff_doubles_up_to_its_maximum():
    assert [transitions.backoff(n, 1.0) for n in range(12)] == [
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ]  # fmt: skip


@given(st.integers(1, 40), st.floats(0, 1))
def test_jitter_is_full(attempts, jitter):
    most = transitions.backoff(attempts, 1.0)
    assert transitions.backoff(attempts, jitter) == pytest.approx(max(1.0, most * jitter))


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [(None, 2.0), (0.0, 2.0), (1.0, 2.0), (120.0, 120.0), (3600.0, 3600.0), (1e9, 21_600.0)],
)
def test_retry_after_is_respected_up_to_a_maximum(retry_after, delay):
    after = answered(CallOutcome.BUSY, retry_after=retry_after)
    assert after.retry_in == delay
    assert after.record.check_at == LATER + timedelta(seconds=delay) + transitions.GRACE


def test_no_delay_goes_past_the_expiry_of_a_message():
    record = sending(expires_at=LATER + timedelta(seconds=40))
    assert answered(CallOutcome.BUSY, record=record, retry_after=120.0).retry_in == 40.0
    over = sending(expires_at=LATER - timedelta(seconds=40))
    assert answered(CallOutcome.BUSY, record=over, retry_after=120.0).retry_in == 1.0


# Manual actions


@pytest.mark.parametrize("status", Status)
def test_only_unknown_failed_and_expired_can_be_sent_again(status):
    again = transitions.resent(waiting(status=status), LATER, HOLD)
    assert (again is not None) == (status in ("unknown", "failed", "expired"))


def test_resending_resets_refusals_claim_and_validity():
    old = waiting(status=Status.FAILED, refusals=3, claim="c-1", valid_for=60.0)
    again = transitions.resent(old, START + 48 * HOUR, HOLD)
    assert (again.status, again.reason) == (Status.QUEUED, Reason.RESENT_BY_PERSON)
    assert (again.refusals, again.maybe_sent, again.claim) == (0, False, None)
    assert again.expires_at == START + 48 * HOUR + timedelta(seconds=60)


@pytest.mark.parametrize(
    "ending",
    [
        lambda record: (
            answered(
                CallOutcome.BAD_DESTINATION, HOLD, transitions.claimed(record, "c-2", LATER)
            ).record
        ),
        lambda record: transitions.ended(record, Status.EXPIRED, Reason.TOO_LATE, LATER, HOLD),
        lambda record: transitions.cancelled(record, LATER, HOLD) or record,
    ],
    ids=["rejected", "expired", "cancelled"],
)
def test_resent_after_an_unknown_outcome_it_never_says_that_nothing_was_sent(ending):
    unknown = waiting(status=Status.UNKNOWN)
    again = transitions.resent(unknown, LATER, HOLD)
    assert ending(again).status in (Status.QUEUED, Status.UNKNOWN)


def test_a_message_without_its_text_cannot_be_sent_again():
    assert transitions.resent(waiting(status=Status.EXPIRED, text=None), LATER, HOLD) is None


@pytest.mark.parametrize("status", Status)
def test_only_unknown_can_be_confirmed(status):
    confirmed = transitions.confirmed(waiting(status=status), LATER, HOLD)
    assert (confirmed is not None) == (status == "unknown")


def test_confirmed_means_sent_when_the_outcome_became_unknown():
    unknown = waiting(status=Status.UNKNOWN, updated_at=START)
    confirmed = transitions.confirmed(unknown, LATER, HOLD)
    assert (confirmed.status, confirmed.sent_at) == (Status.SENT, START)


@pytest.mark.parametrize("status", Status)
def test_only_what_waits_can_be_cancelled(status):
    cancelled = transitions.cancelled(waiting(status=status), LATER, HOLD)
    assert (cancelled is not None) == (status in WAITING)


# Texts that are not stored


def test_a_text_is_dropped_once_its_message_is_final_and_not_before():
    without_texts = replace(HOLD, store_text=False)
    assert answered(CallOutcome.ACCEPTED, without_texts).record.text is None
    assert answered(CallOutcome.GENERIC_ERROR, without_texts).record.text == "Ciao"
    assert answered(CallOutcome.UNCERTAIN, without_texts).record.text == "Ciao"
    assert transitions.cancelled(waiting(), LATER, without_texts).text is None


# Any sequence


@given(
    st.lists(
        st.tuples(st.sampled_from(CallOutcome), st.floats(0, 1), st.none() | st.floats(0, 1e6)),
        max_size=12,
    ),
    st.booleans(),
)
def test_a_record_is_always_final_unknown_or_checked_again(replies, resend):
    policy = RESEND if resend else HOLD
    record, now = transitions.waiting_until(waiting(), START), START
    for outcome, jitter, retry_after in replies:
        if record.status not in WAITING:
            break
        claimed = transitions.claimed(record, "c", now)
        reply = CallResult(outcome, retry_after=retry_after)
        record = transitions.answered(claimed, reply, now, policy, jitter).record
    assert record.status in FINAL or record.status is Status.UNKNOWN or record.check_at is not None
    if not resend and any(outcome is CallOutcome.UNCERTAIN for outcome, _, _ in replies[:1]):
        assert record.status is Status.UNKNOWN
