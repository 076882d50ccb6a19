"""Whether the body of an authentic call is what the source is written for.

A shop may sign an error in place of an order, a form may send a list or JSON inside JSON. Such a
body has none of the fields that the source reads, and would be ignored for ever.
"""

from collections.abc import Iterable
from typing import Any

from openvoip_sms.templates.expression_fields import ANYTHING
from openvoip_sms.templates.expressions import Expression
from openvoip_sms.webhooks.model import MessageDefinition, Source


def is_expected(source: Source, messages: Iterable[MessageDefinition], data: Any) -> bool:  # noqa: ANN401 - JSON
    """Return whether there is any field that the source or the messages read."""
    read = [one for message in messages for one in message.expressions]
    fields = {name for one in (*read, *_of_source(source)) for name in one.fields}
    if not fields:
        return True
    if ANYTHING in fields:
        return bool(data)
    return isinstance(data, dict) and not fields.isdisjoint(data)


def why_unexpected(data: Any) -> str:  # noqa: ANN401 - JSON
    """Return a sentence for a person, without any value of the body."""
    none = "The body has none of the fields that the source reads."
    if isinstance(data, list):
        return f'{none} It is a list: each: "@" takes its items one by one.'
    if isinstance(data, str):
        return f"{none} It is a text, perhaps JSON inside JSON: correct the sender."
    if not isinstance(data, dict) or not data:
        return f"{none} It is empty."
    if "code" in data and "message" in data:
        return f"{none} It looks like an error: the sender's own account may have no permission."
    value = next(iter(data.values()))
    if len(data) == 1 and isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return f"{none} Its only field holds JSON as text: inner takes it out."
    return none


def _of_source(source: Source) -> Iterable[Expression]:
    places = [place for part in source.id for place in part]
    return [place.path for place in places if place.path is not None]
