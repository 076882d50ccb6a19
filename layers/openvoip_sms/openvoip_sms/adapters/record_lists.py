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
from openvoip_sms.rules.period import ALWAYS, Period
from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339

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


@dataclass(frozen=True, slots=True)
class _Search:
    """What the records of a list have in common."""

    field: str
    value: str
    period: Period

    def finds(self, record: Record | UnreadableRecord) -> bool:
        return _stored(record, self.field) == self.value


@dataclass(frozen=True, slots=True)
class _Range:
    """Places from the moment `since`, before the moment `until`, and after the last page's end."""

    since: str | None
    until: str | None
    after: Place | None

    @classmethod
    def of(cls, period: Period, after: Place | None) -> "_Range":
        since, until = (
            None if moment is None else to_rfc3339(moment)
            for moment in (period.since, period.until)
        )
        return cls(since, until, after)

    @property
    def _last(self) -> str | None:
        """The moment at which the list begins, as the newest are first; it is wide by one."""
        return min((one for one in (self.until, self.after and self.after[0]) if one), default=None)

    @property
    def is_empty(self) -> bool:
        last = self._last
        return self.since is not None and last is not None and last < self.since

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A key condition has one part for the sort key, and only `BETWEEN` has two ends."""
        ends = {":since": self.since, ":until": self._last}
        values = {name: {"S": end} for name, end in ends.items() if end is not None}
        parts = {
            (":since", ":until"): " AND created_at BETWEEN :since AND :until",
            (":since",): " AND created_at >= :since",
            (":until",): " AND created_at <= :until",
        }
        return parts.get(tuple(values), ""), values

    def contains(self, place: Place) -> bool:
        is_later = self.after is None or place < self.after
        return is_later and (self.until is None or place[0] < self.until)


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
        places = self._merged(_partitions(status), _Range.of(period, None), maximum)
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
        after = _read_cursor(cursor, search.value) if cursor else None
        places = self._merged(partitions, _Range.of(search.period, after), limit + 1)
        found = list(itertools.islice(places, limit + 1))
        more = _write_cursor(search.value, found[limit - 1]) if len(found) > limit else None
        records = (self._store.get_or_unreadable(record_id) for _, record_id in found[:limit])
        # The index may lag behind the table.
        return Page([one for one in records if one and search.finds(one)], more)

    def _merged(
        self, partitions: Iterable[_Partition], within: _Range, page: int
    ) -> Iterator[Place]:
        lists = [self._places(partition, within, page) for partition in partitions]
        return (place for place in heapq.merge(*lists, reverse=True) if within.contains(place))

    def _places(self, partition: _Partition, within: _Range, page: int) -> Iterator[Place]:
        """The places of one partition, and perhaps some of the moments at which the range ends."""
        for _, same_moment in itertools.groupby(
            self._keys(partition, within, page), key=lambda place: place[0]
        ):
            yield from sorted(same_moment, reverse=True)

    def _keys(self, partition: _Partition, within: _Range, page: int) -> Iterator[Place]:
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
