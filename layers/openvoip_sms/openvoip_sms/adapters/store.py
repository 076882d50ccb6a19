"""The table: one item a message, changed only on condition of its version."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from openvoip_sms.adapters.record_item import (
    CHECK_SHARDS,
    Item,
    check_shard,
    shard_of,
    status_shard,
    to_item,
    to_record,
)
from openvoip_sms.delivery.ports import StoreUnavailable, UnreadableRecord
from openvoip_sms.rules import transitions
from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_CHECK = "by_check"
_MAX_KEYS = 100  # of one BatchGetItem
_MAX_READS = 10  # calls for that many keys: an answer ends at 16 MB, or where the table throttles
_NOT_TRANSLATED = frozenset(
    {"ValidationException", "AccessDeniedException", "ResourceNotFoundException"}
)


class DynamoStore:
    """Implements the delivery's `Store`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        found_unreadable: Callable[[UnreadableRecord], None] = lambda _: None,
    ) -> None:
        self._client, self._table, self._retention = client, table, retention
        self._found_unreadable = found_unreadable

    def create(self, record: Record) -> Record:
        """Write the record if its id is new; return what is stored under that id now."""
        current = self._put(record, "attribute_not_exists(id)", {})
        if current is None:  # deleted meanwhile by its time to live
            raise StoreUnavailable("no item behind a failed condition")
        return current

    def replace(self, old: Record, new: Record) -> Record | None:
        """Write `new` if `old`'s version is still current; return what is stored now."""
        return self._put(new, "version = :old", {":old": {"N": str(old.version)}})

    def claim(self, record_id: str, claim: str, now: datetime) -> Record | None:
        """Claim a waiting record whose time has come, without a read; return what is stored now."""
        try:
            with translated():
                answer = self._client.update_item(
                    **_claiming(record_id, claim, now), TableName=self._table
                )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            # The same write, retried by the SDK after a lost reply, is refused too: then the claim
            # that is found is ours.
            found: Any = refused.response.get("Item")
            return self._read(found) if found else None
        except ClientError:  # a number that is none, which the table cannot add to
            self.get(record_id)
            raise
        before: Any = answer["Attributes"]
        try:
            return transitions.claimed(self._read(before), claim, now)
        except UnreadableRecord:
            self._put_back(before, claim)
            raise

    def _put_back(self, item: Item, claim: str) -> None:
        """Leave an item that cannot be read as it was, for a version that can."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException), translated():
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="claim = :claim",
                ExpressionAttributeValues={":claim": {"S": claim}},
            )

    def get(self, record_id: str) -> Record | None:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": record_id}}, ConsistentRead=True
            )
        return self._read(found["Item"]) if "Item" in found else None

    def get_many(self, record_ids: Iterable[str]) -> Iterator[Record]:
        """Return those of the records that there are and that can be read."""
        for some in itertools.batched(dict.fromkeys(record_ids), _MAX_KEYS, strict=False):
            for item in self._items(some):
                with suppress(UnreadableRecord):
                    yield self._read(item)

    def due(self, now: datetime) -> Iterable[Record]:
        """Return the open records whose `check_at` has passed, page by page."""
        for shard in range(CHECK_SHARDS):
            for key in self._due_keys(shard, now):
                record = self.get_or_unreadable(key)
                if isinstance(record, Record) and record.check_at and record.check_at <= now:
                    yield record

    def _read(self, item: Item) -> Record:
        try:
            return to_record(item)
        except UnreadableRecord as unreadable:
            self._found_unreadable(unreadable)
            raise

    def get_or_unreadable(self, record_id: str) -> Record | UnreadableRecord | None:
        """Return one record of several: one that cannot be read must not hide the others."""
        try:
            return self.get(record_id)
        except UnreadableRecord as unreadable:
            return unreadable

    def _put(self, record: Record, condition: str, values: dict[str, Any]) -> Record | None:
        item = to_item(record, self._retention)
        request: Any = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        } | ({"ExpressionAttributeValues": values} if values else {})
        try:
            with translated():
                self._client.put_item(**request)
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            found: Any = refused.response.get("Item")
            current = self._read(found) if found else None
            # The same write, retried by the SDK after a lost reply, is refused too.
            # Items cannot be compared: the table trims the zeros of 86400.0 and 0.10.
            return record if current == to_record(item) else current
        return record

    def _items(self, record_ids: Iterable[str]) -> Iterator[Item]:
        """Read up to `_MAX_KEYS` items, with new calls for what one has left out."""
        keys: Any = [{"id": {"S": record_id}} for record_id in record_ids]
        unread: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_MAX_READS):
            with translated():
                answer = self._client.batch_get_item(RequestItems=unread)
            yield from answer["Responses"].get(self._table, ())
            unread = answer.get("UnprocessedKeys")
            if not unread:
                return
        raise StoreUnavailable("UnprocessedKeys")

    def _due_keys(self, shard: int, now: datetime) -> Iterator[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_CHECK,
            KeyConditionExpression="check_shard = :shard AND check_at <= :now",
            ExpressionAttributeValues={":shard": {"S": str(shard)}, ":now": {"S": to_rfc3339(now)}},
        )
        with translated():
            for page in pages:
                yield from (item["id"]["S"] for item in page["Items"])


def _claiming(record_id: str, claim: str, now: datetime) -> Any:  # noqa: ANN401
    """The request that makes of an item what `transitions.claimed` makes of its record."""
    waits = "#status IN (:queued, :scheduled) AND expires_at > :now"
    values: dict[str, Any] = {
        ":sending": Status.SENDING,
        ":queued": Status.QUEUED,
        ":scheduled": Status.SCHEDULED,
        ":status_shard": status_shard(Status.SENDING, shard_of(record_id)),
        ":check_shard": check_shard(record_id),
        ":claim": claim,
        ":now": to_rfc3339(now),
        ":until": to_rfc3339(now + transitions.LEASE),
    }
    texts = {name: {"S": str(value)} for name, value in values.items()}
    return {
        "Key": {"id": {"S": record_id}},
        "UpdateExpression": (
            "SET #status = :sending, status_shard = :status_shard, claim = :claim,"
            " claimed_until = :until, check_at = :until, check_shard = :check_shard,"
            " updated_at = :now ADD attempts :one, version :one"
            " REMOVE reason, detail, held_until, hold_shard"
        ),
        "ConditionExpression": (
            f"{waits} AND attribute_not_exists(send_at) OR {waits} AND send_at <= :now"
        ),
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {**texts, ":one": {"N": "1"}},
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


@contextmanager
def translated() -> Iterator[None]:
    """Translate the SDK's errors into `StoreUnavailable`; coding and permission errors pass."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException" or code in _NOT_TRANSLATED:
            raise
        raise StoreUnavailable(code) from error
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from error
