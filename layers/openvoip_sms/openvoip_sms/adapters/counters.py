"""Counters in the message table, under keys that no message id can have.

Each count is one atomic write that returns the new value, so that limits hold under concurrency.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from openvoip_sms.adapters.store import translated
from openvoip_sms.rules.limits import HOUR, Counts, hour_of
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339
from openvoip_sms.rules.unused import Unused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(hours=3)  # a count or a text is irrelevant to later hours
_UNUSED_KEPT = timedelta(days=30)  # after the last call that caused no message


class DynamoCounters:
    """Implements the delivery's `Counters`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def count(self, subject: str, now: datetime) -> Counts:
        """Count one more; return the sliding hour's counts, this one included.

        A message ends the row of calls without one.
        """
        hour = hour_of(now)
        names = {"#this": f"h{hour}", "#old": f"h{hour - 2}", "#ttl": "ttl"}
        with translated():
            answer = self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": subject}},
                UpdateExpression=(
                    "ADD #this :one SET #ttl = :ttl REMOVE #old, unused, faults, unused_since"
                ),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":one": {"N": "1"}, ":ttl": _ttl(now + _KEPT)},
                ReturnValues="ALL_NEW",
            )
        item: dict[str, Any] = dict(answer["Attributes"])
        paused = item.get("paused_until")
        return Counts(
            this_hour=int(item[f"h{hour}"]["N"]),
            last_hour=int(item.get(f"h{hour - 1}", {"N": "0"})["N"]),
            paused_until=from_rfc3339(paused["S"]) if paused else None,
        )

    def count_unused(self, subject: str, now: datetime, *, is_fault: bool) -> Unused:
        """Count a call that caused no message; return the row since the last message."""
        with translated():
            answer = self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": subject}},
                UpdateExpression=(
                    "ADD unused :one, faults :fault"
                    " SET #ttl = :ttl, unused_since = if_not_exists(unused_since, :now)"
                ),
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":fault": {"N": str(int(is_fault))},
                    ":now": {"S": to_rfc3339(now)},
                    ":ttl": _ttl(now + _UNUSED_KEPT),
                },
                ReturnValues="ALL_NEW",
            )
        item: dict[str, Any] = dict(answer["Attributes"])
        since = from_rfc3339(item["unused_since"]["S"])
        return Unused(int(item["unused"]["N"]), int(item["faults"]["N"]), since or now)

    def pause(self, subject: str, until: datetime) -> None:
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": subject}},
                UpdateExpression="SET paused_until = :until, #ttl = :ttl",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":until": {"S": to_rfc3339(until)},
                    ":ttl": _ttl(until + HOUR),
                },
            )

    def claim_once(self, subject: str, record_id: str, now: datetime, within: timedelta) -> str:
        """Return the id that claimed the subject first within that time: `record_id` if new."""
        try:
            with translated():
                self._client.put_item(
                    TableName=self._table,
                    Item={
                        "id": {"S": subject},
                        "first": {"S": record_id},
                        "since": {"S": to_rfc3339(now)},
                        "ttl": _ttl(now + _KEPT),
                    },
                    ConditionExpression="attribute_not_exists(id) OR since <= :over",
                    ExpressionAttributeValues={":over": {"S": to_rfc3339(now - within)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            item: Any = refused.response.get("Item", {})
            return str(item["first"]["S"])
        return record_id


def _ttl(moment: datetime) -> Any:  # noqa: ANN401 - the SDK's attribute value
    return {"N": str(int(moment.timestamp()))}
