"""The notes of attempts, in the message table as the template defines it."""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from openvoip_sms.adapters.attempts import DynamoAttempts
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.delivery.ports import StoreUnavailable, Unfinished
from tests.fakes import START


@pytest.fixture
def attempts(stack):
    return DynamoAttempts(stack.dynamodb, stack["MessageTable"])


def test_the_last_note_of_each_message_is_kept_for_two_weeks(attempts, stack):
    assert attempts.unfinished("sqs-1") is None
    for n in (1, 2):
        attempts.note("sqs-1", n, START + timedelta(seconds=n))
    assert attempts.unfinished("sqs-1") == Unfinished(2, START + timedelta(seconds=2))
    assert attempts.unfinished("sqs-2") is None
    attempts.note("sqs-1", 0, START)
    assert attempts.unfinished("sqs-1") == Unfinished(0, START)
    [kept] = stack.dynamodb.scan(TableName=stack["MessageTable"])["Items"]
    assert int(kept["ttl"]["N"]) == int((START + timedelta(days=14)).timestamp())
    assert "sqs-1" not in json.dumps(kept)


def test_a_note_is_one_write_unit_and_in_no_index(attempts, stack, hook):
    """A unit for each kilobyte, and one for each index that an item has the keys of."""
    sent = []
    hook(
        stack.dynamodb,
        "provide-client-params.dynamodb.PutItem",
        lambda params, **_: sent.append(params["Item"]),
    )
    attempts.note("sqs-1", 1, START)
    [item] = sent
    assert len(json.dumps(item)) < 1024
    table = stack.dynamodb.describe_table(TableName=stack["MessageTable"])["Table"]
    for index in table["GlobalSecondaryIndexes"]:
        assert not {key["AttributeName"] for key in index["KeySchema"]} <= item.keys()


def test_notes_are_no_messages(attempts, stack):
    store = DynamoStore(stack.dynamodb, stack["MessageTable"], timedelta(days=90))
    attempts.note("m-1", 1, START)
    assert store.get("m-1") is None
    assert list(store.due(START)) == []


def test_a_table_that_does_not_answer_is_unavailable(attempts, stack, hook):
    def refused(**_):
        raise EndpointConnectionError(endpoint_url="nowhere")

    hook(stack.dynamodb, "before-send.dynamodb.*", refused)
    with pytest.raises(StoreUnavailable):
        attempts.unfinished("sqs-1")
    with pytest.raises(StoreUnavailable):
        attempts.note("sqs-1", 1, START)
