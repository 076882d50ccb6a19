"""The table: one item a message, changed only on condition of its version."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.message import ID_PATTERN
from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.times import from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARDS = 4  # partitions of the index over open records, so that no single one gets hot
BY_CHECK, BY_RECIPIENT, BY_STATUS = "by_check", "by_recipient", "by_status"
_TIMES = frozenset(
    "created_at updated_at expires_at sent_at send_at claimed_until check_at".split()
)
_INTS = frozenset("segments attempts refusals version".split())
_BUG = frozenset({"ValidationException", "AccessDeniedException", "ResourceNotFoundException"})

type Item = dict[str, Any]


class BadCursor(ValueError):
    """The cursor was not one of ours: start again from the first page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first; `cursor` leads to the next page, `None` at the end."""

    records: list[Record]
    cursor: str | None


class DynamoStore:
    """Implements the delivery's `Store`, and the lists for the API."""

    def __init__(self, client: "DynamoDBClient", table: str, retention: timedelta) -> None:
        self._client, self._table, self._retention = client, table, retention

    def create(self, record: Record) -> Record:
        """Write the record if its id is new; return what now stands under that id."""
        stands = self._put(record, "attribute_not_exists(id)", {})
        if stands is None:  # deleted between the refusal and the answer: does not happen
            raise StoreUnavailable("no item behind a failed condition")
        return stands

    def replace(self, old: Record, new: Record) -> Record | None:
        """Write `new` if `old`'s version still stands; return what now stands under that id."""
        return self._put(new, "version = :old", {":old": {"N": str(old.version)}})

    def get(self, record_id: str) -> Record | None:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": record_id}}, ConsistentRead=True
            )
        return _record(found["Item"]) if "Item" in found else None

    def due(self, now: datetime) -> Iterable[Record]:
        """Return the open records whose `check_at` has passed, page by page."""
        for shard in range(SHARDS):
            for key in self._due_keys(shard, now):
                record = self.get(key)
                if record is not None and record.check_at is not None and record.check_at <= now:
                    yield record

    def to_recipient(self, number: str, limit: int, cursor: str | None) -> Page:
        return self._list(BY_RECIPIENT, "to", number, limit, cursor)

    def in_status(self, status: Status, limit: int, cursor: str | None) -> Page:
        return self._list(BY_STATUS, "status", status, limit, cursor)

    def _put(self, record: Record, condition: str, values: dict[str, Any]) -> Record | None:
        item = _item(record, self._retention)
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
            stands = _record(found) if found else None
            # Our own write, retried by the SDK after an answer that got lost, is refused too.
            # Items cannot be compared: the table trims the zeros of 86400.0 and 0.10.
            return record if stands == _record(item) else stands
        return record

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

    def _list(self, index: str, key: str, value: str, limit: int, cursor: str | None) -> Page:
        start: Any = {"ExclusiveStartKey": _read_cursor(cursor, key, value)} if cursor else {}
        with translated():
            answer = self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression="#key = :value",
                ExpressionAttributeNames={"#key": key},
                ExpressionAttributeValues={":value": {"S": value}},
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        found = (self.get(item["id"]["S"]) for item in answer["Items"])
        records = [r for r in found if r is not None and getattr(r, key) == value]
        last = answer.get("LastEvaluatedKey")
        return Page(records, _write_cursor(last) if last else None)


@contextmanager
def translated() -> Iterator[None]:
    """The one seam where the SDK's errors become ours; a mistake of ours stays what it is."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException" or code in _BUG:
            raise
        raise StoreUnavailable(code) from error
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from error


def _item(record: Record, retention: timedelta) -> Item:
    values = {field.name: _stored(getattr(record, field.name)) for field in fields(record)}
    if record.check_at is not None:
        values["check_shard"] = str(zlib.crc32(record.id.encode()) % SHARDS)
    values["ttl"] = int((record.expires_at + retention).timestamp())
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items() if value is not None}


def _stored(value: Any) -> Any:  # noqa: ANN401 - any field's value
    match value:
        case datetime():
            return to_rfc3339(value)
        case float():
            return Decimal(str(value))
        case tuple():
            return list(value)
        case _:
            return value


def _record(item: Item) -> Record:
    deserialize = TypeDeserializer().deserialize
    known = {field.name for field in fields(Record)}
    values = {name: _loaded(name, deserialize(v)) for name, v in item.items() if name in known}
    return Record(**values)


def _loaded(name: str, value: Any) -> Any:  # noqa: ANN401 - any field's value
    if name in _TIMES:
        return from_rfc3339(value)
    if name in _INTS:
        return int(value)
    if name == "valid_for":
        return float(value)
    if name == "status":
        return Status(value)
    if name == "replaced":
        return tuple({**one, "count": int(one["count"])} for one in value)
    return value


def _write_cursor(key: Any) -> str:  # noqa: ANN401 - the SDK's key map
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read_cursor(cursor: str, key: str, value: str) -> Item:
    """Read a cursor that belongs to the same list.

    Raises:
        BadCursor: not one of ours.
    """
    try:
        start = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if start.keys() == {"id", "created_at", key} and start[key] == {"S": value}:
            from_rfc3339(start["created_at"]["S"])
            if ID_PATTERN.fullmatch(start["id"]["S"]):
                return {name: {"S": part["S"]} for name, part in start.items()}
    except (ValueError, OverflowError, AttributeError, KeyError, TypeError, RecursionError):
        pass  # binascii.Error is a ValueError; OverflowError: a time before the year 1
    raise BadCursor("The cursor is not one that this list gave: start without it.")
