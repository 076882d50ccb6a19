"""Comparisons of what senders write: a number may come as a number or as text, a time as text.

JMESPath alone finds `"49.90" > 50` neither true nor false, and `"7" == 7` false: a condition that
compares the two would be silently false for ever.
"""

import operator
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openvoip_sms.rules.rome import ROME
from openvoip_sms.rules.rome_time import read_when

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def as_comparable(name: str, left: object, right: object) -> tuple[object, object] | None:
    """Return both values as one kind where that is certain; None: compare them as they are.

    A number and a text that is one (`49.90`, but not `007` or `49,90`) are two numbers. For an
    order, so are two such texts; and two times, of which one at least is a text, are two moments.
    """
    texts = isinstance(left, str) + isinstance(right, str)
    if texts == 0 or (texts == 2 and name not in _ORDER):  # noqa: PLR2004 - both
        return None
    numbers = _number(left), _number(right)
    if None not in numbers:
        return numbers
    return _moments(left, right) if name in _ORDER else None


def have_no_order(name: str, left: object, right: object) -> bool:
    """Whether one is a number or a time, and the other a text that is neither.

    Neither is more than the other. Two texts of words have the order of their characters.
    """
    if name not in _ORDER or not (isinstance(left, str) or isinstance(right, str)):
        return False
    return _is_measured(left) or _is_measured(right)


def _is_measured(value: object) -> bool:
    return _number(value) is not None or read_when(value) is not None


def compare(name: str, left: object, right: object) -> bool:
    """Compare what `as_comparable` returned."""
    if name in _ORDER:
        return _ORDER[name](left, right)
    return (left == right) is (name == "eq")


def _number(value: object) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return number if number.is_finite() else None


def _moments(left: object, right: object) -> tuple[object, object] | None:
    """Two moments; two days, if one of them has no time."""
    first, second = read_when(left), read_when(right)
    if first is None or second is None:
        return None
    if isinstance(first, datetime) and isinstance(second, datetime):
        return first, second
    return _day(first), _day(second)


def _day(when: datetime | date) -> date:
    return when.astimezone(ROME).date() if isinstance(when, datetime) else when
