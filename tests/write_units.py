"""What DynamoDB bills for a write, from the item before and after it and the template's indexes.

By its documentation ("Read and write operations", "Global secondary indexes: write capacity"): the
table costs a unit for each started kilobyte of the larger of both items; an index a unit for each
entry that is put, changed or removed. A changed key is an entry removed and another one put.
Indexes hold keys and a few numbers, so that an entry is always below one kilobyte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from typing import Any

from tests.template import resource

KILOBYTE = 1024
TABLE = "table"

type Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Unit:
    """One write unit: of the table or of an index, in the partition with this key."""

    where: str
    partition: str


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    keys: tuple[str, ...]  # the partition's first
    projected: tuple[str, ...]

    def units(self, old: Item, new: Item) -> list[Unit]:
        before, after = self._entry(old), self._entry(new)
        if before == after:
            return []
        if before and after and before[0] == after[0]:
            return [Unit(self.name, str(after[0][0]))]
        return [Unit(self.name, str(one[0][0])) for one in (before, after) if one]

    def _entry(self, item: Item) -> tuple[tuple[object, ...], tuple[object, ...]] | None:
        """Keys and projected attributes; an item without one of the keys has no entry."""
        if any(name not in item for name in self.keys):
            return None
        keys = tuple(next(iter(item[name].values())) for name in self.keys)
        return keys, tuple(str(item.get(name)) for name in self.projected)


@cache
def indexes() -> list[Index]:
    return [
        Index(
            one["IndexName"],
            tuple(key["AttributeName"] for key in one["KeySchema"]),
            tuple(one["Projection"].get("NonKeyAttributes", ())),
        )
        for one in resource("MessageTable")["GlobalSecondaryIndexes"]
    ]


def write_units(key: str, old: Item | None, new: Item | None) -> list[Unit]:
    """The units of a write that made `new` of `old`, or was refused and left it as it was."""
    old, new = old or {}, new or {}
    kilobytes = max(1, *(ceil(item_size(one) / KILOBYTE) for one in (old, new)))
    units = [Unit(TABLE, key)] * kilobytes
    return units + [unit for index in indexes() for unit in index.units(old, new)]


def item_size(item: Item) -> int:
    """Bytes of an item, as "DynamoDB item sizes and formats" counts them."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(one.encode()) for one in content)
        case "L":
            return 3 + sum(1 + _size(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(one) for name, one in content.items())
    raise ValueError(kind)


def _number_size(text: str) -> int:
    """A byte for two significant digits, one more, and one for a sign."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return ceil(len(digits) / 2) + 1 + text.startswith("-")
