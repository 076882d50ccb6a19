"""Where a number was looked for, and what stood there."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms.rules.phone import InvalidNumber, italian_mobile
from openvoip_sms.templates.expressions import Expression, is_true

_LONGEST_SHOWN = 60  # characters
_MOST_OF_A_LIST = 10  # as many as the service tries


@dataclass(frozen=True, slots=True)
class Looked:
    """What a path of `to` led to: a number if `fault` is empty."""

    path: str
    value: str = field(repr=False)
    fault: str


def looked(paths: Sequence[Expression], data: Any) -> Iterator[Looked]:  # noqa: ANN401 - JSON
    """Each value that is tried, up to the first that is a mobile."""
    for path in paths:
        found = path.of(data)
        for value in found[:_MOST_OF_A_LIST] if isinstance(found, list) and found else [found]:
            one = Looked(path.source, _shown(value), _fault(value))
            yield one
            if not one.fault:
                return


def _fault(value: object) -> str:
    if not is_true(value):
        return "There is nothing."
    if isinstance(value, bool) or not isinstance(value, str | int):
        return "This is neither text nor a whole number."
    try:
        italian_mobile(str(value))
    except InvalidNumber as error:
        return error.detail
    return ""


def _shown(value: object) -> str:
    if not is_true(value):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
