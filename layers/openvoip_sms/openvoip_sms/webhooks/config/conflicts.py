"""Keys of a source that are valid alone but contradict each other."""

from collections.abc import Collection, Iterator
from typing import Any

type Conflict = tuple[bool, str, str, str]  # whether it applies, key, reason, proposal


def conflicts(
    values: dict[str, Any], explicit: Collection[str], only_hmac: Collection[str]
) -> list[tuple[str, str, str]]:
    """Return key, reason and proposal of each conflict.

    `values` are the values as read, presets included; `explicit` the keys of the source itself.
    """
    if values["auth"] == "token":
        rules = [
            (key in explicit, key, "means nothing to a token", "Remove it.") for key in only_hmac
        ]
    else:
        rules = [*_of_signature(values), *_of_timestamp(values, explicit)]
    return [
        (key, reason, proposal)
        for applies, key, reason, proposal in (*rules, *_of_reading(values))
        if applies
    ]


def _of_signature(values: dict[str, Any]) -> Iterator[Conflict]:
    yield (
        values["header"].kind == "query",
        "header",
        "a signature is in a header",
        "query:NAME is for tokens.",
    )
    parts = values.get("id", ())
    is_one_header = (
        len(parts) == len(parts[0]) == 1 and parts[0][0].kind == "header" if parts else False
    )
    yield (
        "{id}" in values.get("signed", ()) and not is_one_header,
        "signed",
        "names {id}, but id is not one header",
        "Write id: header:NAME.",
    )


def _of_timestamp(values: dict[str, Any], explicit: Collection[str]) -> Iterator[Conflict]:
    is_signed, timestamp = "{timestamp}" in values.get("signed", ()), values.get("timestamp")
    yield (
        timestamp is not None and not is_signed,
        "timestamp",
        "protects nothing, as it is not signed",
        "Add {timestamp} to signed.",
    )
    yield (
        timestamp is None and is_signed,
        "signed",
        "names {timestamp}, but timestamp does not say where it is",
        "Add timestamp.",
    )
    yield (
        timestamp is not None and timestamp[0] == "item" and "separator" not in values,
        "timestamp",
        "an item needs the separator of the items",
        'Add separator, for example ",".',
    )
    for key in ("timestamp_unit", "tolerance"):
        yield (
            timestamp is None and key in explicit,
            key,
            "there is no timestamp",
            "Add timestamp.",
        )


def _of_reading(values: dict[str, Any]) -> Iterator[Conflict]:
    places = [place for part in values.get("id", ()) for place in part]
    yield (
        any(place.kind == "timestamp" for place in places) and "timestamp" not in values,
        "id",
        "there is no timestamp",
        "Add timestamp.",
    )
    topic = values.get("topic")
    yield (
        "ping" in values and topic is not None and topic.kind != "header",
        "ping",
        "needs its topic in a header",
        "Remove it.",
    )
