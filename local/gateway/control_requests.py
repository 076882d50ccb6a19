"""Parses the bodies of control requests strictly, with a sentence for each error."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from local.gateway.faults import Fault

_NUMBER = re.compile(r"(?:\+|00)?[0-9]{3,20}")
_OPTIONS = {"accepted", "seconds", "retry_after"}
_FIELDS: dict[str, tuple[tuple[type, ...], str]] = {
    "fault": ((str,), "the name of a fault"),
    "count": ((int,), "a whole number"),
    "to": ((str,), "a phone number"),
    "accepted": ((bool, type(None)), "true or false"),
    "seconds": ((int, float), "a number"),
    "retry_after": ((int, str, type(None)), "seconds or an HTTP date"),
    "faults": ((list,), "a list of faults"),
    "rate": ((int, float), "a number from 0 to 1"),
    "seed": ((int,), "a whole number"),
    "secret": ((str,), "a text"),
    "source": ((str,), "the name of a source"),
    "body": ((str,), "a text"),
    "headers": ((str,), "lines of text"),
    "topic": ((str,), "a text"),
}


class BadControlRequest(Exception):
    """A control request that cannot be carried out; the message is for its caller."""


@dataclass(frozen=True, slots=True)
class NextFaults:
    """A fault for the next calls; `count` of `None`: until cleared."""

    fault: Fault
    count: int | None
    to: str | None


@dataclass(frozen=True, slots=True)
class FaultRate:
    """Faults for a share of the calls; `seed` of `None`: the gateway's own."""

    rate: float
    faults: tuple[Fault, ...]
    seed: int | None


def read_faults(body: bytes) -> NextFaults | FaultRate:
    """`{"fault": …}` for the next calls or a number, `{"faults": […], "rate": …}` for a share.

    Without `count`: one call, or with `to` every call to that number.

    Raises:
        BadControlRequest: When it is malformed or contradicts itself.
    """
    data = _object(body)
    return _rate(data) if "faults" in data or "rate" in data else _next(data)


def read_secret(body: bytes) -> str:
    """The new secret of `{"secret": …}`.

    Raises:
        BadControlRequest: When it is missing or empty. The sentence does not repeat it.
    """
    secret = _checked(_object(body), {"secret"}, {"secret"})["secret"]
    try:
        usable = bool(secret.encode())
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise BadControlRequest("The secret must be a text that is not empty.")
    return str(secret)


def read_preview(body: bytes) -> dict[str, str]:
    """A payload for a source, optionally with headers and a topic.

    Raises:
        BadControlRequest: When it is malformed or contradicts itself.
    """
    return _checked(_object(body), {"source", "body", "headers", "topic"}, {"source", "body"})


def _next(data: dict[str, Any]) -> NextFaults:
    _checked(data, {"fault", "count", "to"} | _OPTIONS, {"fault"})
    to = data.get("to")
    if to is not None and not _NUMBER.fullmatch(to):
        raise BadControlRequest(
            "`to` must be a phone number as the gateway gets it, such as +39333…."
        )
    count = data.get("count", None if to else 1)
    if count is not None and count < 1:
        raise BadControlRequest("`count` must be a whole number from 1.")
    return NextFaults(_fault(data), count, to)


def _rate(data: dict[str, Any]) -> FaultRate:
    _checked(data, {"faults", "rate", "seed"}, {"faults", "rate"})
    if not 0 <= data["rate"] <= 1 or not data["faults"]:
        raise BadControlRequest("A rate is a number from 0 to 1 and needs at least one fault.")
    faults = tuple(_fault(_as_object(item)) for item in data["faults"])
    return FaultRate(data["rate"], faults, data.get("seed"))


def _as_object(item: object) -> dict[str, Any]:
    """A fault of a list: its name, or an object with its options."""
    data = item if isinstance(item, dict) else {"fault": item}
    return _checked(data, {"fault"} | _OPTIONS, {"fault"})


def _fault(data: dict[str, Any]) -> Fault:
    options = {name: data[name] for name in _OPTIONS & data.keys()}
    try:
        return Fault(data["fault"], **options)
    except ValueError as mistake:
        raise BadControlRequest(str(mistake)) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadControlRequest("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadControlRequest("The body must be a JSON object.")
    return data


def _checked(
    data: dict[str, Any], known: Collection[str], needed: Collection[str]
) -> dict[str, Any]:
    for name, value in data.items():
        if name not in known:
            raise BadControlRequest(
                f"There is no field {name[:40]!r}. There are: {', '.join(sorted(known))}."
            )
        types, meaning = _FIELDS[name]
        if type(value) not in types:  # exact: a bool is no number
            raise BadControlRequest(f"`{name}` must be {meaning}.")
    missing = [name for name in sorted(needed) if name not in data]
    if missing:
        raise BadControlRequest(f"`{missing[0]}` is missing.")
    return data
