"""Every HTTP request that the functions make to the table, with what it changed."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.emulated_stack import REGION
from tests.write_units import Item, Unit, write_units

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_HOOK = "table_request"


@dataclass(slots=True)
class TableRequest:
    """`key`: of the item, or of an index's partition. `old` and `new`: of a write."""

    operation: str
    key: str
    index: str | None = None
    old: Item | None = None
    new: Item | None = None

    @property
    def is_write(self) -> bool:
        return self.operation in WRITES

    @property
    def units(self) -> list[Unit]:
        return write_units(self.key, self.old, self.new) if self.is_write else []

    @property
    def read_units(self) -> float:
        """Half a unit for a page of an index, one for a consistent read of an item."""
        if self.is_write:
            return 0.0
        return 0.5 if self.operation == "Query" else 1.0


@dataclass(slots=True)
class TableRequests:
    """What was requested since the last `taken`."""

    table: str
    with_items: bool = True
    made: list[TableRequest] = field(default_factory=list)
    _reader: Any = field(default_factory=lambda: boto3.client("dynamodb", REGION))  # has no hooks

    def taken(self) -> list[TableRequest]:
        made, self.made = self.made, []
        return made

    def counts(self) -> dict[str, int]:
        """How many requests there were, by operation."""
        return dict(Counter(one.operation for one in self.taken()))

    @contextmanager
    def of(self, client: Any) -> Iterator["TableRequests"]:
        """Record each request of a client, also one that the SDK repeats."""
        events = client.meta.events
        events.register_first("request-created.dynamodb", self._created)
        events.register_first("needs-retry.dynamodb", self._answered)
        try:
            yield self
        finally:
            events.unregister("request-created.dynamodb", self._created)
            events.unregister("needs-retry.dynamodb", self._answered)

    def _created(self, request: Any, operation_name: str, **_: Any) -> None:
        asked = json.loads(request.data)
        if asked.get("TableName", self.table) != self.table:
            return
        made = TableRequest(operation_name, _key(asked), asked.get("IndexName"))
        if self.with_items and made.is_write:
            made.old = self._item(made.key)
        self.made.append(made)
        request.context[_HOOK] = made

    def _answered(self, request_dict: dict[str, Any], **_: Any) -> None:
        made = request_dict["context"].get(_HOOK)
        if self.with_items and made is not None and made.is_write:
            made.new = self._item(made.key)

    def _item(self, key: str) -> Item | None:
        found = self._reader.get_item(TableName=self.table, Key={"id": {"S": key}})
        return found.get("Item")


def _key(asked: dict[str, Any]) -> str:
    """The item's key; of a query, its partition's, and of many keys the first."""
    if "Key" in asked or "Item" in asked:
        return str(asked.get("Key", asked.get("Item"))["id"]["S"])
    if "RequestItems" in asked:
        [keys] = asked["RequestItems"].values()
        return str(keys["Keys"][0]["id"]["S"])
    return str(asked.get("ExpressionAttributeValues", {}).get(":shard", {}).get("S", ""))
