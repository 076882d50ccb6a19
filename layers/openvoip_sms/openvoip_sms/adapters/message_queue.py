"""The message queue and its dead-letter queue."""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from openvoip_sms.delivery.ports import (
    MAX_MESSAGE_BYTES,
    MAX_QUEUE_DELAY,
    POINTER,
    PROBE,
    QUEUED_AT,
    QueueUnavailable,
)
from openvoip_sms.rules.rfc3339 import to_rfc3339

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

MAX_DELAY_SECONDS = int(MAX_QUEUE_DELAY.total_seconds())
_BATCH = 10  # messages, the most that SQS takes in one call
MAX_VISIBILITY_SECONDS = 39_600  # below SQS's 12 hours, which count from the receive


def pointer(record_id: str) -> str:
    """Return the body that points to a stored message: no number and no text in the queue."""
    return json.dumps({POINTER: record_id})


class SqsQueue:
    """Implements the delivery's `Queue`, and what the sender does with messages it received."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str = "") -> None:
        self._client, self._url, self._dead_letter_url = client, url, dead_letter_url

    def put(self, record_id: str, delay: float = 0.0) -> None:
        with translated():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=pointer(record_id),
                DelaySeconds=min(MAX_DELAY_SECONDS, math.ceil(delay)),
            )

    def put_all(self, record_ids: Sequence[str]) -> list[str]:
        """Hand stored messages to the sender; return the ids that the queue did not take."""
        refused = list[str]()
        for ids in batched(record_ids, _BATCH, strict=False):
            try:
                refused += self._put_batch(ids)
            except QueueUnavailable:
                refused += ids
        return refused

    def _put_batch(self, ids: Sequence[str]) -> list[str]:
        entries: Any = [
            {"Id": str(place), "MessageBody": pointer(record_id)}
            for place, record_id in enumerate(ids)
        ]
        with translated():
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return [ids[int(one["Id"])] for one in answer.get("Failed", ())]

    def put_probe(self, delay: float) -> None:
        """Ask the sender for a probe of the gateway in `delay` seconds."""
        with translated():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(PROBE),
                DelaySeconds=min(MAX_DELAY_SECONDS, math.ceil(delay)),
            )

    def waiting(self) -> int:
        """Return about how many messages may be received now; many where nobody can tell."""
        try:
            with translated():
                answer = self._client.get_queue_attributes(
                    QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
                )
        except QueueUnavailable:
            return sys.maxsize
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def delay_redelivery(self, receipt_handle: str, seconds: float) -> None:
        """Change the visibility: the message is delivered again in `seconds`."""
        with translated():
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=min(MAX_VISIBILITY_SECONDS, math.ceil(seconds)),
            )

    def dead_letter(self, body: str, reason: str, queued_at: datetime | None) -> None:
        """Put a body into the dead-letter queue, with two message attributes.

        The reason; and when it was queued first, as a redrive gives it a new time. A body that
        leaves no room for them goes without: the log has the reason too.
        """
        texts = {"reason": reason}
        if queued_at is not None:
            texts[QUEUED_AT] = to_rfc3339(queued_at)
        size = len(body.encode("utf-8", "surrogatepass"))
        size += sum(len(name) + len("String") + len(text) for name, text in texts.items())
        with translated():
            self._client.send_message(
                QueueUrl=self._dead_letter_url,
                MessageBody=body,
                MessageAttributes=_attributes(texts) if size <= MAX_MESSAGE_BYTES else {},
            )


def _attributes(texts: Mapping[str, str]) -> "dict[str, MessageAttributeValueTypeDef]":
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}


@contextmanager
def translated(except_for: str = "") -> Iterator[None]:
    """Translate the SDK's errors into `QueueUnavailable`, except for one expected code."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == except_for:
            raise
        raise QueueUnavailable(code) from error
    except BotoCoreError as error:
        raise QueueUnavailable(type(error).__name__) from error
