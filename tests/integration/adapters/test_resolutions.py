"""Decisions about many records in the table: stored whole or not at all."""

import itertools
from datetime import timedelta

import pytest

from openvoip_sms.adapters import resolutions
from openvoip_sms.adapters.resolutions import DynamoResolutions
from openvoip_sms.delivery.ports import StoredResolution, StoreUnavailable
from openvoip_sms.rules.message import ID_PATTERN
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.resolution import Decision, Doubt, Resolution
from tests.fakes import START

RETENTION = timedelta(days=90)
FULL = Resolution(
    id="guasto:24-novembre",
    period=Period(START, START + timedelta(milliseconds=1)),
    decision=Decision.CONFIRM,
    messages=3,
    source="webhook:shopify",
    by="Anna Bianchi",
)
SHORT = Resolution("r-1", Period(START, START + timedelta(hours=1)), Decision.RESEND, 1)
DOUBTS = [Doubt("m-2", 3), Doubt("m-1", 12), Doubt("m-3", 2)]


def adapter(stack):
    tokens = (f"t-{n}" for n in itertools.count())
    return DynamoResolutions(stack.dynamodb, stack["MessageTable"], RETENTION, lambda: next(tokens))


@pytest.fixture
def made(stack):
    return adapter(stack)


def items(stack):
    return stack.dynamodb.scan(TableName=stack["MessageTable"])["Items"]


@pytest.mark.parametrize("resolution", [FULL, SHORT])
def test_a_decision_is_read_as_it_was_stored(made, resolution):
    stored = StoredResolution(resolution, DOUBTS)
    assert made.get(resolution.id) is None
    assert made.create(resolution, DOUBTS, START) == stored
    assert made.get(resolution.id) == stored


def test_no_message_can_have_the_key_of_a_decision_and_all_of_it_expires(made, stack):
    made.create(FULL, DOUBTS, START)
    assert len(items(stack)) == 2
    for item in items(stack):
        assert not ID_PATTERN.fullmatch(item["id"]["S"])
        assert item["ttl"] == {"N": str(int((START + RETENTION).timestamp()))}


def test_what_an_item_cannot_hold_is_in_several(made, stack, monkeypatch):
    monkeypatch.setattr(resolutions, "PART", 2)
    doubts = [Doubt(f"m-{n}", n) for n in range(5)]
    assert made.create(FULL, doubts, START).doubts == doubts
    assert made.get(FULL.id).doubts == doubts
    assert len(items(stack)) == 4


def test_the_longest_ids_fit_into_an_item(made, stack, recorded_calls):
    calls = recorded_calls(stack.dynamodb, "PutItem")
    doubts = [Doubt(f"{n:0128}", 10**9) for n in range(resolutions.PART)]
    assert made.create(FULL, doubts, START).doubts == doubts
    assert all(len(str(call["Item"])) < 400_000 for call in calls)


def test_the_decision_that_was_stored_first_is_the_one_that_counts(made):
    made.create(FULL, DOUBTS, START)
    later = [Doubt("m-7", 1), *DOUBTS[1:]]
    assert made.create(FULL, later, START) == StoredResolution(FULL, DOUBTS)
    assert made.get(FULL.id) == StoredResolution(FULL, DOUBTS)


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_half_written_decision_is_none(made, stack, hook, monkeypatch, written):
    monkeypatch.setattr(resolutions, "PART", 2)
    left = iter(range(written))

    def stop(**_):
        if next(left, None) is None:
            raise StoreUnavailable("ends here")

    hook(stack.dynamodb, "before-call.dynamodb.PutItem", stop)
    with pytest.raises(StoreUnavailable):
        made.create(FULL, DOUBTS, START)
    assert len(items(stack)) == written
    assert made.get(FULL.id) is None
    left = iter(range(9))
    later = [Doubt("m-9", 1)]
    assert made.create(FULL, later, START).doubts == later


def test_a_first_call_that_is_overtaken_changes_nothing_of_the_other(stack, hook):
    """Both have found no decision, and know different doubts."""
    slow, fast = (
        adapter(stack),
        DynamoResolutions(stack.dynamodb, stack["MessageTable"], RETENTION, lambda: "fast"),
    )
    pending = [lambda: fast.create(FULL, DOUBTS, START)]

    def overtake(params, **_):
        if pending and params["Item"]["id"]["S"].endswith(FULL.id):
            pending.pop()()

    hook(stack.dynamodb, "provide-client-params.dynamodb.PutItem", overtake)
    assert slow.create(FULL, [Doubt("m-8", 1)], START) == StoredResolution(FULL, DOUBTS)
    assert fast.get(FULL.id) == StoredResolution(FULL, DOUBTS)
