"""Lists over the partitions of an index: complete, in order, whatever the page size."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvoip_sms.adapters.record_item import SHARDS, to_item
from openvoip_sms.adapters.record_lists import DynamoLists
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.delivery.ports import Page
from openvoip_sms.rules.period import ALWAYS, Period
from openvoip_sms.rules.record import Status
from tests.fakes import START
from tests.records import waiting

RETENTION, MOMENT = timedelta(days=90), timedelta(milliseconds=1)
_runs = itertools.count()  # the emulated table is the same for all examples


@pytest.fixture
def store(stack):
    return DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION)


@pytest.fixture
def lists(store, stack):
    return DynamoLists(store, stack.dynamodb, stack["MessageTable"])


def all_pages(page, limit):
    ids, cursor = [], None
    while True:
        found = page(limit, cursor)
        assert len(found.records) <= limit
        ids, cursor = [*ids, *(one.id for one in found.records)], found.cursor
        if cursor is None:
            return ids


def test_records_of_one_status_are_spread_over_all_partitions():
    shards = Counter(
        to_item(waiting(id=f"ordine-{n}"), RETENTION)["status_shard"]["S"] for n in range(6400)
    )
    assert len(shards) == SHARDS
    assert max(shards.values()) < 2 * 6400 / SHARDS


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moments=st.lists(st.integers(0, 4), max_size=24), limit=st.integers(1, 7))
def test_a_list_is_complete_and_in_order_however_many_share_a_moment(store, lists, moments, limit):
    run = next(_runs)
    number = f"+39333{run:07}"
    status = Status.UNKNOWN
    expected = []
    for n, second in enumerate(moments):
        created = START + timedelta(seconds=second)
        record = waiting(id=f"{run}-{n:02}", to=number, status=status, created_at=created)
        store.create(record)
        expected.append((created, record.id))
    in_order = [key for _, key in sorted(expected, reverse=True)]
    found = all_pages(lambda size, cursor: lists.to_recipient(number, size, cursor), limit)
    assert found == in_order
    of_run = [
        key
        for key in all_pages(lambda size, cursor: lists.in_status(status, size, cursor), limit)
        if key.startswith(f"{run}-")
    ]
    assert of_run == in_order


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moments=st.lists(st.integers(0, 5), max_size=16),
    ends=st.tuples(*[st.none() | st.integers(0, 6)] * 2),
    limit=st.integers(1, 4),
)
def test_a_period_includes_its_first_moment_and_not_its_last(store, lists, moments, ends, limit):
    run = next(_runs)
    number, status = f"+39333{run:07}", Status.EXPIRED
    since, until = ends
    start, end = (None if n is None else START + n * MOMENT for n in ends)
    expected = []
    for n, moment in enumerate(moments):
        created = START + moment * MOMENT
        record = waiting(id=f"{run}-{n:02}", to=number, status=status, created_at=created)
        store.create(record)
        if (since is None or moment >= since) and (until is None or moment < until):
            expected.append((created, record.id))
    in_order = [key for _, key in sorted(expected, reverse=True)]
    period = Period(start, end)
    pages = (
        lambda size, cursor: lists.to_recipient(number, size, cursor, period),
        lambda size, cursor: lists.in_status(status, size, cursor, period),
    )
    for page in pages:
        assert [key for key in all_pages(page, limit) if key.startswith(f"{run}-")] == in_order
    oldest_first = lists.ids_in_status(status, period, 1000)
    assert [key for key in oldest_first if key.startswith(f"{run}-")] == in_order[::-1]


def test_of_too_many_the_newest_are_found_the_oldest_of_them_first(store, lists):
    for n in range(5):
        created = START + timedelta(seconds=n)
        store.create(waiting(id=f"m-{n}", status=Status.UNKNOWN, created_at=created))
    assert lists.ids_in_status(Status.UNKNOWN, ALWAYS, 3) == ["m-2", "m-3", "m-4"]


def test_a_cursor_from_before_the_period_finds_nothing(store, lists):
    for n in range(3):
        created = START + timedelta(seconds=n)
        store.create(waiting(id=f"m-{n}", status=Status.UNKNOWN, created_at=created))
    cursor = lists.in_status(Status.UNKNOWN, 2, None).cursor
    later = Period(START + timedelta(seconds=2))
    assert lists.in_status(Status.UNKNOWN, 2, cursor, later) == Page([], None)


def test_a_page_reads_no_more_keys_than_its_partitions_need(store, lists, stack, hook):
    for n in range(200):
        created = START + timedelta(seconds=n)
        store.create(waiting(id=f"m-{n}", status=Status.SENT, created_at=created))
    read = []

    def note(parsed, **_):
        read.append(len(parsed["Items"]))

    hook(stack.dynamodb, "after-call.dynamodb.Query", note)
    page = lists.in_status(Status.SENT, 3, None)
    assert [one.id for one in page.records] == ["m-199", "m-198", "m-197"]
    assert len(read) <= 2 * SHARDS
    assert sum(read) <= 8 * SHARDS
