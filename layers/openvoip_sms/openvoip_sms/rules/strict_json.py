"""JSON from outside: parsed strictly, with bounded depth and finite numbers."""

import json
import math
from typing import Any, Literal, NoReturn

MAX_DEPTH = 100  # levels; real bodies have fewer than ten

_DETAILS = {
    "json": "Not JSON that can be read.",
    "number": "Not JSON that can be read: a number is not finite or has too many digits.",
    "parts": "Not JSON that can be read: too many objects, lists or members.",
    "depth": "Not JSON that can be read: nested too deeply.",
    "encoding": "Not JSON that can be read: invalid UTF-8.",
    "duplicate_key": "A name occurs twice in one object: remove one of the two.",
}


class NotJson(ValueError):
    """Not JSON, or JSON that could be read in two ways. The message does not repeat the input."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or _DETAILS[reason])
        self.reason = reason


def read_json(
    body: str | bytes,
    *,
    duplicate_keys: Literal["refuse", "last"],
    numbers_as_text: bool = False,
) -> Any:  # noqa: ANN401 - any JSON value
    """Read one value. A byte order mark before it counts for nothing.

    With `last`, the last value of a repeated key counts, as in most parsers of senders.
    With `numbers_as_text` a number is returned as its text.

    Raises:
        NotJson: it is none; a number is not finite or has thousands of digits; it is nested
            deeper than `MAX_DEPTH`, so that code may walk it recursively; with `refuse`, a key
            occurs twice.
    """
    try:
        value = json.loads(
            # In bytes it is the decoder's business.
            body.removeprefix("\ufeff") if isinstance(body, str) else body,
            object_pairs_hook=_unique if duplicate_keys == "refuse" else None,
            parse_constant=_refuse_constant,
            parse_float=str if numbers_as_text else _finite,
            parse_int=str if numbers_as_text else None,
        )
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson("json", f"Not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise NotJson("depth") from None
    except UnicodeDecodeError:
        raise NotJson("encoding") from None
    except ValueError:  # more digits than Python turns into a number
        raise NotJson("number") from None
    if _is_too_deep(value):
        raise NotJson("depth")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise NotJson("duplicate_key")
    return names


def _refuse_constant(_name: str) -> NoReturn:
    raise NotJson("number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotJson("number")
    return number


def _is_too_deep(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Check level by level: a recursive check could exhaust the stack itself."""
    level = [value] if isinstance(value, dict | list) else []
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
