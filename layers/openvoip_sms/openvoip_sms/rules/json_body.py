"""Reading JSON that must mean one thing only."""

import json
from typing import Any


class NotJson(ValueError):
    """Not JSON, or JSON that could be read in two ways; the sentence says what is wrong."""


def read_json(body: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Read strictly: no `NaN`, no doubled names, no invalid UTF-8.

    Raises:
        NotJson: with a sentence for the caller.
    """
    try:
        return json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"Not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise NotJson("Not JSON that can be read: nested too deeply.") from None
    except ValueError:
        raise NotJson("Not JSON that can be read: invalid UTF-8 or a number too long.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise NotJson("A name occurs twice in one object: which of the two is meant?")
    return names


def _no_constant(name: str) -> None:
    raise NotJson(f"{name} is not JSON.")
