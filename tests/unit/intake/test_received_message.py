"""Whatever a batch contains is a message, or says that it is none."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.delivery.ports import MAX_MESSAGE_BYTES
from openvoip_sms.intake.received_message import received_message

WHOLE = {
    "messageId": "sqs-1",
    "receiptHandle": "handle",
    "body": "{}",
    "attributes": {"ApproximateReceiveCount": "7", "SentTimestamp": "1795512600250"},
}


def test_a_record_of_sqs_is_read_whole():
    message = received_message(WHOLE)
    assert (message.sqs_id, message.body, message.receipt_handle) == ("sqs-1", "{}", "handle")
    assert (message.receives, message.fault) == (7, "")
    assert message.queued_at == datetime(2026, 11, 24, 9, 30, 0, 250_000, UTC)


@pytest.mark.parametrize(
    "attributes",
    [None, {}, [], "7", 7, {"ApproximateReceiveCount": None}]
    + [
        {"ApproximateReceiveCount": odd} for odd in ("", "x", "-1", "0", "1.5", [], "9" * 5000, "٣")
    ],
)
def test_a_count_that_is_missing_or_odd_is_the_first(attributes):
    message = received_message(WHOLE | {"attributes": attributes})
    assert (message.receives, message.fault) == (1, "")


@pytest.mark.parametrize("odd", [None, "", "x", "-1", "0", "1.5", [], "9" * 15, "9" * 5000, True])
def test_a_moment_of_queueing_that_is_missing_or_odd_is_not_known(odd):
    message = received_message(WHOLE | {"attributes": {"SentTimestamp": odd}})
    assert (message.queued_at, message.fault) == (None, "")


def redriven(**own):
    return received_message(WHOLE | {"messageAttributes": own}).queued_at


def test_what_was_dead_lettered_and_redriven_counts_from_its_first_queueing():
    first = "2026-11-21T09:30:00.000Z"
    assert redriven(queued_at={"stringValue": first}) == datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "own",
    [
        None,
        "2026-11-21T09:30:00.000Z",
        {},
        {"stringValue": None},
        {"stringValue": "ieri"},
        {"stringValue": "2026-11-21"},
        {"stringValue": "0001-01-01T00:00:00+14:00"},
        {"stringValue": "2026-12-24T09:30:00.000Z"},
    ],
)
def test_a_first_queueing_that_is_odd_or_later_does_not_count(own):
    assert redriven(queued_at=own) == datetime(2026, 11, 24, 9, 30, 0, 250_000, UTC)


def test_a_record_without_attributes_or_handle_is_a_message_all_the_same():
    message = received_message({"messageId": "sqs-1", "body": "{}"})
    assert (message.receipt_handle, message.receives, message.fault) == ("", 1, "")


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"messageId": "sqs-1"},
        {"messageId": "sqs-1", "body": None},
        {"messageId": "sqs-1", "body": ""},
        {"messageId": "sqs-1", "body": {"to": "333"}},
        {"body": "{}"},
        {"messageId": None, "body": "{}"},
        {"messageId": "a b", "body": "{}"},
        {"EventSource": "aws:sns", "Sns": {"Message": "{}"}},
    ],
)
def test_a_record_without_id_or_body_is_malformed_and_kept_whole(record):
    message = received_message(record)
    assert message.fault == "malformed_record"
    body = record.get("body")
    assert message.body == (body if body and isinstance(body, str) else json.dumps(record))


def test_a_malformed_record_is_kept_as_far_as_a_queue_takes_it():
    """A batch whose dead letter is refused for ever would be delivered again a thousand times."""
    message = received_message({"messageId": "sqs-1", "body": ["è" * MAX_MESSAGE_BYTES]})
    assert len(message.body.encode()) == MAX_MESSAGE_BYTES


@pytest.mark.parametrize("name", ["ApproximateReceiveCount", "SentTimestamp"])
def test_a_number_that_python_refuses_to_write_is_none(name):
    message = received_message(WHOLE | {"attributes": {name: 10**5000}})
    assert (message.receives, message.queued_at, message.fault) == (1, None, "")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*WHOLE, "ApproximateReceiveCount", "SentTimestamp"]) | st.text(),
                inner,
                max_size=5,
            )
        ),
        max_leaves=8,
    )
)
def test_no_record_of_any_shape_raises(record):
    message = received_message(record)
    assert message.body
    assert message.receives >= 1
