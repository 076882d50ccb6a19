"""Counters in the message table, under keys that no message id can have.

Each count is one atomic write that returns the new value, so that limits hold under concurrency.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from openvoip_sms.adapters.record_item import Item
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules.limits import HOUR, Counts, hour_of
from openvoip_sms.rules.message import ID_PATTERN
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339
from openvoip_sms.rules.unused import Unused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(hours=3)  # a count or a text is irrelevant to later hours
_UNUSED_KEPT = timedelta(days=30)  # after the last call that caused no message


class DynamoCounters:
    """Implements the delivery's `Counters`.

    A part of a counter that cannot be read counts as absent: a limit may then let a message pass,
    but no source stops.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        found_unreadable: Callable[[UnreadableRecord], None] = lambda _: None,
    ) -> None:
        self._client, self._table = client, table
        self._found_unreadable = found_unreadable

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
        return Counts(
            this_hour=int(item[f"h{hour}"]["N"]),
            last_hour=self._part(item, f"h{hour - 1}", _number) or 0,
            paused_until=self._part(item, "paused_until", _moment),
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
        since = self._part(item, "unused_since", _moment) or now
        return Unused(int(item["unused"]["N"]), int(item["faults"]["N"]), since)

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
                self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": subject}},
                    UpdateExpression="SET #first = :id, since = :now, #ttl = :ttl",
                    ConditionExpression="attribute_not_exists(since) OR since <= :over",
                    ExpressionAttributeNames={"#first": "first", "#ttl": "ttl"},
                    ExpressionAttributeValues={
                        ":id": {"S": record_id},
                        ":now": {"S": to_rfc3339(now)},
                        ":over": {"S": to_rfc3339(now - within)},
                        ":ttl": _ttl(now + _KEPT),
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            item: Any = refused.response.get("Item", {})
            return self._part(item, "first", _message_id) or record_id
        return record_id

    def _part[T](self, item: Item, name: str, load: Callable[[Item], T]) -> T | None:
        """Return an attribute, `None` if it is absent or cannot be read."""
        try:
            return load(item[name]) if name in item else None
        except (KeyError, ValueError, ArithmeticError):
            self._found_unreadable(UnreadableRecord(str(item["id"]["S"]), {}, name))
            return None


def _number(attribute: Item) -> int:
    return int(attribute["N"])


def _moment(attribute: Item) -> datetime:
    return from_rfc3339(attribute["S"])


def _message_id(attribute: Item) -> str:
    if not ID_PATTERN.fullmatch(attribute["S"]):
        raise ValueError("no message id")
    return str(attribute["S"])


def _ttl(moment: datetime) -> Any:  # noqa: ANN401 - the SDK's attribute value
    return {"N": str(int(moment.timestamp()))}
