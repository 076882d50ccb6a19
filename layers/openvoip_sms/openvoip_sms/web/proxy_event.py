"""Reads the Lambda proxy event of a REST API."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from openvoip_sms.rules.headers import Pairs

DEFAULT_BASE = "/v1"  # the stage, where the event does not say how it was called

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


def path_parameter(event: ProxyEvent, name: str) -> str:
    """Return a part of the path, decoded: a REST API hands it over as it was written."""
    return unquote(path_as_written(event, name))


def path_as_written(event: ProxyEvent, name: str) -> str:
    return str((event.get("pathParameters") or {}).get(name) or "")


def address(event: ProxyEvent, public_url: str, resource: str) -> str:
    """Return where a resource is for the caller: a URL, or its path on the host that was called.

    Behind a custom domain the path begins with a base path, and the stage is no part of it.
    """
    if public_url:
        return f"{public_url}{resource}"
    called, own = _called_path(event), str(event.get("resource") or "")
    base = called.removesuffix(own) if own and called.endswith(own) else DEFAULT_BASE
    return f"{base}{resource}"


def _called_path(event: ProxyEvent) -> str:
    return str((event.get("requestContext") or {}).get("path") or "").rstrip("/")


def headers(event: ProxyEvent) -> Pairs:
    return _pairs(event.get("multiValueHeaders"), event.get("headers"))


def query(event: ProxyEvent) -> Pairs:
    many = event.get("multiValueQueryStringParameters")
    return _pairs(many, event.get("queryStringParameters"))


def _pairs(many: Mapping[str, Iterable[str]] | None, single: Mapping[str, str] | None) -> Pairs:
    if many:
        return tuple((name, str(value)) for name, values in many.items() for value in values or ())
    return tuple((name, str(value)) for name, value in (single or {}).items())
