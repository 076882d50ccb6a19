"""JSON that a stranger wrote: read strictly, in bounded depth, with numbers that can be used."""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 100  # levels; real bodies have fewer than ten


class UnreadableJson(ValueError):
    """Cannot be read. `reason` is `json`, `number` or `depth`; the text is not repeated."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_json(text: str) -> Any:  # noqa: ANN401 - JSON
    """Read one value; of a repeated key the last one counts, as in the senders' own parsers.

    Raises:
        UnreadableJson: it is none, it holds a number that is not finite or has thousands of
            digits, or it is nested deeper than `MAX_DEPTH`, so that whoever walks it may call
            itself.
    """
    try:
        data = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise UnreadableJson("depth") from None
    except json.JSONDecodeError:
        raise UnreadableJson("json") from None
    except UnreadableJson:
        raise
    except ValueError:  # more digits than Python turns into a number
        raise UnreadableJson("number") from None
    if _is_too_deep(data):
        raise UnreadableJson("depth")
    return data


def _refuse(_constant: str) -> NoReturn:
    raise UnreadableJson("number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableJson("number")
    return number


def _is_too_deep(data: Any) -> bool:  # noqa: ANN401 - JSON
    """Level by level: a walk that calls itself would need the stack it is to protect."""
    level = [data] if isinstance(data, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)
