"""The message table in memory, with the conditions and updates that the adapters write.

Only what they write is understood; anything else fails loudly rather than to hold by chance.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

type Item = dict[str, Any]
type Names = Mapping[str, str]

_SIZE = re.compile(r"size\(([#\w]+)\) < (:\w+)")
_EXISTS = re.compile(r"attribute_(not_)?exists\(([#\w]+)\)")
_IS_IN = re.compile(r"([#\w]+) IN \(([:\w, ]+)\)")
_COMPARES = re.compile(r"([#\w]+) (=|<>|<=|>=|<|>) (:\w+)")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CLAUSES = re.compile(r"\b(SET|ADD|DELETE|REMOVE) ")
_ASSIGNMENT = {
    "SET": re.compile(r"([#\w]+) = (:\w+)"),
    "ADD": re.compile(r"([#\w]+) (:\w+)"),
    "DELETE": re.compile(r"([#\w]+) (:\w+)"),
}
_FIRST_WINS = re.compile(r"([#\w]+) = if_not_exists\(\1, (:\w+)\)")
_PARTS = re.compile(r", (?![^(]*\))")


class MemoryTable:
    """Items by their `id`. What is stored is never changed in place."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.by_check: dict[str, Item] = {}  # the sparse index
        self.left_by_check = ""  # the last key that it lost
        self._held: defaultdict[str, dict[str, Item]] = defaultdict(dict)
        self._left_held: dict[str, Item] = {}  # by partition: the last item that it lost
        self._before: dict[str, Item | None] = {}
        self._by_status: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def put(self, item: Item) -> None:
        key = item["id"]["S"]
        self._before[key] = self.items.get(key)
        self.items[key] = item
        before = self._before[key]
        if before and "status_shard" in before:
            self._by_status[before["status_shard"]["S"]].pop(key, None)
        if "status_shard" in item:
            self._by_status[item["status_shard"]["S"]][key] = None
        if before and "hold_shard" in before:
            self._held[before["hold_shard"]["S"]].pop(key, None)
            self._left_held[before["hold_shard"]["S"]] = before
        if "hold_shard" in item:
            self._held[item["hold_shard"]["S"]][key] = item
        if "check_at" in item:
            self.by_check[key] = item
        elif self.by_check.pop(key, None):
            self.left_by_check = key

    def in_status_shard(self, shard: str) -> list[str]:
        """The keys of one partition of the index by status."""
        return list(self._by_status[shard])

    def held(self, shard: str) -> list[Item]:
        """The items of one partition of the index over what is held back, oldest first."""
        return sorted(self._held[shard].values(), key=lambda item: str(item["created_at"]["S"]))

    def left_held(self, shard: str) -> list[Item]:
        """What that index may still show."""
        return [self._left_held[shard]] if shard in self._left_held else []

    def get(self, key: str) -> Item | None:
        return self.items.get(key)

    def get_stale(self, key: str) -> Item | None:
        """The item as it was before its last write: what a read that is not consistent may see."""
        return self._before.get(key)

    def update(self, key: str, expression: str, names: Names, values: Item) -> Item:
        """Apply an update to what is there, or to nothing; return the new item."""
        item = dict(self.items.get(key) or {"id": {"S": key}})
        words = _CLAUSES.split(expression)
        for clause, body in zip(words[1::2], words[2::2], strict=True):
            for part in _PARTS.split(body.strip()):
                _apply(clause, part, item, names, values)
        self.put(item)
        return item


def _apply(clause: str, part: str, item: Item, names: Names, values: Item) -> None:
    if clause == "REMOVE":
        item.pop(names.get(part, part), None)
        return
    if match := _FIRST_WINS.fullmatch(part):
        item.setdefault(names.get(match[1], match[1]), values[match[2]])
        return
    match = _ASSIGNMENT[clause].fullmatch(part)
    assert match, part
    name, value = names.get(match[1], match[1]), values[match[2]]
    if "SS" in value:
        _change_set(clause, item, name, set(value["SS"]))
        return
    if clause == "ADD":
        value = {"N": str(_plain(item.get(name, {"N": "0"})) + _plain(value))}
    item[name] = value


def _change_set(clause: str, item: Item, name: str, values: set[str]) -> None:
    before = set(item.get(name, {"SS": []})["SS"])
    after = before | values if clause == "ADD" else before - values
    if after:
        item[name] = {"SS": sorted(after)}
    else:
        item.pop(name, None)


def holds(expression: str, item: Item | None, values: Item, names: Names | None = None) -> bool:
    """Whether a condition holds for an item, or for none. An empty one always does."""
    return not expression or all(
        any(
            all(atom(item or {}, values, names or {}) for atom in alternative)
            for alternative in _alternatives(group)
        )
        for group in _groups(expression)
    )


type _Atom = Callable[[Item, Item, Names], bool]


def _groups(expression: str) -> list[str]:
    """The parts in parentheses that all must hold, or the whole."""
    if not expression.startswith("("):
        return [expression]
    return expression.removeprefix("(").removesuffix(")").split(") AND (")


@cache
def _alternatives(expression: str) -> list[list[_Atom]]:
    return [list(map(_atom, one.split(" AND "))) for one in expression.split(" OR ")]


def _atom(written: str) -> _Atom:
    if match := _EXISTS.fullmatch(written):
        wanted, name = not match[1], match[2]
        return lambda item, _values, names: (names.get(name, name) in item) is wanted
    if match := _IS_IN.fullmatch(written):
        one, several = match[1], match[2].split(", ")
        return lambda item, values, names: (
            item.get(names.get(one, one)) in [values[each] for each in several]
        )
    if match := _SIZE.fullmatch(written):
        of, below = match[1], match[2]
        return lambda item, values, names: (
            len(item[names.get(of, of)]["SS"]) < _plain(values[below])
        )
    match = _COMPARES.fullmatch(written)
    assert match, written
    name, compares, value = match[1], _OPERATORS[match[2]], match[3]

    def compared(item: Item, values: Item, names: Names) -> bool:
        found = item.get(names.get(name, name))
        return found is not None and compares(_plain(found), _plain(values[value]))

    return compared


def text_of(item: Item | None) -> str:
    """Each message of a run has its own text: it identifies the message at the gateway."""
    return str(item["text"]["S"]) if item and "text" in item else ""


def _plain(attribute: Item) -> Any:
    [(kind, value)] = attribute.items()
    return Decimal(value) if kind == "N" else value
