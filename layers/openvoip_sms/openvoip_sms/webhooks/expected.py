"""Whether the body of an authentic call is what the source is written for.

A shop may sign an error in place of an order, a form may send a list or JSON inside JSON. Such a
body has none of the fields that the source reads, and would be ignored for ever.
"""

import re
from collections.abc import Iterable
from typing import Any

from openvoip_sms.templates.expression_fields import ANYTHING
from openvoip_sms.templates.expressions import Expression
from openvoip_sms.webhooks.model import MessageDefinition, Source

_ERRORS = ("error", "errors")
_WORDS = ("message", "detail", "title", "description", "error_description", "reason")
_STATUS = ("status", "statusCode", "status_code", "success", "ok")
_FAILED = ("error", "fail", "failed", "failure", "false")
_HTTP_ERROR = re.compile(r"[45][0-9]{2}")


def is_expected(source: Source, messages: Iterable[MessageDefinition], data: Any) -> bool:  # noqa: ANN401 - JSON
    """Return whether there is any field that the source or the messages read, and no error."""
    messages = tuple(messages)
    if is_error(data) and not _has_any(data, [one for message in messages for one in message.to]):
        return False
    read = [one for message in messages for one in message.expressions]
    return _has_any(data, [*read, *_of_source(source)])


def _has_any(data: Any, expressions: Iterable[Expression]) -> bool:  # noqa: ANN401 - JSON
    """Whether the body has an outermost field of theirs, or they read none."""
    fields = {name for one in expressions for name in one.fields}
    if not fields:
        return True
    if ANYTHING in fields:
        return bool(data)
    return isinstance(data, dict) and not fields.isdisjoint(data)


def is_error(data: Any) -> bool:  # noqa: ANN401 - JSON
    """Return whether it has the shape in which shops and their frameworks tell an error.

    `{"errors": …}`, `{"error": …}`, `{"code": …, "message": …}`, `{"status": 403, "title": …}`.
    """
    if not isinstance(data, dict):
        return False
    if any(data.get(name) for name in _ERRORS):
        return True
    words = any(isinstance(data.get(name), str) for name in _WORDS)
    return words and ("code" in data or _is_failure(data))


def _is_failure(data: dict[str, Any]) -> bool:
    """Whether the status is one of an HTTP error, or the word for it."""
    status = next((data[name] for name in _STATUS if name in data), None)
    return str(status).lower() in _FAILED or _HTTP_ERROR.fullmatch(str(status)) is not None


def why_unexpected(data: Any) -> str:  # noqa: ANN401 - JSON
    """Return a sentence for a person, without any value of the body."""
    none = "The body has none of the fields that the source reads."
    if is_error(data):
        return "The body looks like an error: the sender's own account may have no permission."
    if isinstance(data, list):
        return f'{none} It is a list: each: "@" takes its items one by one.'
    if isinstance(data, str):
        return f"{none} It is a text, perhaps JSON inside JSON: correct the sender."
    if not isinstance(data, dict) or not data:
        return f"{none} It is empty."
    value = next(iter(data.values()))
    if len(data) == 1 and isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return f"{none} Its only field holds JSON as text: inner takes it out."
    return none


def _of_source(source: Source) -> Iterable[Expression]:
    places = [place for part in source.id for place in part]
    return [place.path for place in places if place.path is not None]
