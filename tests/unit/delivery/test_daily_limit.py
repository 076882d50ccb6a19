"""The day's limit: what is reserved before a call, given back or kept after it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from openvoip_sms.delivery.ports import OutcomeNotRecorded
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules import transitions
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.usage import DayUsage
from tests.deliveries import POLICY, UNCERTAIN, Setup
from tests.fakes import ACCEPTED, START, FakeClock, FakeGateway, FakeStore
from tests.records import waiting

DAY = START.date()
MIDNIGHT = datetime(2026, 11, 24, 23, tzinfo=UTC)  # in Rome
BUSY = CallResult(CallOutcome.BUSY)
PRICE = Decimal("0.09")


def text_of(segments, **fields):
    return waiting(segments=segments, cost_eur=PRICE * segments, **fields)


def limited(limit, **fields):
    return Setup(policy=replace(POLICY, daily_segment_limit=limit), **fields)


def usage(setup, day=DAY):
    """Used of the limit; certain and uncertain segments; certain messages."""
    of_day = setup.usage.of(day)
    return setup.usage.used(day), of_day.segments, of_day.uncertain_segments, of_day.messages


# The limit


def test_what_fits_is_sent_and_counted_with_its_source_and_cost():
    setup = limited(3)
    setup.send_new(text_of(2))
    setup.send_new(text_of(1, id="m-2", source="queue"))
    assert setup.usage.of(DAY) == DayUsage(DAY, 3, 2, Decimal("0.27"), 0, {"api": 2, "queue": 1})


def test_what_does_not_fit_waits_for_midnight_in_rome():
    setup = limited(3)
    setup.send_new(text_of(2))
    result = setup.send_new(text_of(2, id="m-2"))
    stored = setup.store["m-2"]
    assert (result.record, result.retry_in) == (stored, None)
    assert (stored.status, stored.reason, stored.held_until) == ("queued", "daily_limit", MIDNIGHT)
    assert (stored.attempts, stored.claim, stored.check_at) == (0, None, stored.expires_at)
    assert len(setup.gateway.calls) == 1
    assert usage(setup) == (2, 2, 0, 1)


def test_a_shorter_message_that_fits_may_go():
    setup = limited(3)
    setup.send_new(text_of(2))
    setup.send_new(text_of(2, id="m-2"))
    assert setup.send_new(text_of(1, id="m-3")).record.status is Status.SENT
    assert usage(setup) == (3, 3, 0, 2)


def test_a_message_of_the_queue_waits_as_well():
    setup = limited(1, store=FakeStore(text_of(2)))
    assert setup.send_stored().retry_in is None
    assert setup.store["m-1"].reason == "daily_limit"


def test_the_next_day_has_its_own_limit():
    setup = limited(2)
    setup.send_new(text_of(2, id="m-2"))
    setup.send_new(text_of(2))
    setup.clock.now = MIDNIGHT
    assert setup.send_stored().record.status is Status.SENT
    assert usage(setup, date(2026, 11, 25)) == (2, 2, 0, 1)


def test_without_a_limit_everything_goes_and_is_counted():
    setup = limited(0)
    for number in range(3):
        setup.send_new(text_of(1000, id=f"m-{number}"))
    assert usage(setup) == (3000, 3000, 0, 3)


def claimed_just_before_midnight(limit):
    """A worker that claims a second before midnight in Rome, and calls two seconds later."""
    setup = limited(limit, clock=FakeClock(MIDNIGHT - timedelta(seconds=1)))

    def slow_account():
        setup.clock.advance(2)
        return OpenvoipAccount("9999", "a-secret")

    setup.gateway.credentials = slow_account
    setup.send_new(text_of(2, expires_at=MIDNIGHT + timedelta(hours=1)))
    return setup


def test_a_message_counts_for_the_day_of_its_claim():
    setup = claimed_just_before_midnight(2)
    assert setup.store["m-1"].status is Status.SENT
    assert usage(setup) == (2, 2, 0, 1)
    assert usage(setup, date(2026, 11, 25)) == (0, 0, 0, 0)


def test_what_did_not_fit_into_the_day_of_its_claim_waits_for_the_end_of_that_day():
    assert claimed_just_before_midnight(1).store["m-1"].held_until == MIDNIGHT


# A reservation whose answer is lost


def test_a_lost_reservation_is_neither_called_nor_given_back_and_comes_again():
    setup = limited(4)
    setup.usage.lost_responses = 1
    first = setup.send_new(text_of(2))
    assert (first.record.status, first.record.reason) == ("queued", "table_unavailable")
    assert first.retry_in is not None
    assert setup.gateway.calls == []
    assert usage(setup) == (2, 0, 2, 0)
    assert setup.send_stored().record.status is Status.SENT
    assert usage(setup) == (4, 2, 2, 1)  # it costs the day its segments, and no more
    assert [event for event, _, _ in setup.telemetry.failures] == ["usage"]


def test_without_the_counter_nothing_is_called():
    setup = limited(4)
    setup.usage.down = True
    assert setup.send_new(text_of(2)).record.reason == "table_unavailable"
    assert setup.gateway.calls == []


# What is given back, and what is kept

NOT_SENT = sorted(set(CallOutcome) - {CallOutcome.ACCEPTED, CallOutcome.UNCERTAIN})


@pytest.mark.parametrize("outcome", NOT_SENT)
def test_what_was_certainly_not_sent_is_given_back_once(outcome):
    """Also where a refused account is tried a second time."""
    setup = limited(10, gateway=FakeGateway(ACCEPTED, default=CallResult(outcome)))
    setup.send_new(text_of(3, id="m-2"))
    setup.send_new(text_of(2))
    assert usage(setup) == (3, 3, 0, 1)


def test_what_is_unknown_is_kept():
    setup = limited(10, gateway=FakeGateway(UNCERTAIN))
    setup.send_new(text_of(2))
    assert usage(setup) == (2, 0, 2, 0)


def test_what_is_resent_after_a_doubt_counts_for_each_call():
    setup = limited(10, gateway=FakeGateway(UNCERTAIN))
    setup = replace(setup, policy=replace(setup.policy, resend_unknown=True))
    setup.send_new(text_of(2))
    assert setup.send_stored().record.status is Status.SENT
    assert usage(setup) == (4, 2, 2, 1)


class Killed(BaseException):
    pass


def killed_during_the_call():
    def kill():
        raise Killed

    setup = limited(10, gateway=FakeGateway(kill))
    with pytest.raises(Killed):
        setup.send_new(text_of(2))
    setup.clock.advance(91)
    return setup


def test_the_segments_of_a_dead_worker_are_uncertain_once():
    """Whoever finds the expired lease, and however often."""
    setup = killed_during_the_call()
    setup.send_stored()
    setup.send_stored()
    setup.reconcile()
    assert usage(setup) == (2, 0, 2, 0)


def test_the_reconciler_counts_them_as_uncertain_too():
    setup = killed_during_the_call()
    setup.reconcile()
    setup.reconcile()
    setup.send_stored()
    assert usage(setup) == (2, 0, 2, 0)


def test_of_two_that_find_an_expired_lease_at_once_one_counts_it():
    setup = killed_during_the_call()
    claim = setup.store.claim

    def overtaken(*given):
        found = claim(*given)
        setup.reconcile()
        setup.clock.advance(1)
        return found

    setup.store.claim = overtaken
    setup.send_stored()
    assert usage(setup) == (2, 0, 2, 0)


# A late answer of a worker whose lease expired


def late(reply, meanwhile=lambda _setup: None):
    """A worker whose call takes longer than its lease; what happens meanwhile."""
    setup = limited(10)

    def answer_late():
        setup.clock.advance(91)
        setup.reconcile()
        assert usage(setup) == (2, 0, 2, 0)
        meanwhile(setup)
        return reply

    setup.gateway = FakeGateway(answer_late)
    setup.send_new(text_of(2))
    return setup


def person(decides):
    def decided(setup):
        unknown = setup.store["m-1"]
        setup.store.replace(unknown, decides(unknown, setup.clock(), POLICY))

    return decided


confirm, resend = person(transitions.confirmed), person(transitions.resent)


@pytest.mark.parametrize(
    "meanwhile", [lambda _: None, confirm, resend], ids=["nothing", "confirm", "resend"]
)
@pytest.mark.parametrize(
    ("reply", "left"),
    [(ACCEPTED, (2, 2, 0, 1)), (BUSY, (0, 0, 0, 0)), (UNCERTAIN, (2, 0, 2, 0))],
    ids=["accepted", "busy", "unclear"],
)
def test_a_late_answer_corrects_what_was_uncertain(reply, left, meanwhile):
    assert usage(late(reply, meanwhile)) == left


def test_a_late_answer_corrects_it_where_another_worker_has_sent_the_message_again():
    def sent_again(setup):
        resend(setup)
        setup.send_stored()

    assert usage(late(ACCEPTED, sent_again)) == (4, 4, 0, 2)
    assert usage(late(BUSY, sent_again)) == (2, 2, 0, 1)


@pytest.mark.parametrize(
    ("reply", "left"),
    [(ACCEPTED, (2, 2, 0, 1)), (BUSY, (0, 0, 0, 0)), (UNCERTAIN, (2, 0, 2, 0))],
    ids=["accepted", "busy", "unclear"],
)
def test_an_earlier_call_that_is_accepted_during_this_one_corrects_nothing_of_it(reply, left):
    """The message is sent by then, but no lease of this call has expired."""
    setup = limited(10, store=FakeStore(text_of(2, maybe_sent=True)))

    def accepted_meanwhile():
        claimed = setup.store["m-1"]
        sent = transitions.ended(claimed, Status.SENT, None, setup.clock(), POLICY)
        setup.store.replace(claimed, sent)
        return reply

    setup.gateway = FakeGateway(accepted_meanwhile)
    setup.send_stored()
    assert setup.store["m-1"].status is Status.SENT
    assert usage(setup) == left


def test_an_outcome_that_cannot_be_recorded_keeps_its_segments():
    """Its lease expires, and the message is unknown: so are its segments then."""
    setup = limited(10)

    def lose_the_table():
        setup.store.down = True
        return BUSY

    setup.gateway = FakeGateway(lose_the_table)
    with pytest.raises(OutcomeNotRecorded):
        setup.send_new(text_of(2))
    assert usage(setup) == (2, 2, 0, 1)
    setup.store.down = False
    setup.clock.advance(91)
    setup.reconcile()
    assert usage(setup) == (2, 0, 2, 0)
