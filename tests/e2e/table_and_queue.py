"""The deployed table and queue, read and changed from outside the service."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from boto3.dynamodb.types import TypeDeserializer

from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.e2e.conftest import wait_until

OPEN = {"scheduled", "queued", "sending"}


def records(stack):
    """Return every record as it is stored."""
    read = TypeDeserializer().deserialize
    pages = stack.client("dynamodb").get_paginator("scan")
    return [
        {name: read(value) for name, value in item.items()}
        for page in pages.paginate(TableName=stack.outputs["MessageTableName"], ConsistentRead=True)
        for item in page["Items"]
    ]


def make_due(stack, found):
    """Let leases and grace periods of these open records expire, which takes minutes otherwise."""
    past = {"S": to_rfc3339(datetime.now(UTC) - timedelta(seconds=1))}
    client = stack.client("dynamodb")
    for record in found:
        values = {":past": past, ":version": {"N": str(record["version"])}}
        claim = ", claimed_until = :past" if record["status"] == "sending" else ""
        client.update_item(
            TableName=stack.outputs["MessageTableName"],
            Key={"id": {"S": record["id"]}},
            UpdateExpression=f"SET check_at = :past{claim}",
            ConditionExpression="version = :version",
            ExpressionAttributeValues=values,
        )


def queue_depth(stack):
    """How many messages the queue holds, in flight and delayed ones included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["MessageQueueUrl"], AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


@contextmanager
def visibility_timeout(stack, seconds):
    """Let received messages be redelivered sooner than the template says."""
    sqs, url = stack.client("sqs"), stack.outputs["MessageQueueUrl"]
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before})


def sender_paused(stack):
    """Stop the sender from polling meanwhile, as docs/operations.md says."""
    return _mapped(stack, {"Enabled": False}, {"Enabled": True})


def limited_sender_concurrency(stack):
    """Limit the sender to two batches at a time: a process takes a second to start here."""
    few, many = ({"ScalingConfig": {"MaximumConcurrency": n}} for n in (2, 5))
    return _mapped(stack, few, many)


@contextmanager
def _mapped(stack, during, after):
    client = stack.client("lambda")
    mappings = client.list_event_source_mappings(FunctionName=stack.functions["sender"])
    (mapping,) = mappings["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], **during)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping["UUID"], **after)


def table_through(stack, table, *functions):
    """Let functions reach the table through a proxy."""
    return variables_set(stack, functions, AWS_ENDPOINT_URL_DYNAMODB=table.url)


@contextmanager
def variables_set(stack, functions, **changed):
    """Let functions run with other variables, as a deployment would."""
    client = stack.client("lambda")
    names = [stack.functions[name] for name in functions]
    before = {
        name: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for name in names
    }
    try:
        for name, variables in before.items():
            _set(client, name, variables | changed)
        yield
    finally:
        for name, variables in before.items():
            _set(client, name, variables)


def _set(client, name, variables):
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    wait_until(lambda: _updated(client, name), "the new configuration")


def _updated(client, name):
    state = client.get_function_configuration(FunctionName=name)
    return state["LastUpdateStatus"] == "Successful"
