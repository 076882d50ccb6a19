"""The gateway is down for twelve simulated hours: what waits, goes out after it, without a flood.

The waits follow the backoff rule: after call n at most 2^n seconds, 900 s from the tenth on, drawn
evenly from nought. So a message is tried about ten times in the first quarter of an hour and then
every 450 s on average: 10 + 43,200 / 450 = 106 calls in twelve hours, and one that is under way.
"""

from collections import Counter

import pytest

from openvoip_sms.rules.record import Status
from tests.simulation.faults import only
from tests.simulation.outage import OUTAGE, outage
from tests.simulation.run import Run, Setup

MESSAGES, IMPATIENT = 150, 15
CALLS_EACH = 10 + OUTAGE / 450 + 1
AT_ONCE = 5 * 10  # SenderConcurrency, and the messages of a batch


@pytest.fixture(scope="module")
def down():
    return outage(1, patient=MESSAGES, impatient=IMPATIENT)


def test_all_that_is_still_valid_goes_out_and_nothing_twice(down):
    assert not down.outcome.violations
    assert down.outcome.ends[Status.SENT] == MESSAGES
    assert max(Counter(call.text for call in down.after if call.accepted).values()) == 1


def test_what_is_worthless_by_then_expires_without_another_call(down):
    assert down.outcome.ends[Status.EXPIRED] == IMPATIENT
    assert {call.text for call in down.after} == {f"Prova {n}" for n in range(MESSAGES)}


def test_the_calls_during_the_outage_are_bounded(down):
    assert len(down.during) <= CALLS_EACH * (MESSAGES + IMPATIENT)


def test_the_backlog_is_gone_within_the_longest_wait(down):
    assert max(call.at for call in down.after) <= OUTAGE + 900 + 60


def test_never_more_calls_at_once_than_the_sender_may_make(down):
    assert AT_ONCE / 3 < down.max_at_once <= AT_ONCE


def test_each_message_comes_at_its_own_time_after_the_outage(down):
    """No flood: with full jitter no minute brings more than a few times its even share."""
    minutes = Counter(int(call.at - OUTAGE) // 60 for call in down.after)
    assert max(minutes.values()) <= 3 * MESSAGES / 15


def test_retry_after_is_respected():
    run = Run(Setup(1, messages=300, rates=only("busy", more=10)))
    outcome = run.play()
    assert not outcome.violations
    not_before = {}
    for call in run.wired.gateway.log:
        assert call.at >= not_before.get(call.text, 0.0)
        not_before[call.text] = call.at + (call.retry_after or 0.0)
    assert outcome.faults["busy"] > 50
