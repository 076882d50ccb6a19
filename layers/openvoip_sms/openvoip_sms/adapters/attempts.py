"""Unfinished attempts at queue messages, in the message table under keys that no message id has."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import Unfinished
from openvoip_sms.rules.limits import subject

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(days=14)  # as long as a message may be in the queue


class DynamoAttempts:
    """Implements the delivery's `Attempts`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def unfinished(self, sqs_id: str) -> Unfinished | None:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": _key(sqs_id)}}, ConsistentRead=True
            )
        if "Item" not in found:
            return None
        item = found["Item"]
        began = datetime.fromtimestamp(float(item["began"]["N"]), UTC)
        return Unfinished(int(item["unfinished"]["N"]), began)

    def note(self, sqs_id: str, count: int, now: datetime) -> None:
        """Store the count: 0 ends it, as the sender may not delete anything in the table."""
        numbers = {
            "unfinished": count,
            "began": int(now.timestamp()),
            "ttl": int((now + _KEPT).timestamp()),
        }
        with translated():
            self._client.put_item(
                TableName=self._table,
                Item={
                    "id": {"S": _key(sqs_id)},
                    **{name: {"N": str(number)} for name, number in numbers.items()},
                },
            )


def _key(sqs_id: str) -> str:
    return subject("attempts", sqs_id)
