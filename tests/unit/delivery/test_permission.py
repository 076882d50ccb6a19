"""May a message go now? One value as the answer, for every caller."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from openvoip_sms.delivery.permission import (
    RULES,
    Circumstances,
    End,
    Go,
    Hold,
    Wait,
    permission,
)
from openvoip_sms.rules.limits import ExceededLimit
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Status
from tests.fakes import START
from tests.records import waiting

LIVE = Policy("Bottega", live=True)
TEST = Policy("Bottega", test_recipients=frozenset({"+393331234567"}))
HOUR = timedelta(hours=1)
LIMIT = ExceededLimit(Reason.RECIPIENT_LIMIT, "Too many.")


def answer_for(record, now=START, policy=LIVE, **more):
    return permission(record, Circumstances(now, policy, **more))


def test_a_message_that_nothing_holds_back_may_go():
    assert answer_for(waiting()) == Go()


def test_a_message_whose_time_is_over_expires():
    record = waiting(expires_at=START + HOUR)
    assert answer_for(record, START + HOUR - timedelta(milliseconds=1)) == Go()
    assert answer_for(record, START + HOUR) == End(Status.EXPIRED, Reason.TOO_LATE)


def test_in_test_mode_only_the_test_recipients_get_an_sms():
    assert answer_for(waiting(), policy=TEST) == Go()
    assert answer_for(waiting(to="+393331234568"), policy=TEST) == End(
        Status.SUPPRESSED, Reason.TEST_MODE
    )


def test_a_message_waits_for_its_send_at():
    record = waiting(send_at=START + HOUR, expires_at=START + 25 * HOUR)
    assert answer_for(record) == Wait(Reason.SEND_AT, START + HOUR)
    assert answer_for(record, START + HOUR) == Go()


def test_an_exceeded_limit_ends_a_message_with_the_limits_own_sentence():
    assert answer_for(waiting(), exceeded_limit=LIMIT) == End(
        Status.SUPPRESSED, Reason.RECIPIENT_LIMIT, "Too many."
    )


def test_a_limit_that_is_not_enforced_holds_nothing_back():
    assert answer_for(waiting(), exceeded_limit=replace(LIMIT, enforced=False)) == Go()


HELD_BY = [Reason.PAUSED, Reason.GATEWAY_DOWN]


@pytest.mark.parametrize("reason", HELD_BY)
def test_what_the_switch_or_the_brake_holds_back_waits_in_the_table(reason):
    assert answer_for(waiting(), held_by=reason) == Hold(reason)


@pytest.mark.parametrize("reason", HELD_BY)
def test_what_ends_or_is_not_yet_due_is_not_held_back(reason):
    """Its validity runs on, and its schedule is left as it is."""
    late = waiting(expires_at=START)
    assert answer_for(late, held_by=reason) == End(Status.EXPIRED, Reason.TOO_LATE)
    other = waiting(to="+393331234568")
    assert answer_for(other, policy=TEST, held_by=reason) == End(
        Status.SUPPRESSED, Reason.TEST_MODE
    )
    later = waiting(send_at=START + HOUR, expires_at=START + 25 * HOUR)
    assert answer_for(later, held_by=reason) == Wait(Reason.SEND_AT, START + HOUR)


def test_an_end_takes_precedence_over_a_wait():
    record = waiting(to="+393331234568", send_at=START + HOUR)
    assert answer_for(record, policy=TEST) == End(Status.SUPPRESSED, Reason.TEST_MODE)
    assert isinstance(answer_for(record, exceeded_limit=LIMIT), End)


def test_an_end_is_a_status_on_the_record_with_its_sentence():
    ended = answer_for(waiting(), exceeded_limit=LIMIT).of(waiting(), START, LIVE)
    assert (ended.status, ended.reason, ended.detail) == (
        Status.SUPPRESSED,
        "recipient_limit",
        "Too many.",
    )
    assert ended.check_at is None
    late = End(Status.EXPIRED, Reason.TOO_LATE).of(waiting(), START, LIVE)
    assert late.detail == "Its validity ended before the gateway accepted it."


def test_an_end_never_says_not_sent_of_what_may_have_been_sent():
    ended = End(Status.EXPIRED, Reason.TOO_LATE).of(waiting(maybe_sent=True), START, LIVE)
    assert ended.status is Status.UNKNOWN


def test_a_text_that_is_not_stored_is_removed_from_a_suppressed_message():
    ended = answer_for(waiting(), exceeded_limit=LIMIT).of(
        waiting(), START, replace(LIVE, store_text=False)
    )
    assert ended.text is None


def test_a_new_rule_is_one_function_and_one_entry():
    """No SMS for marketing on a Sunday in Rome, say: nothing else has to know of it."""

    def no_marketing_on_sundays(record, circumstances):
        local = circumstances.now.astimezone(ZoneInfo("Europe/Rome"))
        if record.category != "marketing" or local.isoweekday() != 7:
            return None
        monday = local.replace(hour=9, minute=0) + timedelta(days=1)
        return Wait(Reason.SEND_AT, monday)

    sunday = START.replace(year=2026, month=11, day=29)
    rules = (*RULES, no_marketing_on_sundays)
    offer, notice = waiting(category="marketing"), waiting()
    late = timedelta(days=30)
    offer, notice = (replace(one, expires_at=START + late) for one in (offer, notice))
    answer = permission(offer, Circumstances(sunday, LIVE), rules)
    assert answer == Wait(Reason.SEND_AT, sunday.replace(day=30, hour=8, minute=0))
    assert permission(notice, Circumstances(sunday, LIVE), rules) == Go()
    assert permission(offer, Circumstances(START, LIVE), rules) == Go()


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_holds_an_ordinary_message_back(rule):
    assert rule(waiting(), Circumstances(START, LIVE)) is None
