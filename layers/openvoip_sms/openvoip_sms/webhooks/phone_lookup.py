"""Where a number was looked for, what was found there, and why it was no mobile.

A plan keeps it, so that whoever has to explain the plan need not look again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.templates.expressions import Expression, is_true

MAX_NUMBERS = 10  # tried out of one list
MAX_SHOWN = 60  # characters of a value

_NO_NUMBER = {
    "missing": "There is nothing.",
    "wrong_type": "This is neither text nor a whole number.",
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
        """What was found, short enough to be shown; made on demand, as a webhook shows nothing."""
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
    """Text or a whole number may be a phone number; nothing else is guessed at."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        reason = "wrong_type" if is_true(value) else "missing"
        return PhoneLookup(path, value, reason=reason, detail=_NO_NUMBER[reason])
    text = str(value)
    if not text.strip():
        return PhoneLookup(path, value, reason="missing", detail=_NO_NUMBER["missing"])
    try:
        return PhoneLookup(path, value, mobile=italian_mobile(text))
    except InvalidNumber as error:
        return PhoneLookup(path, value, reason=error.reason, detail=error.detail)
