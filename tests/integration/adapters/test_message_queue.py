"""The queues, as the template defines them."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError

from openvoip_sms.adapters.message_queue import SqsQueue
from openvoip_sms.delivery.ports import QueueUnavailable
from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.fakes import START


@pytest.fixture
def queue(stack):
    return SqsQueue(stack.sqs, stack["MessageQueue"], stack["DeadLetterQueue"])


def test_the_queue_gets_a_pointer_and_nothing_of_the_message(queue, stack):
    queue.put("m-1")
    [received] = stack.received()
    assert json.loads(received["Body"]) == {"stored_message": "m-1"}


@pytest.mark.parametrize(
    ("delay", "seconds"), [(0.0, 0), (0.2, 1), (899.5, 900), (900.0, 900), (7200.0, 900)]
)
def test_a_delay_is_whole_seconds_up_to_what_the_queue_allows(
    queue, stack, recorded_calls, delay, seconds
):
    sent = recorded_calls(stack.sqs, "SendMessage")
    queue.put("m-1", delay)
    assert [params["DelaySeconds"] for params in sent] == [seconds]
    assert (stack.received() == []) == (seconds > 0)


@pytest.mark.parametrize(("requested", "seconds"), [(0.5, 1), (120.0, 120), (21_600, 21_600)])
def test_a_received_message_is_redelivered_after_the_requested_delay(
    queue, stack, recorded_calls, requested, seconds
):
    queue.put("m-1")
    changes = recorded_calls(stack.sqs, "ChangeMessageVisibility")
    queue.delay_redelivery(stack.received()[0]["ReceiptHandle"], requested)
    assert [params["VisibilityTimeout"] for params in changes] == [seconds]


def test_what_is_dead_lettered_keeps_its_body_and_gets_its_reason(queue, stack):
    queue.dead_letter("questo non è JSON", "not_json", START)
    [received] = stack.received("DeadLetterQueue")
    assert received["Body"] == "questo non è JSON"
    assert received["MessageAttributes"]["reason"]["StringValue"] == "not_json"
    assert received["MessageAttributes"]["queued_at"]["StringValue"] == to_rfc3339(START)


@pytest.mark.parametrize(("length", "with_reason"), [(1_048_517, True), (1_048_518, False)])
def test_a_dead_letter_without_room_for_its_reason_goes_without(
    queue, stack, hook, length, with_reason
):
    """SQS accepts 1 MiB with the attributes; the emulation accepts less."""
    sent = []

    def see(params, **_):
        sent.append(params)
        raise EndpointConnectionError(endpoint_url="seen")

    hook(stack.sqs, "provide-client-params.sqs.SendMessage", see)
    with pytest.raises(QueueUnavailable):
        queue.dead_letter("è" * (length // 2) + "a" * (length % 2), "not_json", START)
    assert ("reason" in sent[0]["MessageAttributes"]) == with_reason


def test_a_queue_that_does_not_answer_is_unavailable(queue, stack):
    stack.sqs.delete_queue(QueueUrl=stack["MessageQueue"])
    with pytest.raises(QueueUnavailable) as unavailable:
        queue.put("m-1")
    assert "http" not in str(unavailable.value)
    with pytest.raises(QueueUnavailable):
        queue.delay_redelivery("handle", 1)
