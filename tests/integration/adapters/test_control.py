"""The item that holds all messages back, in the table as the template defines it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvoip_sms.adapters.control import KEY, DynamoControl
from openvoip_sms.delivery.ports import MAX_CONTROL_AGE, StoreUnavailable, UnreadableRecord
from openvoip_sms.rules import brake as rules
from openvoip_sms.rules.brake import Brake, BrakeState, Place
from openvoip_sms.rules.sending import Pause, Sending, with_brake, with_pause
from tests.fakes import START, FakeClock

PAUSE = Pause(START, "guasto al sito", "Anna")
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def found():
    return []


@pytest.fixture
def container(stack, clock, found):
    """Makes the control of a container: each remembers for itself."""
    return lambda: DynamoControl(stack.dynamodb, stack["MessageTable"], clock, found.append)


def pause(sending):
    return with_pause(sending, PAUSE)


def resume(sending):
    return with_pause(sending, None)


def half_opened(size):
    brake = Brake(BrakeState.HALF_OPEN, START, half_open_since=START, half_open_size=size)
    return lambda sending: with_brake(sending, brake)


def taker(clock):
    """A change that takes a permit, and what it has got."""
    got = []

    def take(sending):
        taken = rules.taken(sending.brake, clock())
        got[:] = [taken[1]] if taken else []
        return with_brake(sending, taken[0]) if taken else sending

    return take, got


# What is stored


def test_before_the_first_change_nothing_is_held_back(container):
    assert container().current() == Sending()


def test_a_change_is_seen_by_every_container(container):
    before, after = container().change(pause)
    assert (before, after) == (Sending(), Sending(PAUSE, version=1))
    assert container().fresh() == after
    container().change(resume)
    assert container().fresh() == Sending(version=2)


MOMENTS = st.integers(0, 10**9).map(lambda n: START + n * MILLISECOND)
PLACES = st.builds(
    Place, st.dates(), st.integers(1, 10**6), st.text("0123456789abcdef ", max_size=16)
)
BRAKES = st.builds(
    Brake,
    st.sampled_from(BrakeState),
    since=st.none() | MOMENTS,
    pauses=st.integers(0, 100),
    next_try=st.none() | MOMENTS,
    probing_until=st.none() | MOMENTS,
    unclear=st.lists(PLACES, max_size=64).map(tuple),
    half_open_since=st.none() | MOMENTS,
    half_open_size=st.integers(0, 8),
    half_open_taken=st.integers(0, 8),
    half_open_clear=st.integers(0, 8),
)
PAUSES = st.builds(Pause, MOMENTS, st.none() | st.text(min_size=1), st.none() | st.just("Anna"))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none() | PAUSES, BRAKES)
def test_whatever_is_stored_is_read_as_it_was_written(container, given_pause, brake):
    def change(sending):
        return with_pause(with_brake(sending, brake), given_pause)

    _, after = container().change(change)
    assert (after.pause, after.brake) == (given_pause, brake)
    assert container().fresh() == after


def test_a_change_that_changes_nothing_is_not_written(container, stack, recorded_calls):
    container().change(pause)
    writes = recorded_calls(stack.dynamodb, "PutItem")
    before, after = container().change(pause)
    assert before == after == Sending(PAUSE, version=1)
    assert writes == []


# What a container remembers


def test_it_is_read_once_in_two_seconds(container, clock, stack, recorded_calls):
    reads, control = recorded_calls(stack.dynamodb, "GetItem"), container()
    for _ in range(3):
        control.current()
        clock.now = START + MAX_CONTROL_AGE - MILLISECOND
    assert len(reads) == 1
    container().change(pause)
    assert control.current() == Sending()
    clock.advance(0.001)
    assert control.current() == Sending(PAUSE, version=1)
    assert all(params["ConsistentRead"] for params in reads)


def test_its_own_change_is_remembered(container, stack, recorded_calls):
    control = container()
    control.change(pause)
    reads = recorded_calls(stack.dynamodb, "GetItem")
    assert control.current().pause == PAUSE
    assert reads == []


def test_a_fresh_read_passes_what_is_remembered(container):
    control = container()
    control.current()
    container().change(pause)
    assert control.fresh().pause == PAUSE
    assert control.current().pause == PAUSE


def test_a_clock_that_was_set_back_makes_nothing_remembered_for_longer(container, clock):
    control = container()
    control.current()
    container().change(pause)
    clock.advance(-3600)
    assert control.current().pause == PAUSE


def test_a_resume_counts_though_its_container_does_not_know_of_the_pause(container):
    control = container()
    control.current()
    container().change(pause)
    assert control.change(resume) == (Sending(PAUSE, version=1), Sending(version=2))


# Two at once


def test_a_change_is_made_from_what_another_has_stored_meanwhile(container):
    late = container()
    late.current()
    container().change(pause)
    before, after = late.change(half_opened(1))
    assert before == Sending(PAUSE, version=1)
    assert (after.pause, after.brake.half_open_size, after.version) == (PAUSE, 1, 2)


def test_of_two_containers_that_take_the_last_permit_one_gets_it(container, clock):
    """Both make the same of the same version: the second must not take it for its own write."""
    container().change(half_opened(1))
    first, second = container(), container()
    first.current()
    second.current()
    (take, got), (take_too, got_too) = taker(clock), taker(clock)
    first.change(take)
    second.change(take_too)
    assert (len(got), len(got_too)) == (1, 0)
    assert container().fresh().brake.half_open_taken == 1


def test_many_at_once_take_no_more_permits_than_there_are(container, clock):
    container().change(half_opened(8))
    together = Barrier(12)

    def work(_):
        control, (take, got) = container(), taker(clock)
        control.current()
        together.wait(60)
        control.change(take)
        return len(got)

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(work, range(12))) == 8
    assert container().fresh().brake.half_open_taken == 8


# An unavailable table


def test_a_write_that_the_sdk_retried_is_recognised(container, stack, clock, hook):
    """Its first response was lost, and the second says that the version is not current."""
    container().change(half_opened(1))
    control, (take, got) = container(), taker(clock)
    control.current()
    lost = []

    def write_twice(params, **_):
        if not lost:
            lost.append(params)
            stack.dynamodb.put_item(**params)

    hook(stack.dynamodb, "provide-client-params.dynamodb.PutItem", write_twice)
    _, after = control.change(take)
    assert (len(lost), len(got), after.brake.half_open_taken) == (1, 1, 1)
    assert container().fresh() == after


@pytest.mark.parametrize("error", [ReadTimeoutError, EndpointConnectionError])
@pytest.mark.parametrize(
    "call", [DynamoControl.current, DynamoControl.fresh, lambda control: control.change(pause)]
)
def test_a_table_that_does_not_answer_is_unavailable(container, stack, hook, call, error):
    def fail(**_):
        raise error(endpoint_url="https://canary")

    hook(stack.dynamodb, "before-send.dynamodb.*", fail)
    with pytest.raises(StoreUnavailable, match=f"^{error.__name__}$"):
        call(container())


# Damage

DAMAGED = {
    "a state of a later version": {"brake": {"S": "half_shut"}},
    "no version": {"version": None},
    "a text as version": {"version": {"S": "x"}},
    "no date and time": {"brake_since": {"S": "gestern"}},
    "a number as time": {"paused_since": {"N": "7"}},
    "no place": {"brake_unclear": {"L": [{"S": "x"}]}},
    "numbers as places": {"brake_unclear": {"L": [{"N": "7"}]}},
    "no number": {"brake_pauses": None},
}


@pytest.mark.parametrize("changed", DAMAGED.values(), ids=DAMAGED)
def test_an_item_that_cannot_be_read_is_reported_and_not_overwritten(
    container, stack, found, changed
):
    container().change(half_opened(1))
    key = {"TableName": stack["MessageTable"], "Key": {"id": {"S": KEY}}}
    item = stack.dynamodb.get_item(**key)["Item"] | changed
    item = {name: value for name, value in item.items() if value is not None}
    stack.dynamodb.put_item(TableName=stack["MessageTable"], Item=item)
    for call in (DynamoControl.current, DynamoControl.fresh, lambda one: one.change(pause)):
        with pytest.raises(UnreadableRecord):
            call(container())
    assert stack.dynamodb.get_item(**key)["Item"] == item
    assert [one.id for one in found] == [KEY] * 3


def test_an_item_that_becomes_unreadable_under_a_change_is_not_overwritten(container, stack):
    control = container()
    control.change(half_opened(1))
    key = {"TableName": stack["MessageTable"], "Key": {"id": {"S": KEY}}}
    item = stack.dynamodb.get_item(**key)["Item"]
    later = item | {"brake": {"S": "half_shut"}, "version": {"N": "2"}}
    stack.dynamodb.put_item(TableName=stack["MessageTable"], Item=later)
    with pytest.raises(UnreadableRecord):
        control.change(pause)
    assert stack.dynamodb.get_item(**key)["Item"] == later
