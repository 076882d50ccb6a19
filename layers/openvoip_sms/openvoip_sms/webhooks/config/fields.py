"""Parses the values of a source, one function for each kind.

Each takes the raw value from YAML and returns its typed form, or raises `WrongValue`.
"""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from openvoip_sms.rules.rome_time import Duration, read_duration
from openvoip_sms.rules.sender_name import InvalidSender, check_sender
from openvoip_sms.templates.expression_faults import Fault
from openvoip_sms.templates.expressions import BadExpression, Expression, compile_expression
from openvoip_sms.templates.text_template import BadTemplate, Template, compile_template
from openvoip_sms.webhooks.model import Place

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")  # RFC 9110, 5.6.2
_SIGNED_FIELDS = re.compile(r"(\{(?:body|timestamp|id|method|url)\})")

type FieldParser = Callable[[Any], Any]


class WrongValue(ValueError):
    """Not a valid value of this key, for all of `faults`, each with a proposal."""

    def __init__(self, reason: str, proposal: str = "", *, more: Sequence[Fault] = ()) -> None:
        super().__init__(reason)
        self.faults = (Fault(reason, proposal), *more)


def _all_wrong(faults: Sequence[Fault]) -> WrongValue:
    first, *more = faults
    return WrongValue(first.reason, first.proposal, more=more)


def each_of(read: FieldParser) -> FieldParser:
    """Return the parser of one value or a list, which reports the faults of every item."""

    def read_all(value: object) -> tuple[Any, ...]:
        found: list[Any] = []
        faults: list[Fault] = []
        for item in one_or_more(value):
            try:
                found.append(read(item))
            except WrongValue as error:
                faults += error.faults
        if faults:
            raise _all_wrong(faults)
        return tuple(found)

    return read_all


def text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be text", "Put it in quotes.")
    return value


def filled(value: object) -> str:
    if not text(value):
        raise WrongValue("must not be empty")
    return text(value)


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("must be true or false", "Write it without quotes.")
    return value


def choice(literal: Any) -> FieldParser:  # noqa: ANN401 - a Literal has no type of its own
    """Return the parser of one word out of a `Literal`."""
    words = get_args(literal)

    def read(value: object) -> str:
        if value not in words:
            raise WrongValue(f"must be one of {', '.join(words)}", closest(value, words))
        return str(value)

    return read


def closest(word: object, words: Any) -> str:  # noqa: ANN401 - any collection of texts
    """Suggest the most similar of `words`; empty if none is."""
    close = get_close_matches(str(word), [str(known) for known in words], n=1)
    return f"Did you mean {close[0]}?" if close else ""


def one_or_more(value: object) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise WrongValue("must not be empty")
    return items


def names(value: object) -> tuple[str, ...]:
    return tuple(filled(item) for item in one_or_more(value))


def expression(value: object) -> Expression:
    try:
        return compile_expression(filled(value))
    except BadExpression as error:
        raise _all_wrong(_named("bad expression", error.faults)) from None


def lasting(value: object) -> Expression:
    """An expression that has the same value whenever it is evaluated."""
    found = expression(value)
    if found.reads_clock:
        raise WrongValue(
            "now() changes with each delivery of an event",
            "Use it in when, send_at, event_time or the text.",
        )
    return found


def expressions(value: object) -> tuple[Expression, ...]:
    found: tuple[Expression, ...] = each_of(lasting)(value)
    return found


def template(value: object) -> Template:
    if not filled(value).strip():
        raise WrongValue("must not be empty")
    try:
        return compile_template(text(value))
    except BadTemplate as error:
        raise _all_wrong(_named("bad text", error.faults)) from None


def _named(kind: str, faults: Sequence[Fault]) -> list[Fault]:
    return [Fault(f"{kind}: {fault.reason}", fault.proposal) for fault in faults]


def message_name(value: object) -> str:
    """Part of a message's id, so it is short and says nothing about anybody."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,19}", value):
        raise WrongValue("must be up to 20 of a-z 0-9 -", "Put digits alone in quotes.")
    return value


def sender(value: object) -> str:
    try:
        return check_sender(text(value))
    except InvalidSender as error:
        raise WrongValue("no sender that the networks show", error.detail) from None


def duration(value: object) -> Duration:
    found = read_duration(value)
    if found is None:
        raise WrongValue(
            "must be seconds or an ISO 8601 duration up to 365 days", "For example PT15M or P2D."
        )
    return found


def age(value: object) -> Duration:
    found = duration(value)
    if found == Duration(0, 0):
        raise WrongValue("must be longer than nothing", "For example P2D.")
    return found


def tolerance(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 86400:  # noqa: PLR2004 - a day
        raise WrongValue("must be whole seconds from 1 to 86400", "300 is usual.")
    return value


def limit(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WrongValue("must be a whole number of messages within an hour, or 0 for no limit")
    return value


def auth_place(value: object) -> Place:
    """Where signature or token is: the bare name of a header, or `query:NAME`."""
    kind, colon, name = filled(value).rpartition(":")
    if not colon or kind == "header":
        return Place("header", header_name(name))
    if kind != "query" or not name:
        raise WrongValue("must be the name of a header, or query:NAME")
    return Place("query", name)


def timestamp_place(value: object) -> tuple[str, str]:
    kind, _, name = filled(value).partition(":")
    if kind == "header":
        return kind, header_name(name)
    if kind != "item" or not name:
        raise WrongValue("must be header:NAME or item:PREFIX", "For example item:t=.")
    return kind, name


def header_name(value: str) -> str:
    if not _HEADER.fullmatch(value):
        raise WrongValue("no valid name of a header", "Use letters, digits and hyphens.")
    return value


def topic(value: object) -> Place:
    kind, colon, _ = filled(value).partition(":")
    if colon and kind in ("header", "body", "form"):
        return _place(value)
    return Place("constant", text(value))


def id_parts(value: object) -> tuple[tuple[Place, ...], ...]:
    """A place, or a list of parts; a part that is a list has places to try in turn."""
    return tuple(tuple(_place(one) for one in one_or_more(part)) for part in one_or_more(value))


def _place(value: object) -> Place:
    kind, _, name = filled(value).partition(":")
    if value == "timestamp":
        return Place("timestamp")
    if kind == "header":
        return Place("header", header_name(name))
    if kind == "body":
        return Place("body", name, lasting(name))
    if kind == "form" and name:
        return Place("form", name)
    raise WrongValue("must be header:NAME, body:PATH, form:FIELD or timestamp")


def signed(value: object) -> tuple[str, ...]:
    """The pieces of the signed text: `{fields}` and what is between them."""
    pieces = tuple(piece for piece in _SIGNED_FIELDS.split(filled(value)) if piece)
    if "{body}" not in pieces:
        raise WrongValue("the body must be part of what is signed", "Add {body}.")
    if any("{" in piece or "}" in piece for piece in pieces if not _SIGNED_FIELDS.fullmatch(piece)):
        raise WrongValue("may contain only {body} {timestamp} {id} {method} {url} in braces")
    return pieces


def url(value: object) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", filled(value)):
        raise WrongValue("must be the address as the sender has it", "It starts with https://.")
    return text(value)
