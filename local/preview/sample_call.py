"""Makes a call as the service receives it from a body and, optionally, headers."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from openvoip_sms.web.webhook_request import from_api_gateway
from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.request import MAX_BODY_BYTES, WebhookRequest

_REQUEST_LINE = re.compile(r"([A-Z]{3,7}) (\S+) HTTP/[0-9.]+")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_FORM = re.compile(rb"[^\s{}\[\]=&]{1,200}=[^\r\n]*\s*")
_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})\r?\n")


class CannotPreview(ValueError):
    """The input makes no call; the message says what to give instead."""


@dataclass(frozen=True, slots=True)
class SampleCall:
    """A call; only one with headers or a query can be authenticated."""

    request: WebhookRequest
    is_verifiable: bool


def sample_call(source: Source, body: bytes, headers: str = "", topic: str = "") -> SampleCall:
    """Make a call of a body and lines `Name: value`, or of an event of API Gateway.

    The lines may begin with the request line. `topic` replaces a missing topic header. Without
    headers the content type is guessed from the body.

    Raises:
        CannotPreview: a line is no header, a topic is not in a header, or the body is too large.
    """
    event = _proxy_event(body)
    if event is None:
        request = _request(source, body, headers)
    elif headers.strip():
        raise CannotPreview("The event has headers of its own: leave the others out.")
    else:
        request = _from_event(source, event)
    if len(request.body) > MAX_BODY_BYTES:
        raise CannotPreview(
            f"A webhook takes at most {MAX_BODY_BYTES} bytes; more is answered 413."
        )
    is_verifiable = bool(request.headers or request.query)
    if not request.headers:
        request = _with_form(request)
    return SampleCall(_with_topic(source, request, topic) if topic else request, is_verifiable)


def _proxy_event(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_event = isinstance(data, dict) and "httpMethod" in data and "body" in data
    return data if is_event else None


def _from_event(source: Source, event: dict[str, Any]) -> WebhookRequest:
    try:
        return from_api_gateway(event, source.auth.url)
    except (AttributeError, TypeError, ValueError):
        raise CannotPreview("This is no event of API Gateway, though it has its keys.") from None


def _request(source: Source, body: bytes, headers: str) -> WebhookRequest:
    lines = [line.removeprefix("> ").strip() for line in headers.splitlines()]
    lines = [line for line in lines if line and not line.startswith("HTTP/")]
    first = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
    method, target = first.groups() if first else ("POST", "")
    pairs = tuple(_header(line) for line in (lines[1:] if first else lines))
    host = next((value for name, value in pairs if name.lower() == "host"), "")
    query = tuple(parse_qsl(target.partition("?")[2], keep_blank_values=True))
    url = source.auth.url or f"https://{host}{target.partition('?')[0]}"
    return WebhookRequest(method, url, pairs, query, body)


def _header(line: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(line)
    if found is None:
        raise CannotPreview("A line of the headers is not of the form `Name: value`.")
    return found[1], found[2]


def _with_form(request: WebhookRequest) -> WebhookRequest:
    """Add the content type of a form, guessed from the body; JSON needs none."""
    boundary = _BOUNDARY.match(request.body)
    if boundary:
        kind = f"multipart/form-data; boundary={boundary[1].decode()}"
        body = re.sub(rb"\r?\n", b"\r\n", request.body)  # pasting may have changed the line ends
    elif _FORM.fullmatch(request.body):
        kind, body = "application/x-www-form-urlencoded", request.body.strip()
    else:
        return request
    return replace(request, headers=(("Content-Type", kind),), body=body)


def _with_topic(source: Source, request: WebhookRequest, topic: str) -> WebhookRequest:
    place = source.topic
    if place is None or place.kind != "header":
        where = f"takes it from {place.kind}:{place.name}" if place else "has none"
        raise CannotPreview(f"A topic can only be given for a header; {source.name} {where}.")
    if request.header(place.name) is not None:
        return request
    return replace(request, headers=(*request.headers, (place.name, topic)))
