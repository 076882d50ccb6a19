"""Decisions about many records, in the message table under keys that no message id has.

An item holds 400 KB at most, so the records are in parts of their own. The head is written last: a
decision without it is none. Two first calls with one id write parts under different keys, so that
neither can change what the other has stored.
"""

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from openvoip_sms.adapters.record_item import Item
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import StoredResolution, StoreUnavailable
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.resolution import Decision, Doubt, Resolution
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PART = 1000  # records: at most 170 KB, as an id has 128 characters

type _Values = dict[str, Any]


class DynamoResolutions:
    """Implements the delivery's `Resolutions`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        new_token: Callable[[], str],
    ) -> None:
        self._client, self._table, self._retention = client, table, retention
        self._new_token = new_token

    def get(self, resolution_id: str) -> StoredResolution | None:
        head = self._get(_head_key(resolution_id))
        return None if head is None else self._stored(resolution_id, head)

    def create(
        self, resolution: Resolution, doubts: Sequence[Doubt], now: datetime
    ) -> StoredResolution:
        """Store it whole if its id is new; return what is stored under that id now."""
        token, ttl = self._new_token(), int((now + self._retention).timestamp())
        parts = list(itertools.batched(doubts, PART, strict=False))
        for n, part in enumerate(parts):
            records = [{"id": one.id, "version": one.version} for one in part]
            key = _part_key(resolution.id, token, n)
            self._put({"id": key, "records": records, "ttl": ttl})
        made = {"decided_at": to_rfc3339(now), "token": token, "parts": len(parts), "ttl": ttl}
        head = {"id": _head_key(resolution.id), **_values(resolution), **made}
        return self._stored(resolution.id, self._create(head))

    def _stored(self, resolution_id: str, head: _Values) -> StoredResolution:
        keys = [_part_key(resolution_id, head["token"], n) for n in range(int(head["parts"]))]
        parts = [self._get(key) or {"records": ()} for key in keys]  # deleted by its time to live
        doubts = [
            Doubt(one["id"], int(one["version"])) for part in parts for one in part["records"]
        ]
        return StoredResolution(_resolution(resolution_id, head), doubts)

    def _get(self, key: str) -> _Values | None:
        with translated():
            found = self._client.get_item(
                TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True
            )
        return _plain(found["Item"]) if "Item" in found else None

    def _create(self, head: _Values) -> _Values:
        """Write it if its key is new; return what is stored under that key now."""
        try:
            self._put(
                head,
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            found: Any = refused.response.get("Item")
            if not found:  # deleted meanwhile by its time to live
                raise StoreUnavailable("no item behind a failed condition") from None
            return _plain(found)
        return head

    def _put(self, values: _Values, **condition: Any) -> None:  # noqa: ANN401 - the SDK's
        serialize = TypeSerializer().serialize
        item = {name: serialize(value) for name, value in values.items()}
        with translated():
            self._client.put_item(TableName=self._table, Item=item, **condition)


def _head_key(resolution_id: str) -> str:
    return f"#resolution#{resolution_id}"


def _part_key(resolution_id: str, token: str, n: int) -> str:
    return f"{_head_key(resolution_id)}#{token}#{n}"


def _values(resolution: Resolution) -> _Values:
    """Without those that are `None`."""
    since, until = resolution.period.since, resolution.period.until
    values = {
        "since": since and to_rfc3339(since),
        "until": until and to_rfc3339(until),
        "decision": str(resolution.decision),
        "messages": resolution.messages,
        "source": resolution.source,
        "decided_by": resolution.by,
    }
    return {name: value for name, value in values.items() if value is not None}


def _resolution(resolution_id: str, head: _Values) -> Resolution:
    since, until = head.get("since"), head.get("until")
    return Resolution(
        id=resolution_id,
        period=Period(since and from_rfc3339(since), until and from_rfc3339(until)),
        decision=Decision(head["decision"]),
        messages=int(head["messages"]),
        source=head.get("source"),
        by=head.get("decided_by"),
    )


def _plain(item: Item) -> _Values:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
