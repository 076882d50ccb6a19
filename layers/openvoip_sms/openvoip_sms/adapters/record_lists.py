"""Lists of records for people: newest first, page by page.

The index by status is spread over partitions, so that none takes the writes of all messages. A list
merges them; moments that are the same are ordered by id, so that a page may end between them.
"""

import base64
import heapq
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openvoip_sms.adapters.record_item import SHARDS, status_shard
from openvoip_sms.adapters.store import DynamoStore, translated
from openvoip_sms.delivery.ports import BadCursor, Page, UnreadableRecord
from openvoip_sms.rules.record import Record, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_RECIPIENT, BY_STATUS = "by_recipient", "by_status"
_MAX_KEY_BYTES = (1024, 2048)  # of DynamoDB's sort keys and partition keys

type Place = tuple[str, str]  # a record's `created_at` and id: where it stands in its list


@dataclass(frozen=True, slots=True)
class _Partition:
    """One partition key of an index."""

    index: str
    key: str
    value: str


class DynamoLists:
    """Implements the delivery's `RecordLists`."""

    def __init__(self, store: DynamoStore, client: "DynamoDBClient", table: str) -> None:
        self._store, self._client, self._table = store, client, table
        self.get = store.get

    def to_recipient(self, number: str, limit: int, cursor: str | None) -> Page:
        return self._page([_Partition(BY_RECIPIENT, "to", number)], "to", number, limit, cursor)

    def in_status(self, status: Status, limit: int, cursor: str | None) -> Page:
        shards = (status_shard(status, shard) for shard in range(SHARDS))
        partitions = [_Partition(BY_STATUS, "status_shard", shard) for shard in shards]
        return self._page(partitions, "status", status, limit, cursor)

    def count(self, status: Status) -> int:
        """How many records are in this status, as far as the index knows by now."""
        return sum(self._count(status_shard(status, shard)) for shard in range(SHARDS))

    def _count(self, shard: str) -> int:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_STATUS,
            KeyConditionExpression="status_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            Select="COUNT",
        )
        with translated():
            return sum(page["Count"] for page in pages)

    def _page(
        self,
        partitions: Iterable[_Partition],
        field: str,
        value: str,
        limit: int,
        cursor: str | None,
    ) -> Page:
        after = _read_cursor(cursor, value) if cursor else None
        lists = [self._places(partition, after, limit) for partition in partitions]
        places = (one for one in heapq.merge(*lists, reverse=True) if after is None or one < after)
        found = list(itertools.islice(places, limit + 1))
        more = _write_cursor(value, found[limit - 1]) if len(found) > limit else None
        records = (self._store.get_or_unreadable(record_id) for _, record_id in found[:limit])
        # The index may lag behind the table.
        return Page([one for one in records if one and _stored(one, field) == value], more)

    def _places(self, partition: _Partition, after: Place | None, limit: int) -> Iterator[Place]:
        """The places of one partition, not those that come before the last page's end."""
        for _, same_moment in itertools.groupby(
            self._keys(partition, after, limit), key=lambda place: place[0]
        ):
            yield from sorted(same_moment, reverse=True)

    def _keys(self, partition: _Partition, after: Place | None, limit: int) -> Iterator[Place]:
        until: dict[str, Any] = {":until": {"S": after[0]}} if after else {}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=partition.index,
            KeyConditionExpression="#key = :value" + (" AND created_at <= :until" if after else ""),
            ExpressionAttributeNames={"#key": partition.key},
            ExpressionAttributeValues={":value": {"S": partition.value}, **until},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": limit + 1},
        )
        with translated():
            for page in pages:
                yield from ((item["created_at"]["S"], item["id"]["S"]) for item in page["Items"])


def _stored(record: Record | UnreadableRecord, field: str) -> object:
    return getattr(record, field) if isinstance(record, Record) else record.texts.get(field)


def _write_cursor(value: str, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, *place]).encode()).decode()


def _read_cursor(cursor: str, value: str) -> Place:
    """Read a cursor that belongs to the same list.

    Raises:
        BadCursor: it is not.
    """
    try:
        of, *place = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        created_at, record_id = place
        # A page may end with a damaged record, after which the list must continue: any key will do.
        if of == value and all(map(_may_be_key, (created_at, record_id), _MAX_KEY_BYTES)):
            return created_at, record_id
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass  # binascii.Error is a ValueError
    raise BadCursor("The cursor does not belong to this list: start without it.")


def _may_be_key(text: str, maximum: int) -> bool:
    return 0 < len(text.encode()) <= maximum
