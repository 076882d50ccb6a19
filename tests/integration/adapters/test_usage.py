"""The day's counters, in the table as the template defines it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from openvoip_sms.adapters.usage import DynamoUsage
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import Place
from openvoip_sms.rules.usage import DayUsage
from tests.fakes import START
from tests.records import waiting

DAY = START.date()
PRICE = Decimal("0.09")
ENDPOINT = {"endpoint_url": "https://canary"}


@pytest.fixture
def not_counted():
    return []


@pytest.fixture
def usage(stack, not_counted):
    def told(record, error):
        not_counted.append((record.id, str(error)))

    return DynamoUsage(stack.dynamodb, stack.dynamodb, stack["MessageTable"], told)


def message(segments=1, claim="c-1", now=START, **fields):
    record = waiting(segments=segments, cost_eur=PRICE * segments, **fields)
    return transitions.claimed(record, claim, now)


def item(stack, day=DAY):
    key = {"id": {"S": f"#usage#{day}"}}
    return stack.dynamodb.get_item(TableName=stack["MessageTable"], Key=key).get("Item")


def on(usage, day=DAY):
    [found] = usage.days(day, day)
    return found


# Reserved


def test_a_message_is_counted_with_its_cost_and_its_source(usage):
    assert usage.reserve(message(2), 10) == Place(DAY, 1, "c-1")
    assert usage.reserve(message(1, "c-2", source="queue"), 10) == Place(DAY, 2, "c-2")
    assert on(usage) == DayUsage(DAY, 3, 2, Decimal("0.27"), 0, {"api": 2, "queue": 1})
    assert usage.used(DAY) == 3


@pytest.mark.parametrize(("segments", "fits"), [(3, True), (4, False)])
def test_the_limit_may_be_reached_and_not_exceeded(usage, segments, fits):
    usage.reserve(message(7), 10)
    assert (usage.reserve(message(segments), 10) is not None) == fits
    assert usage.used(DAY) == (10 if fits else 7)


@pytest.mark.parametrize(("segments", "fits"), [(10, True), (11, False)])
def test_the_limit_holds_for_the_first_message_of_a_day(usage, stack, segments, fits):
    assert (usage.reserve(message(segments), 10) is not None) == fits
    assert (item(stack) is not None) == fits


def test_a_shorter_message_that_fits_may_go(usage):
    usage.reserve(message(8), 10)
    assert usage.reserve(message(3), 10) is None
    assert usage.reserve(message(2), 10) is not None


def test_without_a_limit_everything_is_counted(usage):
    assert usage.reserve(message(100_000), 0) is not None
    assert usage.used(DAY) == 100_000


def test_a_message_counts_for_the_day_in_rome_of_its_claim(usage):
    midnight = datetime(2026, 11, 24, 23, tzinfo=UTC)
    usage.reserve(message(1, now=midnight - timedelta(milliseconds=1)), 1)
    assert usage.reserve(message(1, now=midnight), 1) == Place(date(2026, 11, 25), 1, "c-1")
    assert (usage.used(DAY), usage.used(date(2026, 11, 25))) == (1, 1)


def test_the_limit_is_exact_however_many_reserve_at_once(usage):
    together = Barrier(40)

    def reserve(number):
        together.wait(60)
        return usage.reserve(message(1, f"c-{number}"), 10)

    with ThreadPoolExecutor(40) as threads:
        places = [one for one in threads.map(reserve, range(40)) if one is not None]
    assert sorted(one.number for one in places) == list(range(1, 11))
    assert len({one.claim for one in places}) == 10
    assert usage.used(DAY) == 10


def test_campaigns_are_counted_together(usage):
    for name in ("natale", "saldi"):
        usage.reserve(message(2, source=f"campaign:{name}"), 0)
    assert on(usage).by_source == {"campaign": 4}


# Given back, uncertain


def test_what_is_given_back_leaves_room_and_its_place(usage):
    first = message(10)
    usage.reserve(first, 10)
    usage.give_back(first)
    assert on(usage) == DayUsage(DAY)
    assert usage.reserve(message(10, "c-2"), 10) == Place(DAY, 1, "c-2")


def test_what_is_uncertain_uses_the_limit_and_is_in_no_other_figure(usage):
    doubt = message(4)
    usage.reserve(doubt, 10)
    usage.reserve(message(3, "c-2", source="queue"), 10)
    usage.add_uncertain(doubt)
    assert on(usage) == DayUsage(DAY, 3, 1, Decimal("0.27"), 4, {"queue": 3})
    assert usage.used(DAY) == 7
    usage.remove_uncertain(doubt)
    assert on(usage) == DayUsage(DAY, 7, 2, Decimal("0.63"), 0, {"api": 4, "queue": 3})


def test_what_was_never_counted_makes_no_figure_negative(usage):
    """A worker may die between its claim and its reservation."""
    usage.add_uncertain(message(4))
    assert on(usage) == DayUsage(DAY, uncertain_segments=4)


def test_a_correction_counts_for_the_day_of_the_claim(usage):
    late = message(2)
    usage.reserve(late, 10)
    usage.give_back(replace(late, updated_at=START + timedelta(days=1)))
    assert usage.used(DAY) == 0


# A counter that does not answer


def failing(hook, client, error, *, applied):
    """Lets each write fail with this error, applied or not."""
    passed = []

    def fail(params, **_):
        if passed:
            return
        if applied:
            passed.append(params)
            client.update_item(**params)
            passed.clear()
        raise error

    hook(client, "provide-client-params.dynamodb.UpdateItem", fail)


def only_the_first(hook, client, error, *, applied):
    calls = []

    def fail(params, **_):
        calls.append(params)
        if len(calls) > 1:
            return
        if applied:
            client.update_item(**params)
        raise error

    hook(client, "provide-client-params.dynamodb.UpdateItem", fail)


def test_a_reservation_whose_answer_is_lost_is_uncertain(usage, stack, hook):
    only_the_first(hook, stack.dynamodb, ReadTimeoutError(**ENDPOINT), applied=True)
    with pytest.raises(StoreUnavailable):
        usage.reserve(message(4), 10)
    assert usage.used(DAY) == 4
    assert on(usage) == DayUsage(DAY, uncertain_segments=4)


@pytest.mark.parametrize("error", [ConnectTimeoutError, EndpointConnectionError])
def test_a_reservation_that_never_arrived_is_tried_once_more(usage, stack, hook, error):
    only_the_first(hook, stack.dynamodb, error(**ENDPOINT), applied=False)
    assert usage.reserve(message(4), 10)
    assert on(usage).segments == 4


@pytest.mark.parametrize("error", [ConnectTimeoutError, EndpointConnectionError])
def test_a_reservation_that_never_arrives_is_not_uncertain(usage, stack, hook, error):
    def fail(**_):
        raise error(**ENDPOINT)

    hook(stack.dynamodb, "provide-client-params.dynamodb.UpdateItem", fail)
    with pytest.raises(StoreUnavailable):
        usage.reserve(message(4), 10)
    assert item(stack) is None


def test_a_reservation_is_tried_once_by_the_client_for_it(stack, not_counted):
    class Once:
        exceptions = stack.dynamodb.exceptions
        calls = 0

        def update_item(self, **_):
            self.calls += 1
            raise ReadTimeoutError(**ENDPOINT)

    once = Once()
    usage = DynamoUsage(
        stack.dynamodb, once, stack["MessageTable"], lambda one, _: not_counted.append(one.id)
    )
    with pytest.raises(StoreUnavailable):
        usage.reserve(message(4), 10)
    assert once.calls == 2  # the reservation, and that it is uncertain
    usage.give_back(message(4))
    assert once.calls == 3
    assert not_counted == ["m-1", "m-1"]


@pytest.mark.parametrize(
    "correct", [DynamoUsage.give_back, DynamoUsage.add_uncertain, DynamoUsage.remove_uncertain]
)
@pytest.mark.parametrize("applied", [True, False])
def test_a_correction_that_fails_is_reported_and_not_repeated(
    usage, stack, hook, *, not_counted, correct, applied
):
    usage.reserve(message(4), 10)
    failing(hook, stack.dynamodb, ReadTimeoutError(**ENDPOINT), applied=applied)
    correct(usage, message(4))
    assert not_counted == [("m-1", "ReadTimeoutError")]


def test_reading_a_day_of_a_table_that_does_not_answer_is_unavailable(usage, stack, hook):
    def fail(**_):
        raise ReadTimeoutError(**ENDPOINT)

    hook(stack.dynamodb, "before-send.dynamodb.*", fail)
    for read in (lambda: usage.used(DAY), lambda: usage.days(DAY, DAY)):
        with pytest.raises(StoreUnavailable):
            read()


# Reading


def test_a_day_on_which_nothing_was_sent_is_empty(usage):
    assert on(usage) == DayUsage(DAY)
    assert usage.used(DAY) == 0


def test_a_whole_leap_year_is_read_in_order(usage, stack, recorded_calls):
    first, last = date(2028, 1, 1), date(2028, 12, 31)
    used = {date(2028, 1, 1): 3, date(2028, 2, 29): 2, date(2028, 12, 31): 1}
    for day, segments in used.items():
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        usage.reserve(message(segments, now=noon), 0)
    reads = recorded_calls(stack.dynamodb, "BatchGetItem")
    days = usage.days(first, last)
    assert [one.day for one in days] == [first + timedelta(days=n) for n in range(366)]
    assert {one.day: one.segments for one in days if one.segments} == used
    assert len(reads) == 4


def test_days_that_the_table_left_out_are_asked_for_again(usage, stack, hook):
    days = [DAY + timedelta(days=n) for n in range(3)]
    for day in days:
        usage.reserve(message(1, now=START + (day - DAY)), 0)
    asked = []

    def one_at_a_time(parsed, **_):
        found = parsed["Responses"][stack["MessageTable"]]
        asked.append(len(found))
        left = [{"id": one["id"]} for one in found[1:]]
        del found[1:]
        if left:
            keys = {"Keys": left, "ConsistentRead": True}
            parsed["UnprocessedKeys"] = {stack["MessageTable"]: keys}

    hook(stack.dynamodb, "after-call.dynamodb.BatchGetItem", one_at_a_time)
    assert [one.segments for one in usage.days(days[0], days[-1])] == [1, 1, 1]
    assert asked == [3, 2, 1]


def size(attributes):
    """Of an item, as DynamoDB counts it: names, texts, and a byte for two digits of a number."""
    numbers = sum(2 + (len(one["N"]) + 1) // 2 for one in attributes.values() if "N" in one)
    texts = sum(len(one["S"].encode()) for one in attributes.values() if "S" in one)
    return sum(len(name.encode()) for name in attributes) + numbers + texts


def test_an_item_of_twenty_sources_costs_one_write_unit(usage, stack):
    """Up to 1,024 bytes."""
    for number in range(20):
        one = message(99_999, source=f"webhook:negozio-{number:02}")
        usage.reserve(one, 0)
        if number < 5:
            usage.add_uncertain(one)
    assert len(on(usage).by_source) == 15
    assert size(item(stack)) < 1024


def test_a_day_is_deleted_when_nobody_can_ask_for_it_any_more(usage, stack):
    """A year can be asked for, and the one before."""
    usage.reserve(message(), 0)
    deleted = datetime.fromtimestamp(int(item(stack)["ttl"]["N"]), UTC)
    assert START + timedelta(days=2 * 366) < deleted < START + timedelta(days=3 * 365)
