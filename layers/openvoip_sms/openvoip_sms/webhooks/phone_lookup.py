"""Finds the phone number of a message, and explains why a value is no mobile.

The plan keeps the lookups, so that a preview can show them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms.rules.phone import MAX_INPUT, InvalidNumber, italian_mobile, refused_as_decimal
from openvoip_sms.templates.expressions import Expression, is_true

MAX_NUMBERS = 10  # tried of one list
MAX_SHOWN = 60  # characters of a value

_NO_NUMBER = {
    "missing": "There is nothing.",
    "wrong_type": "The value is neither text nor a whole number.",
}


@dataclass(frozen=True, slots=True)
class PhoneLookup:
    """A value that a path led to: `mobile` is its number, or `reason` and `detail` say why not."""

    path: str
    found: Any = field(repr=False)
    mobile: str = field(default="", repr=False)
    reason: str = ""
    detail: str = ""

    @property
    def value(self) -> str:
        """The value found, shortened for display; made on demand, as only previews need it."""
        if self.reason == "missing":
            return ""
        found = self.found
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def look_up(paths: Sequence[Expression], data: Any) -> tuple[PhoneLookup, ...]:  # noqa: ANN401 - JSON
    """Try each value of each path in order, up to the first that is an Italian mobile."""
    lookups: list[PhoneLookup] = []
    for path in paths:
        for value in _values(path.of(data)):
            lookups.append(_lookup(path.source, value))
            if lookups[-1].mobile:
                return tuple(lookups)
    return tuple(lookups)


def _values(found: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    if isinstance(found, list) and found:
        yield from found[:MAX_NUMBERS]
    else:
        yield found


def _lookup(path: str, value: Any) -> PhoneLookup:  # noqa: ANN401 - JSON
    """Only text or a whole number can be a phone number."""
    if isinstance(value, float):
        return _invalid(path, value, refused_as_decimal())
    if isinstance(value, bool) or not isinstance(value, str | int):
        reason = "wrong_type" if is_true(value) else "missing"
        return PhoneLookup(path, value, reason=reason, detail=_NO_NUMBER[reason])
    text = str(value)
    if len(text) <= MAX_INPUT and not text.strip():
        return PhoneLookup(path, value, reason="missing", detail=_NO_NUMBER["missing"])
    try:
        return PhoneLookup(path, value, mobile=italian_mobile(text))
    except InvalidNumber as error:
        return _invalid(path, value, error)


def _invalid(path: str, value: Any, error: InvalidNumber) -> PhoneLookup:  # noqa: ANN401 - JSON
    return PhoneLookup(path, value, reason=error.reason, detail=error.detail)
