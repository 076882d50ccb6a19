"""The guard items of the limits, in the table as the template defines it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ReadTimeoutError

from openvoip_sms.adapters.counters import DynamoCounters
from openvoip_sms.rules.guard_item import GuardItem, Mark, Note
from openvoip_sms.rules.limits import HOUR, MAX_NOTED, SAME_TEXT_WITHIN, hour_of
from openvoip_sms.rules.unused import Unused
from tests.fakes import START

ONE = {"N": "1"}
NOTE = Note("#x", "e-1", "m#text", "m-1")
OTHER = Note("#x", "e-2", "m#text", "m-2")
FIRST = Mark("m#text", "m-1", START)
THIS, LAST = f"s{hour_of(START)}", f"s{hour_of(START) - 1}"
WRITTEN = GuardItem(frozenset({"e-1"}), marks=(FIRST,))


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


def unlike(n):
    return Note("#x", f"e-{n}", f"m#{n}", f"m-{n}")


def test_a_message_that_is_noted_again_counts_once(counters):
    first = counters.note(NOTE, START)
    assert first.item == WRITTEN
    assert counters.note(NOTE, START + timedelta(seconds=1)) == first
    later = counters.note(NOTE, START + timedelta(minutes=20))  # its mark is renewed
    assert later.item.this_hour == {"e-1"}
    assert counters.look("#x", START) == later.item


def test_a_text_belongs_to_the_first_that_is_noted_with_it_for_a_while(counters):
    counters.note(NOTE, START)
    refused = counters.note(OTHER, START + SAME_TEXT_WITHIN / 2)
    assert (refused.first, refused.item) == (FIRST, WRITTEN)
    assert counters.note(OTHER, START + SAME_TEXT_WITHIN).first is None


def test_of_two_that_take_the_place_of_a_first_one_gets_it(counters):
    counters.note(NOTE, START)
    now = START + timedelta(seconds=30)
    assert counters.note(OTHER, now, instead_of=FIRST).first is None
    third = replace(OTHER, entry="e-3", id="m-3")
    assert counters.note(third, now, instead_of=FIRST).first == Mark("m#text", "m-2", now)


def test_the_hour_before_is_kept_and_older_ones_are_not(counters, stack):
    counters.note(unlike(1), START)
    following = counters.note(unlike(2), START + HOUR).item
    assert (following.this_hour, following.last_hour) == ({"e-2"}, {"e-1"})
    assert counters.note(unlike(3), START + 2 * HOUR).item.last_hour == {"e-2"}
    assert THIS not in item(stack)


def test_what_is_taken_back_does_not_count(counters):
    counters.note(unlike(1), START)
    counters.note(unlike(2), START)
    counters.take_back(unlike(1), START)
    counters.take_back(unlike(1), START)
    assert counters.look("#x", START).this_hour == {"e-2"}


def test_a_full_item_takes_nothing_more_but_knows_what_it_has(counters, put, stack):
    full = [f"e-{n}" for n in range(MAX_NOTED)]
    put(**{THIS: {"SS": full}})
    before = item(stack)
    assert counters.note(replace(NOTE, entry="another"), START).is_full
    assert not counters.note(replace(NOTE, entry="e-0"), START).first
    assert item(stack) == before
    assert not counters.note(NOTE, START + HOUR).is_full


def test_an_item_that_never_expires_stays_small(counters, stack):
    """One message in ten minutes, for a day: at most ten old texts and hours, and what counts."""
    for n in range(144):
        counters.note(unlike(n), START + n * SAME_TEXT_WITHIN)
        assert len(item(stack)) <= 2 + 2 + 1 + 10
        assert len(str(item(stack))) < 1500


def test_a_message_is_noted_even_if_what_is_old_cannot_be_removed(counters, stack, hook):
    def fail(params, **_):
        if params["UpdateExpression"].startswith("REMOVE #o"):
            raise ReadTimeoutError(endpoint_url="https://dynamodb.example")

    hook(stack.dynamodb, "provide-client-params.dynamodb.UpdateItem", fail)
    for n in range(12):
        counters.note(unlike(n), START + n * SAME_TEXT_WITHIN)
    assert len(counters.look("#x", START).marks) == 12


def test_what_a_later_version_has_stored_is_kept_by_every_write(counters, stack, put):
    later = {"tags": {"SS": ["a"]}, "held": {"BOOL": True}}
    put(**later)
    counters.note(NOTE, START)
    counters.note(OTHER, START, instead_of=FIRST)
    for n in range(12):
        counters.note(unlike(n), START + n * SAME_TEXT_WITHIN)
    counters.count_unused("#x", START, is_fault=False)
    counters.end_unused("#x")
    counters.pause("#x", START + HOUR)
    counters.take_back(NOTE, START)
    assert {name: item(stack)[name] for name in later} == later


def test_a_note_ends_the_row_of_unused_calls_and_so_does_its_end(counters):
    for end in (lambda: counters.note(NOTE, START), lambda: counters.end_unused("#x")):
        counters.count_unused("#x", START, is_fault=True)
        assert counters.look("#x", START).has_unused
        end()
        assert counters.count_unused("#x", START, is_fault=True) == Unused(1, 1, START)


@pytest.mark.parametrize(
    "damaged",
    [
        {LAST: {"S": "many"}},
        {LAST: {"N": "1.5"}},
        {"paused_until": {"N": "1795626545"}},
        {"paused_until": {"S": "gestern"}},
        {"paused_until": {"S": "2026-11-24T09:30:00"}},
        {"m#other": {"N": "1"}},
        {"m#other": {"S": "gestern"}},
        {"m#other": {"S": "1795626545000 è"}},
    ],
)
def test_a_part_of_an_item_that_cannot_be_read_counts_as_absent(counters, put, found, damaged):
    put(**{THIS: {"SS": ["e-0"]}}, **damaged)
    assert counters.note(NOTE, START).item == replace(WRITTEN, this_hour={"e-0", "e-1"})
    assert [(one.id, one.why) for one in found] == [("#x", *damaged)]


@pytest.mark.parametrize("mark", [{"S": "x"}, {"S": "1995626545000 è"}])
def test_a_text_whose_first_cannot_be_read_suppresses_nothing(counters, put, mark):
    put(**{"m#text": mark})
    noted = counters.note(NOTE, START)
    assert (noted.first, noted.is_full) == (None, False)


@pytest.mark.parametrize("since", [{"N": "1795626545"}, {"S": "gestern"}])
def test_a_row_of_calls_without_a_message_whose_start_cannot_be_read_starts_now(
    counters, put, found, since
):
    put(unused=ONE, faults=ONE, unused_since=since)
    assert counters.count_unused("#x", START, is_fault=True) == Unused(2, 2, START)
    assert [(one.id, one.why) for one in found] == [("#x", "unused_since")]
