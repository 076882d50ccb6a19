"""The attributes of a guard item: a set for each clock hour, a text for each mark."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from openvoip_sms.adapters.record_item import Item
from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules.guard_item import GuardItem, Mark
from openvoip_sms.rules.limits import SAME_TEXT_WITHIN, hour_of
from openvoip_sms.rules.message import ID_PATTERN
from openvoip_sms.rules.rfc3339 import from_rfc3339

_HOUR = re.compile(r"s(\d{1,9})")
_MARK = re.compile(r"m#.+")
_VALUE = re.compile(r"(\d{13}) (.+)")
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

type FoundUnreadable = Callable[[UnreadableRecord], None]


def hour_name(hour: int) -> str:
    return f"s{hour}"


def mark_value(mark: Mark) -> str:
    """`1795509000000 modulo:3f0c…`: sorts as text as in time."""
    return f"{_milliseconds(mark.at)} {mark.id}"


def oldest_mark(now: datetime) -> str:
    """Not before any mark value that does not count any more."""
    return f"{_milliseconds(now - SAME_TEXT_WITHIN)}~"


def guard_item(item: Item, hour: int, found_unreadable: FoundUnreadable) -> GuardItem:
    """What can be read of an item."""

    def read[T](name: str, load: Callable[[Item], T]) -> T | None:
        return part(item, name, load, found_unreadable)

    marks = [read(name, _mark_at(name)) for name in sorted(item) if _MARK.fullmatch(name)]
    return GuardItem(
        this_hour=read(hour_name(hour), _entries) or frozenset(),
        last_hour=read(hour_name(hour - 1), _entries) or frozenset(),
        marks=tuple(mark for mark in marks if mark),
        paused_until=read("paused_until", moment),
        has_unused="unused" in item,
    )


def outdated(item: Item, now: datetime) -> list[str]:
    """The names of what no limit needs any more."""
    return [name for name in sorted(item) if _is_outdated(name, item[name], now)]


def _is_outdated(name: str, attribute: Item, now: datetime) -> bool:
    if match := _HOUR.fullmatch(name):
        return int(match[1]) < hour_of(now) - 1
    return bool(_MARK.fullmatch(name)) and str(attribute.get("S", "")) <= oldest_mark(now)


def part[T](
    item: Item, name: str, load: Callable[[Item], T], found_unreadable: FoundUnreadable
) -> T | None:
    """Return an attribute, `None` if it is absent or cannot be read."""
    try:
        return load(item[name]) if name in item else None
    except (KeyError, ValueError, ArithmeticError):
        found_unreadable(UnreadableRecord(str(item["id"]["S"]), {}, name))
        return None


def moment(attribute: Item) -> datetime:
    return from_rfc3339(attribute["S"])


def _entries(attribute: Item) -> frozenset[str]:
    return frozenset(attribute["SS"])


def _mark_at(name: str) -> Callable[[Item], Mark]:
    def load(attribute: Item) -> Mark:
        match = _VALUE.fullmatch(attribute["S"])
        if match is None or not ID_PATTERN.fullmatch(match[2]):
            raise ValueError("no mark")
        return Mark(name, match[2], _EPOCH + int(match[1]) * _MILLISECOND)

    return load


def _milliseconds(at: datetime) -> str:
    return f"{(at - _EPOCH) // _MILLISECOND:013d}"
