"""The index over the messages that are held back, and the writes that end it.

It holds nothing else, so it is usually empty. It is spread over partitions by reason, and merged
oldest first.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openvoip_sms.adapters.record_item import SHARDS, Item, hold_shard, shard_of
from openvoip_sms.adapters.store import translated
from openvoip_sms.delivery.ports import HeldMessage
from openvoip_sms.rules.record import REASON_IN_WORDS, Reason
from openvoip_sms.rules.rfc3339 import from_rfc3339, to_rfc3339
from openvoip_sms.rules.transitions import check_after

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_HOLD = "by_hold"
_PAGE = 500  # entries of one partition

type _Entry = tuple[str, str, Item]  # when it was created, its id, and its entry


class DynamoHeldMessages:
    """Implements the delivery's `HeldMessages`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def oldest_first(self, reasons: Iterable[Reason]) -> Iterator[HeldMessage]:
        """Return the messages that are held for any of these reasons."""
        partitions = [self._entries(reason, shard) for reason in reasons for shard in range(SHARDS)]
        for _, _, item in heapq.merge(*partitions, key=lambda entry: entry[:2]):
            if (held := _held(item)) is not None:
                yield held

    def wake(self, held: HeldMessage, now: datetime) -> bool:
        """Store that it waits in the queue; false if it is not held for this reason any more."""
        check_at = to_rfc3339(check_after(now, held.expires_at))
        return self._update(
            held,
            "check_at = :check_at REMOVE reason, detail, held_until, hold_shard",
            now,
            {":check_at": check_at},
        )

    def hold_for(
        self, held: HeldMessage, reason: Reason, until: datetime | None, now: datetime
    ) -> bool:
        """Store another reason or moment; false if it is not held for this reason any more."""
        values = {
            ":reason": reason,
            ":detail": REASON_IN_WORDS[reason],
            ":new_shard": hold_shard(reason, shard_of(held.id)),
        }
        change = "reason = :reason, detail = :detail, hold_shard = :new_shard"
        if until is None:
            return self._update(held, f"{change} REMOVE held_until", now, values)
        values[":until"] = to_rfc3339(until)
        return self._update(held, f"{change}, held_until = :until", now, values)

    def _entries(self, reason: Reason, shard: int) -> Iterator[_Entry]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_HOLD,
            KeyConditionExpression="hold_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": hold_shard(reason, shard)}},
            PaginationConfig={"PageSize": _PAGE},
        )
        with translated():
            for page in pages:
                for item in page["Items"]:
                    yield item["created_at"]["S"], item["id"]["S"], dict(item)

    def _update(
        self, held: HeldMessage, change: str, now: datetime, values: dict[str, str]
    ) -> bool:
        """Change a message that is still held as the index says."""
        values |= {
            ":queued": "queued",
            ":shard": hold_shard(held.reason, shard_of(held.id)),
            ":now": to_rfc3339(now),
        }
        texts: dict[str, Any] = {name: {"S": str(value)} for name, value in values.items()}
        try:
            with translated():
                self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": held.id}},
                    UpdateExpression=f"ADD version :one SET updated_at = :now, {change}",
                    ConditionExpression="#status = :queued AND hold_shard = :shard",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={**texts, ":one": {"N": "1"}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            # The same write, retried by the SDK after a lost reply, is refused too.
            found: Any = refused.response.get("Item", {})
            return bool(found.get("updated_at") == texts[":now"])
        return True


def _held(item: Item) -> HeldMessage | None:
    """Read an entry; `None` if it is damaged, which the reconciler finds when it is checked."""
    shard, until = str(item["hold_shard"]["S"]), item.get("held_until")
    try:
        return HeldMessage(
            id=item["id"]["S"],
            reason=Reason(shard.partition("#")[0]),
            segments=int(item["segments"]["N"]),
            expires_at=from_rfc3339(item["expires_at"]["S"]),
            held_until=from_rfc3339(until["S"]) if until else None,
            maybe_sent=bool(item.get("maybe_sent", {}).get("BOOL")),
        )
    except (KeyError, ValueError, TypeError):
        return None
