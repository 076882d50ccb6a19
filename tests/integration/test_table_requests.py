"""What a message costs at the table, by the HTTP requests that a warm container makes."""

import json
from collections import Counter

import pytest

from openvoip_sms.delivery.ports import MAX_CONTROL_AGE
from openvoip_sms.rules import limits
from openvoip_sms.wiring import core
from tests.benchmarks.hottest_keys import fullest, kind_of
from tests.emulated_stack import client as shared_client
from tests.table_requests import TableRequests
from tests.ways_in import SECRETS, Clock, WaysIn, sources


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(core, "clock", clock)
    return clock


@pytest.fixture
def ways(clock, deploy, stack, tmp_path, monkeypatch):
    """All functions, each of which has handled a message within the last second."""
    service = deploy()
    (tmp_path / "sources.yaml").write_text(sources(), "utf-8")
    monkeypatch.setenv("SOURCES_FILE", str(tmp_path / "sources.yaml"))
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
    )
    ways = WaysIn(service, clock)
    ways.warm_up()
    return ways


@pytest.fixture
def made(ways):
    """What was requested since the last call of it, by operation and kind of item."""
    requests = TableRequests(ways.service.stack["MessageTable"], with_items=False)
    with requests.of(shared_client("dynamodb")):
        yield lambda: Counter(named(one) for one in requests.taken())


def named(request):
    """`PutItem`: of the record itself."""
    kind = request.key.split("#")[1] if request.key.startswith("#") else ""
    return f"{request.operation} {kind}".strip()


def test_a_queue_message_costs_two_writes_and_one_for_the_daily_limit(ways, made):
    for with_id in (True, False):
        ways.queue(with_id=with_id)
        assert made() == {"GetItem control": 1, "PutItem": 2, "UpdateItem usage": 1}


def test_ten_queue_messages_in_one_batch_read_the_control_item_once(ways, clock, made):
    clock.now += MAX_CONTROL_AGE
    ways.queue_batch()
    assert made() == {"GetItem control": 1, "PutItem": 20, "UpdateItem usage": 10}


def test_a_call_that_waits_costs_two_writes_and_one_for_the_daily_limit(ways, made):
    ways.waiting_api()
    assert made() == {"PutItem": 2, "UpdateItem usage": 1}


def test_calls_that_wait_read_the_control_item_once_in_two_seconds(ways, clock, made):
    clock.now += MAX_CONTROL_AGE
    ways.waiting_api()
    ways.waiting_api()
    assert made() == {"GetItem control": 1, "PutItem": 4, "UpdateItem usage": 2}


CLAIMED = {"GetItem control": 1, "UpdateItem": 1, "PutItem": 2, "UpdateItem usage": 1}


def test_an_asynchronous_call_costs_three_writes_and_one_for_the_daily_limit(ways, made):
    ways.async_api()
    assert made() == CLAIMED


def test_a_call_for_later_costs_three_writes_and_one_for_the_daily_limit(ways, made):
    ways.scheduled_api()
    assert made() == CLAIMED


def test_a_webhook_costs_one_write_more_for_its_limits(ways, made):
    ways.webhook(signed=True)
    assert made() == CLAIMED | {"UpdateItem range-signed": 1}
    ways.webhook(signed=False)
    assert made() == CLAIMED | {"UpdateItem range": 1}


def test_a_webhook_in_its_sources_sample_costs_one_more_write(ways, made):
    ways.webhook(signed=False, sampled=True)
    assert made() == CLAIMED | {"UpdateItem range": 1, "UpdateItem source": 1}


def test_a_retry_costs_four_writes_more_and_two_for_the_note_of_an_attempt(ways, made):
    ways.retried()
    retry = {"UpdateItem": 1, "PutItem": 1, "UpdateItem usage": 2, "PutItem attempts": 2}
    reads = {"GetItem control": 1, "GetItem attempts": 1}
    assert made() == Counter(CLAIMED) + Counter(retry) + Counter(reads)


def test_a_source_that_may_pause_is_read_once_in_two_seconds(ways, clock, made):
    """A source that signs never pauses."""
    clock.now += limits.PAUSE_SEEN_WITHIN
    for _ in range(2):
        ways.webhook(signed=True)
        ways.webhook(signed=False)
    assert made()["GetItem source"] == 1


def test_a_message_that_is_held_costs_one_write_and_four_once_it_is_woken(ways, made):
    ways.switch(paused=True)
    made()
    ways.held()
    # What holds it is read again at the moment at which it is stored so.
    assert made() == {"GetItem control": 2, "PutItem": 1}
    ways.switch(paused=False)
    made()
    ways.wake()
    run = made()
    assert (run["UpdateItem"], run["PutItem"], run["GetItem"]) == (1, 0, 0)
    ways.deliver()
    assert made() == CLAIMED | {"PutItem": 1}


def test_nothing_is_written_where_all_messages_would_write_but_the_days_counter(ways, made):
    """The control item is written when somebody changes it, or the gateway does not answer."""
    ways.queue_batch()
    ways.async_api()
    ways.webhook(signed=True)
    shared = {name for name in made() if " " in name and not name.startswith("GetItem")}
    assert shared == {"UpdateItem usage", "UpdateItem range-signed"}


def writes_a_second(requests):
    """Of the fullest partition of each index, when a thousand messages a second do the same."""
    kinds = [kind_of(unit) for one in requests for unit in one.units]
    times = Counter(kind.name for kind in kinds)
    return {one.name: 1000 * times[one.name] * fullest(one.shard) for one in kinds if one.shard}


def test_no_partition_takes_a_hundred_writes_a_second_at_a_thousand_messages(ways):
    table = TableRequests(ways.service.stack["MessageTable"])
    with table.of(shared_client("dynamodb")):
        ways.webhook(signed=False)
        rates = writes_a_second(table.taken())
        assert len(rates) == 4, rates
        assert max(rates.values()) < 100, rates
        ways.switch(paused=True)
        ways.held()
        ways.switch(paused=False)
        table.taken()
        ways.wake()  # as many at once as the sender can do
        ways.deliver()
        rates = writes_a_second(table.taken())
        assert len(rates) == 5, rates
        assert max(rates.values()) < 100, rates
