"""Lists of records for people: newest first, page by page.

The index by status is spread over partitions, so that none takes the writes of all messages. A list
merges them; moments that are the same are ordered by id, so that a page may end between them.
"""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openvoip_sms.adapters.list_range import Place, Range, read_cursor, write_cursor
from openvoip_sms.adapters.record_item import SHARDS, status_shard
from openvoip_sms.adapters.store import DynamoStore, translated
from openvoip_sms.delivery.ports import Page, UnreadableRecord
from openvoip_sms.rules.period import ALWAYS, Period
from openvoip_sms.rules.record import Record, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_RECIPIENT, BY_STATUS = "by_recipient", "by_status"


@dataclass(frozen=True, slots=True)
class _Partition:
    """One partition key of an index."""

    index: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class _Search:
    """What the records of a list have in common."""

    field: str
    value: str
    period: Period

    def finds(self, record: Record | UnreadableRecord) -> bool:
        return _stored(record, self.field) == self.value


class DynamoLists:
    """Implements the delivery's `RecordLists`."""

    def __init__(self, store: DynamoStore, client: "DynamoDBClient", table: str) -> None:
        self._store, self._client, self._table = store, client, table
        self.get = store.get

    def to_recipient(
        self, number: str, limit: int, cursor: str | None, period: Period = ALWAYS
    ) -> Page:
        partitions = [_Partition(BY_RECIPIENT, "to", number)]
        return self._page(partitions, _Search("to", number, period), limit, cursor)

    def in_status(
        self, status: Status, limit: int, cursor: str | None, period: Period = ALWAYS
    ) -> Page:
        search = _Search("status", status, period)
        return self._page(_partitions(status), search, limit, cursor)

    def ids_in_status(self, status: Status, period: Period, maximum: int) -> list[str]:
        """Return the ids of the newest records of a period, the oldest of them first."""
        places = self._merged(_partitions(status), Range.of(period, None), maximum)
        newest = [record_id for _, record_id in itertools.islice(places, maximum)]
        return newest[::-1]

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
        search: _Search,
        limit: int,
        cursor: str | None,
    ) -> Page:
        after = read_cursor(cursor, search.value) if cursor else None
        places = self._merged(partitions, Range.of(search.period, after), limit + 1)
        found = list(itertools.islice(places, limit + 1))
        more = write_cursor(search.value, found[limit - 1]) if len(found) > limit else None
        records = (self._store.get_or_unreadable(record_id) for _, record_id in found[:limit])
        # The index may lag behind the table.
        return Page([one for one in records if one and search.finds(one)], more)

    def _merged(
        self, partitions: Iterable[_Partition], within: Range, page: int
    ) -> Iterator[Place]:
        lists = [self._places(partition, within, page) for partition in partitions]
        return (place for place in heapq.merge(*lists, reverse=True) if within.contains(place))

    def _places(self, partition: _Partition, within: Range, page: int) -> Iterator[Place]:
        """The places of one partition, and perhaps some of the moments at which the range ends."""
        for _, same_moment in itertools.groupby(
            self._keys(partition, within, page), key=lambda place: place[0]
        ):
            yield from sorted(same_moment, reverse=True)

    def _keys(self, partition: _Partition, within: Range, page: int) -> Iterator[Place]:
        if within.is_empty:
            return  # DynamoDB refuses limits that are the wrong way round
        condition, values = within.condition()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=partition.index,
            KeyConditionExpression="#key = :value" + condition,
            ExpressionAttributeNames={"#key": partition.key},
            ExpressionAttributeValues={":value": {"S": partition.value}, **values},
            ScanIndexForward=False,
            PaginationConfig={"PageSize": page},
        )
        with translated():
            for found in pages:
                yield from ((item["created_at"]["S"], item["id"]["S"]) for item in found["Items"])


def _partitions(status: Status) -> list[_Partition]:
    shards = (status_shard(status, shard) for shard in range(SHARDS))
    return [_Partition(BY_STATUS, "status_shard", shard) for shard in shards]


def _stored(record: Record | UnreadableRecord, field: str) -> object:
    return getattr(record, field) if isinstance(record, Record) else record.texts.get(field)
