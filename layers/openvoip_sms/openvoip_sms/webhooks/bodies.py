"""Parses the body of an authentic call into data for expressions.

The result consists of JSON types, with finite numbers and at most `MAX_DEPTH` levels, so that no
later code can exhaust the stack.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from openvoip_sms.rules.strict_json import MAX_DEPTH, NotJson, read_json
from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.request import WebhookRequest

MAX_FIELDS = 1000  # of a form
# The parser's warnings quote the body, which must not be in a log.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL + 1)

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json|text/json")
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"

UNREADABLE = {
    "empty": "The body is empty.",
    "compressed": "The body is compressed: turn compression off at the sender or a proxy.",
    "content_type": "The body is neither JSON nor a form: check the sender's format.",
    "encoding": "The text of the body is not UTF-8.",
    "json": "The body is not valid JSON.",
    "number": "The body holds a number that is not finite or has too many digits.",
    "depth": f"The body is nested deeper than {MAX_DEPTH} levels.",
    "too_many_fields": f"The form has more than {MAX_FIELDS} fields.",
    "multipart": "The multipart form is broken or cut off.",
    "inner": "The field that should hold JSON text is missing or holds something else.",
    "not_events": "The body does not hold the list of events that this source expects.",
    "too_many_events": "The body holds more events than any known sender puts into one call.",
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Authentic, but unreadable, for a reason of `UNREADABLE`."""

    reason: str

    @property
    def detail(self) -> str:
        return UNREADABLE[self.reason]


class _Broken(ValueError):
    """Carries a reason of `UNREADABLE` to `read`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(source: Source, request: WebhookRequest) -> Any | Unreadable:  # noqa: ANN401 - JSON
    """Read the body by the source's `parse`, else by its content type.

    Of a repeated key, JSON keeps the last value (as the senders' own parsers do), a form a list of
    all, in order. The JSON text in the field `inner` is replaced by its value.
    """
    try:
        data = _parser(source, request)(request)
        if source.inner is not None:
            data = _with_parsed_field(data, source.inner)
    except (_Broken, NotJson) as broken:
        return Unreadable(broken.reason)
    return data


def _parser(source: Source, request: WebhookRequest) -> Callable[[WebhookRequest], Any]:
    if (request.header("content-encoding") or "identity").strip().lower() != "identity":
        raise _Broken("compressed")
    if not request.body:
        raise _Broken("empty")
    return {"json": _json, "form": _form, "multipart": _multipart}[
        source.parse or _kind_of(request)
    ]


def _kind_of(request: WebhookRequest) -> str:
    """The kind by content type; senders that state none, or text/plain, may still send JSON."""
    media_type = request.media_type
    if media_type == _FORM:
        return "form"
    if media_type == _MULTIPART:
        return "multipart"
    looks_like_json = request.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    if _JSON.fullmatch(media_type) or (media_type in ("", "text/plain") and looks_like_json):
        return "json"
    raise _Broken("content_type")


def _json(request: WebhookRequest) -> Any:  # noqa: ANN401 - JSON
    return read_json(_decoded(request.body).removeprefix("\ufeff"), duplicate_keys="last")


def _form(request: WebhookRequest) -> dict[str, Any]:
    text = _decoded(request.body).removeprefix("\ufeff")
    if text.count("&") >= MAX_FIELDS:
        raise _Broken("too_many_fields")
    try:
        return _grouped(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise _Broken("encoding") from None


def _multipart(request: WebhookRequest) -> dict[str, Any]:
    """The fields of a multipart form; files are dropped."""
    content_type = request.header("content-type") or ""
    _, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if not boundary or b"--" + boundary + b"--" not in request.body:
        raise _Broken("multipart")
    return _grouped(_multipart_fields(boundary, request.body))


def _multipart_fields(boundary: bytes, body: bytes) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []

    def keep(field: Field) -> None:
        if len(fields) >= MAX_FIELDS:
            raise _Broken("too_many_fields")
        fields.append((_decoded(field.field_name or b""), _decoded(field.value or b"")))

    parser = FormParser(_MULTIPART, keep, File.close, boundary=boundary)
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError:
        raise _Broken("multipart") from None
    finally:
        parser.close()
    return fields


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _with_parsed_field(data: Any, field: str) -> Any:  # noqa: ANN401 - JSON
    text = data.get(field) if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise _Broken("inner")
    return {**data, field: read_json(text, duplicate_keys="last")}


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _Broken("encoding") from None
