"""A claim at the table: without a read, and what the pure transition makes of the record."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvoip_sms.adapters.record_item import to_item
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules import transitions
from openvoip_sms.rules.record import HELD_BY, WAITING, Status
from tests.fakes import START
from tests.records import sending, waiting

RETENTION = timedelta(days=90)
NOW = START + timedelta(minutes=1)
OPTIONAL = {
    "segments": st.integers(1, 4),
    "cost_eur": st.decimals(0, 1, places=2),
    "reference": st.text("abc", min_size=1, max_size=5),
    "attempts": st.integers(0, 9),
    "gateway_code": st.sampled_from(["099", "http_503"]),
    "send_at": st.sampled_from([START, NOW]),
    "valid_for": st.sampled_from([60.0, 86400.5]),
    "refusals": st.integers(0, 2),
    "maybe_sent": st.booleans(),
    "decided_by": st.just("Anna Bianchi"),
    "check_at": st.sampled_from([START, NOW]),
    "version": st.integers(1, 50),
    "other_attributes": st.just({"of_a_later_version": Decimal(7)}),
}
RECORDS = st.fixed_dictionaries(
    {"status": st.sampled_from(sorted(WAITING))}, optional=OPTIONAL
).flatmap(
    lambda fields: st.sampled_from([None, *HELD_BY]).map(
        lambda reason: held(waiting(**fields), reason)
    )
)


def held(record, reason):
    if reason is None:
        return record
    return transitions.waiting_for(record, reason, NOW + timedelta(hours=1))


@pytest.fixture
def store(stack):
    return DynamoStore(stack.dynamodb, stack["MessageTable"], RETENTION)


def item(stack, key="m-1"):
    found = stack.dynamodb.get_item(TableName=stack["MessageTable"], Key={"id": {"S": key}})
    return found.get("Item")


def put(stack, stored):
    stack.dynamodb.put_item(TableName=stack["MessageTable"], Item=stored)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(record=RECORDS)
def test_the_update_is_what_the_transition_says(stack, store, record):
    put(stack, to_item(record, RETENTION))
    claimed = store.claim("m-1", "c-1", NOW)
    assert claimed == transitions.claimed(record, "c-1", NOW)
    put(stack, before := to_item(claimed, RETENTION))
    put(stack, to_item(record, RETENTION))
    store.claim("m-1", "c-1", NOW)
    assert item(stack) == item_as_stored(stack, before)


def item_as_stored(stack, wanted):
    """As the table writes numbers."""
    put(stack, wanted | {"id": {"S": "m-2"}})
    return item(stack, "m-2") | {"id": {"S": "m-1"}}


@pytest.mark.parametrize("status", sorted(set(Status) - WAITING))
def test_what_does_not_wait_is_not_claimed(stack, store, status):
    record = replace(sending(), status=status)
    put(stack, to_item(record, RETENTION))
    before = item(stack)
    assert store.claim("m-1", "c-2", NOW) == record
    assert item(stack) == before


@pytest.mark.parametrize(
    "fields",
    [{"expires_at": NOW}, {"send_at": NOW + timedelta(seconds=1), "status": Status.SCHEDULED}],
    ids=["expired", "too early"],
)
def test_what_is_not_due_is_not_claimed(stack, store, fields):
    record = waiting(**fields)
    put(stack, to_item(record, RETENTION))
    assert store.claim("m-1", "c-1", NOW) == record


def test_a_record_that_does_not_exist_is_not_made(stack, store):
    assert store.claim("m-1", "c-1", NOW) is None
    assert item(stack) is None


def test_of_two_workers_one_claims(store):
    store.create(waiting())
    first, second = store.claim("m-1", "c-1", NOW), store.claim("m-1", "c-2", NOW)
    assert (first.claim, second.claim) == ("c-1", "c-1")


def test_a_claim_whose_answer_was_lost_is_recognised_when_the_sdk_repeats_it(store):
    store.create(waiting())
    first = store.claim("m-1", "c-1", NOW)
    assert store.claim("m-1", "c-1", NOW) == first


@pytest.mark.parametrize(
    "damage",
    [{"text": None}, {"created_at": {"S": "ieri"}}, {"to": {"S": "390"}}, {"archive": {"N": "1"}}],
    ids=["no text", "bad time", "bad number", "wrong type"],
)
def test_a_record_that_cannot_be_read_is_left_as_it_was(stack, store, damage):
    damaged = to_item(waiting(), RETENTION) | damage
    put(stack, {name: value for name, value in damaged.items() if value is not None})
    before = item(stack)
    with pytest.raises(UnreadableRecord):
        store.claim("m-1", "c-1", NOW)
    assert item(stack) == before


def test_a_record_of_a_later_version_is_left_as_it_is(stack, store):
    put(stack, to_item(waiting(), RETENTION) | {"status": {"S": "postponed"}})
    before = item(stack)
    with pytest.raises(UnreadableRecord):
        store.claim("m-1", "c-1", NOW)
    assert item(stack) == before


def test_a_damaged_record_whose_undo_fails_is_reported_all_the_same(stack, store, hook):
    put(stack, to_item(waiting(), RETENTION) | {"created_at": {"S": "ieri"}})

    def fail(**_):
        raise ReadTimeoutError(endpoint_url="https://dynamodb.example")

    hook(stack.dynamodb, "provide-client-params.dynamodb.PutItem", fail)
    with pytest.raises(Exception, match=r"cannot be read|ReadTimeoutError"):
        store.claim("m-1", "c-1", NOW)
