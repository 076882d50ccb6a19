"""The counters of the limits, in the table as the template defines it."""

from datetime import timedelta

import pytest

from openvoip_sms.adapters.counters import DynamoCounters
from openvoip_sms.rules.limits import HOUR, Counts, hour_of
from openvoip_sms.rules.unused import Unused
from tests.fakes import START

ONE = {"N": "1"}
WITHIN = timedelta(minutes=10)
THIS, LAST = f"h{hour_of(START)}", f"h{hour_of(START) - 1}"


@pytest.fixture
def found():
    return []


@pytest.fixture
def counters(stack, found):
    return DynamoCounters(stack.dynamodb, stack["MessageTable"], found.append)


@pytest.fixture
def put(stack):
    """Stores an item under the key `#x` as it is."""

    def stored(**attributes):
        stack.dynamodb.put_item(
            TableName=stack["MessageTable"], Item={"id": {"S": "#x"}, **attributes}
        )

    return stored


def item(stack):
    return stack.dynamodb.get_item(TableName=stack["MessageTable"], Key={"id": {"S": "#x"}})["Item"]


def test_a_text_belongs_to_the_first_that_claims_it_for_a_while(counters):
    assert counters.claim_once("#x", "m-1", START, WITHIN) == "m-1"
    assert counters.claim_once("#x", "m-2", START + WITHIN / 2, WITHIN) == "m-1"
    assert counters.claim_once("#x", "m-3", START + WITHIN, WITHIN) == "m-3"


def test_what_a_later_version_has_stored_is_kept_by_every_write(counters, stack, put):
    later = {"tags": {"SS": ["a"]}, "held": {"BOOL": True}}
    put(**later)
    counters.count("#x", START)
    counters.count_unused("#x", START, is_fault=False)
    counters.pause("#x", START + HOUR)
    counters.claim_once("#x", "m-1", START, WITHIN)
    assert counters.claim_once("#x", "m-2", START + WITHIN, WITHIN) == "m-2"
    assert {name: item(stack)[name] for name in later} == later


@pytest.mark.parametrize(
    "damaged",
    [
        {LAST: {"S": "many"}},
        {LAST: {"N": "1.5"}},
        {"paused_until": {"N": "1795626545"}},
        {"paused_until": {"S": "gestern"}},
        {"paused_until": {"S": "2026-11-24T09:30:00"}},
    ],
)
def test_a_part_of_a_count_that_cannot_be_read_counts_as_absent(counters, put, found, damaged):
    put(**{THIS: {"N": "4"}}, **damaged)
    assert counters.count("#x", START) == Counts(this_hour=5)
    assert [(one.id, one.why) for one in found] == [("#x", *damaged)]


@pytest.mark.parametrize("since", [{"N": "1795626545"}, {"S": "gestern"}])
def test_a_row_of_calls_without_a_message_whose_start_cannot_be_read_starts_now(
    counters, put, found, since
):
    put(unused=ONE, faults=ONE, unused_since=since)
    assert counters.count_unused("#x", START, is_fault=True) == Unused(2, 2, START)
    assert [(one.id, one.why) for one in found] == [("#x", "unused_since")]


@pytest.mark.parametrize("first", [{"N": "1"}, {"S": ""}, {"S": "è"}, {"L": []}])
def test_a_claim_of_a_text_that_cannot_be_read_suppresses_nothing(
    counters, stack, put, found, first
):
    counters.claim_once("#x", "m-1", START, WITHIN)
    put(**item(stack) | {"first": first})
    assert counters.claim_once("#x", "m-2", START, WITHIN) == "m-2"
    assert [(one.id, one.why) for one in found] == [("#x", "first")]


@pytest.mark.parametrize("claim", [{}, {"first": {"S": "m-1"}}, {"since": {"S": "2026"}}])
def test_a_claim_of_a_text_that_is_incomplete_suppresses_nothing(counters, put, claim):
    put(**claim)
    assert counters.claim_once("#x", "m-2", START, WITHIN) == "m-2"
