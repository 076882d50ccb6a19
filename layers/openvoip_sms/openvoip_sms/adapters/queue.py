"""The message queue, its dead-letter queue, and the scheduler that feeds the queue later."""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from openvoip_sms.delivery.ports import POINTER, QUEUE_DELAY_LIMIT, QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

DELAY_LIMIT = int(QUEUE_DELAY_LIMIT.total_seconds())
HIDE_LIMIT = 39_600  # seconds; SQS hides for 12 hours at the most, counted from the receive


def pointer(record_id: str) -> str:
    """Return the body that stands for a stored message: no number and no text in the queue."""
    return json.dumps({POINTER: record_id})


class SqsQueue:
    """Implements the delivery's `Queue`, and what the sender does with messages it received."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str = "") -> None:
        self._client, self._url, self._dead_letter_url = client, url, dead_letter_url

    def put(self, record_id: str, delay: float = 0.0) -> None:
        with _translated():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=pointer(record_id),
                DelaySeconds=min(DELAY_LIMIT, math.ceil(delay)),
            )

    def hide(self, receipt_handle: str, seconds: float) -> None:
        """Let a received message come again in `seconds`."""
        with _translated():
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=min(HIDE_LIMIT, math.ceil(seconds)),
            )

    def dead_letter(self, body: str, reason: str) -> None:
        """Set a body aside for a person, with the reason as a message attribute."""
        with _translated():
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
            )


class EventBridgeSchedule:
    """Implements the delivery's `Schedule`: one schedule a message, gone once it has fired."""

    def __init__(
        self, client: "EventBridgeSchedulerClient", *, group: str, role_arn: str, queue_arn: str
    ) -> None:
        self._client, self._group = client, group
        self._role_arn, self._queue_arn = role_arn, queue_arn

    def put(self, record_id: str, at: datetime) -> None:
        try:
            with _translated(but="ConflictException"):
                self._client.create_schedule(
                    Name=_name(record_id),
                    GroupName=self._group,
                    ScheduleExpression=f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": self._queue_arn,
                        "RoleArn": self._role_arn,
                        "Input": pointer(record_id),
                    },
                )
        except self._client.exceptions.ConflictException:
            return  # there already

    def remove(self, record_id: str) -> None:
        try:
            with _translated(but="ResourceNotFoundException"):
                self._client.delete_schedule(Name=_name(record_id), GroupName=self._group)
        except self._client.exceptions.ResourceNotFoundException:
            return  # fired or removed already


def _name(record_id: str) -> str:
    """A schedule's name is shorter and plainer than a message's id may be."""
    return hashlib.sha256(record_id.encode()).hexdigest()[:40]


@contextmanager
def _translated(but: str = "") -> Iterator[None]:
    """The one seam where the SDK's errors become ours, but for one that is an answer."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == but:
            raise
        raise QueueUnavailable(code) from error
    except BotoCoreError as error:
        raise QueueUnavailable(type(error).__name__) from error
