"""Reads the Lambda proxy event of a REST API."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from openvoip_sms.rules.headers import Pairs

type ProxyEvent = Mapping[str, Any]


def body(event: ProxyEvent) -> bytes:
    """Return the bytes of the body; invalid base64 is returned undecoded, and fits no signature."""
    raw = str(event.get("body") or "").encode("utf-8", "surrogatepass")
    if not event.get("isBase64Encoded"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw


def headers(event: ProxyEvent) -> Pairs:
    return _pairs(event.get("multiValueHeaders"), event.get("headers"))


def query(event: ProxyEvent) -> Pairs:
    many = event.get("multiValueQueryStringParameters")
    return _pairs(many, event.get("queryStringParameters"))


def _pairs(many: Mapping[str, Iterable[str]] | None, single: Mapping[str, str] | None) -> Pairs:
    if many:
        return tuple((name, str(value)) for name, values in many.items() for value in values or ())
    return tuple((name, str(value)) for name, value in (single or {}).items())
