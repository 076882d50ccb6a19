"""Guard items and rows of unused calls in the table, under keys that no message id can have.

A note is one write that returns the whole item, so that limits hold under concurrency; repeated by
the SDK or by the message itself it changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from openvoip_sms.adapters.guard_attributes import (
    guard_item,
    hour_name,
    mark_value,
    moment,
    oldest_mark,
    outdated,
    part,
)
from openvoip_sms.adapters.record_item import Item
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import StoreUnavailable, UnreadableRecord
from openvoip_sms.rules.guard_item import GuardItem, Mark, Note, Noted
from openvoip_sms.rules.limits import HOUR, MAX_NOTED, SAME_TEXT_WITHIN, hour_of
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.rules.unused import Unused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(hours=3)  # a message or a text is irrelevant to later hours
_UNUSED_KEPT = timedelta(days=30)  # after the last call that caused no message
_OUTDATED = 10  # attributes that are worth a write of their own to be removed
_MAX_REMOVED = 50  # at once: an expression has room for 4 KB
_IS_FREE = "attribute_not_exists(#mark) OR #mark <= :before"
_NOT_FULL = "attribute_not_exists(#this) OR size(#this) < :max"


class DynamoCounters:
    """Implements the delivery's `Counters`.

    A part of an item that cannot be read counts as absent: a limit may then let a message pass,
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

    def note(self, note: Note, now: datetime, *, instead_of: Mark | None = None) -> Noted:
        """Note a message, unless its text has another first or the item is full."""
        before = oldest_mark(now) if instead_of is None else mark_value(instead_of)
        is_free = _IS_FREE if instead_of is None else "#mark = :before"
        hour = hour_of(now)
        try:
            with translated():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": note.subject}},
                    UpdateExpression=(
                        "ADD #this :entry SET #mark = :mark, #ttl = :ttl"
                        " REMOVE #old, unused, faults, unused_since"
                    ),
                    ConditionExpression=f"({is_free}) AND ({_NOT_FULL})",
                    ExpressionAttributeNames={
                        "#this": hour_name(hour),
                        "#old": hour_name(hour - 2),
                        "#mark": note.mark,
                        "#ttl": "ttl",
                    },
                    ExpressionAttributeValues={
                        ":entry": {"SS": [note.entry]},
                        ":mark": {"S": mark_value(Mark(note.mark, note.id, now))},
                        ":before": {"S": before},
                        ":max": {"N": str(MAX_NOTED)},
                        ":ttl": _ttl(now + _KEPT),
                    },
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            item: Any = refused.response.get("Item", {})
            return self._refused(item, note, now, instead_of)
        self._remove_outdated(answer["Attributes"], now)
        return Noted(self._read(answer["Attributes"], now))

    def take_back(self, note: Note, now: datetime) -> None:
        """Let a message that was noted at this moment not count."""
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": note.subject}},
                UpdateExpression="DELETE #this :entry",
                ExpressionAttributeNames={"#this": hour_name(hour_of(now))},
                ExpressionAttributeValues={":entry": {"SS": [note.entry]}},
            )

    def look(self, subject: str, now: datetime) -> GuardItem:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": subject}}, ConsistentRead=True
            )
        return self._read(found.get("Item", {}), now)

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
        item: Any = answer["Attributes"]
        since = part(item, "unused_since", moment, self._found_unreadable) or now
        return Unused(int(item["unused"]["N"]), int(item["faults"]["N"]), since)

    def end_unused(self, subject: str) -> None:
        """End the row of calls without a message."""
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": subject}},
                UpdateExpression="REMOVE unused, faults, unused_since",
            )

    def _refused(self, item: Item, note: Note, now: datetime, instead_of: Mark | None) -> Noted:
        found = self._read(item, now)
        first = next((one for one in found.marks if one.name == note.mark), None)
        if first is not None and first.id == note.id:
            return Noted(found)
        if first is not None and first != instead_of and first.at > now - SAME_TEXT_WITHIN:
            return Noted(found, first)
        is_full = len(found.this_hour) >= MAX_NOTED
        return Noted(found, is_full=is_full and not found.counts_id(note.id))

    def _remove_outdated(self, item: Any, now: datetime) -> None:  # noqa: ANN401 - an item
        """Keep an item small that is written more often than its time to live lets it expire."""
        names = outdated(item, now)
        if len(names) < _OUTDATED:
            return
        named = {f"#o{n}": name for n, name in enumerate(names[:_MAX_REMOVED])}
        marks = [alias for alias, name in named.items() if "S" in item[name]]
        request: Any = {
            "ConditionExpression": " AND ".join(f"{alias} = :v{alias[2:]}" for alias in marks),
            "ExpressionAttributeValues": {f":v{alias[2:]}": item[named[alias]] for alias in marks},
        }
        try:
            with translated():
                self._client.update_item(
                    TableName=self._table,
                    Key={"id": item["id"]},
                    UpdateExpression=f"REMOVE {', '.join(named)}",
                    ExpressionAttributeNames=named,
                    **(request if marks else {}),
                )
        except (self._client.exceptions.ConditionalCheckFailedException, StoreUnavailable):
            pass  # another has removed them, one of the texts was sent again, or the next note will

    def _read(self, item: Any, now: datetime) -> GuardItem:  # noqa: ANN401 - an item
        return guard_item(item, hour_of(now), self._found_unreadable)


def _ttl(moment: datetime) -> Any:  # noqa: ANN401 - the SDK's attribute value
    return {"N": str(int(moment.timestamp()))}
