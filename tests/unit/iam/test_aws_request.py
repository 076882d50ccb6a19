"""What IAM evaluates for a call, read from the request that the SDK really sends."""

from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from tests.iam.aws_request import Account, Request, UnknownRequest, uses
from tests.iam.policies import Use

PLACE = "eu-south-1:123456789012"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/messages"
QUEUE_URL = "https://sqs.eu-south-1.amazonaws.com/123456789012/queue"
QUEUE = f"arn:aws:sqs:{PLACE}:queue"
SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:account-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/r"
ACCOUNT = Account("123456789012", {"account": SECRET})
KEY = {"id": {"S": "order-1"}}


class Sent(Exception):
    """Stops the SDK before anything is sent."""


def request_of(service, operation, **arguments):
    """Return the request that the SDK makes of this call."""
    made = []

    def stop(request, **_):
        made.append(request)
        raise Sent

    client = boto3.client(
        service,
        region_name="eu-south-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(user_agent_appid="sender", retries={"total_max_attempts": 1}),
    )
    client.meta.events.register_first("before-send", stop)
    with pytest.raises(Sent):
        getattr(client, operation)(**arguments)
    [sent] = made
    address = urlsplit(sent.url)
    headers = {name.lower(): _text(value) for name, value in sent.headers.items()}
    target = address.path + (f"?{address.query}" if address.query else "")
    return Request(sent.method, target, headers, sent.body or b"")


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def uses_of(service, operation, **arguments):
    return uses(request_of(service, operation, **arguments), ACCOUNT)


@pytest.mark.parametrize(
    ("call", "use"),
    [
        (
            ("dynamodb", "put_item", {"TableName": "messages", "Item": KEY}),
            ("dynamodb:PutItem", TABLE),
        ),
        (
            ("dynamodb", "query", {"TableName": "messages", "KeyConditionExpression": "id = :id"}),
            ("dynamodb:Query", TABLE),
        ),
        (
            ("dynamodb", "query", {"TableName": "messages", "IndexName": "by_status"}),
            ("dynamodb:Query", f"{TABLE}/index/by_status"),
        ),
        (
            ("sqs", "send_message", {"QueueUrl": QUEUE_URL, "MessageBody": "{}"}),
            ("sqs:SendMessage", QUEUE),
        ),
        (
            ("sqs", "send_message_batch", {"QueueUrl": QUEUE_URL, "Entries": []}),
            ("sqs:SendMessage", QUEUE),
        ),
        (
            (
                "sqs",
                "change_message_visibility",
                {"QueueUrl": QUEUE_URL, "ReceiptHandle": "r", "VisibilityTimeout": 1},
            ),
            ("sqs:ChangeMessageVisibility", QUEUE),
        ),
        (
            ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
            ("secretsmanager:GetSecretValue", SECRET),
        ),
        (
            ("secretsmanager", "get_secret_value", {"SecretId": "account"}),
            ("secretsmanager:GetSecretValue", SECRET),
        ),
        (
            ("scheduler", "delete_schedule", {"Name": "s-1", "GroupName": "stack-messages"}),
            ("scheduler:DeleteSchedule", f"arn:aws:scheduler:{PLACE}:schedule/stack-messages/s-1"),
        ),
        (
            ("scheduler", "delete_schedule", {"Name": "s-1"}),
            ("scheduler:DeleteSchedule", f"arn:aws:scheduler:{PLACE}:schedule/default/s-1"),
        ),
        (
            ("lambda", "invoke", {"FunctionName": "sms-Reconciler-1", "InvocationType": "Event"}),
            ("lambda:InvokeFunction", f"arn:aws:lambda:{PLACE}:function:sms-Reconciler-1"),
        ),
    ],
)
def test_a_call_needs_its_action_on_its_resource(call, use):
    service, operation, arguments = call
    assert uses_of(service, operation, **arguments) == {Use(*use)}


def test_a_batch_is_read_from_each_of_its_tables():
    tables = {name: {"Keys": [KEY]} for name in ("messages", "others")}
    assert uses_of("dynamodb", "batch_get_item", RequestItems=tables) == {
        Use("dynamodb:BatchGetItem", TABLE),
        Use("dynamodb:BatchGetItem", TABLE.replace("messages", "others")),
    }


def test_who_makes_a_schedule_passes_its_role_to_the_scheduler():
    target = {"Arn": QUEUE, "RoleArn": ROLE, "Input": "{}"}
    schedule = {"ScheduleExpression": "at(2026-12-24T08:00:00)", "Target": target}
    where = {"Name": "s-1", "GroupName": "stack-messages", "FlexibleTimeWindow": {"Mode": "OFF"}}
    to_scheduler = frozenset({("iam:PassedToService", "scheduler.amazonaws.com")})
    assert uses_of("scheduler", "create_schedule", **schedule, **where) == {
        Use("scheduler:CreateSchedule", f"arn:aws:scheduler:{PLACE}:schedule/stack-messages/s-1"),
        Use("iam:PassRole", ROLE, to_scheduler),
    }


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("s3", "list_buckets", {}),
        ("dynamodb", "list_tables", {}),
        (
            "dynamodb",
            "batch_write_item",
            {"RequestItems": {"messages": [{"PutRequest": {"Item": KEY}}]}},
        ),
        ("scheduler", "list_schedules", {}),
        ("scheduler", "get_schedule", {"Name": "s-1"}),
        ("lambda", "get_function", {"FunctionName": "sms-Reconciler-1"}),
    ],
)
def test_a_call_of_a_new_kind_is_refused_and_not_overlooked(service, operation, arguments):
    with pytest.raises(UnknownRequest):
        uses_of(service, operation, **arguments)


def test_a_call_without_a_signature_is_refused():
    with pytest.raises(UnknownRequest):
        uses(Request("POST", "/", {}, b"{}"), ACCOUNT)


def test_the_caller_is_the_application_id_in_the_user_agent():
    request = request_of("dynamodb", "get_item", TableName="messages", Key=KEY)
    assert request.function == "sender"
    assert Request("POST", "/", {"user-agent": "Boto3/1.43"}, b"").function is None
