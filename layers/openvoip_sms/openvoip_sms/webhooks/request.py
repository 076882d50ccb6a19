"""A sender's call, as plain data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms import api_gateway
from openvoip_sms.api_gateway import Pairs

MAX_BODY_BYTES = 1024 * 1024  # more is answered 413 before anything is computed

_OF_BODY = ("content-type", "content-encoding")  # of a body that AWS has already read


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What arrived. Only method does not tell a secret or a person: nothing else is printed.

    `url` is the public address as the sender wrote it, `body` the bytes as they were sent.
    """

    method: str
    url: str = field(repr=False)
    headers: Pairs = field(repr=False)
    query: Pairs = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str | None:
        """Return the first header of that name, in whatever case; None if there is none."""
        return next(iter(self.header_values(name)), None)

    def header_values(self, name: str) -> tuple[str, ...]:
        return api_gateway.values(self.headers, name)

    @property
    def media_type(self) -> str:
        """What the body says it is, without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def query_values(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.query if key == name)


def from_api_gateway(event: Mapping[str, Any], public_url: str | None) -> WebhookRequest:
    """Read a REST API proxy event. Without `public_url` the address API Gateway answered at."""
    return WebhookRequest(
        method=str(event.get("httpMethod") or "POST"),
        url=public_url or _own_url(event),
        headers=api_gateway.headers(event),
        query=api_gateway.query(event),
        body=api_gateway.body(event),
    )


def from_event_bridge(event: Mapping[str, Any]) -> WebhookRequest:
    """Read a partner event of Shopify's: headers in `detail.metadata`, body in `detail.payload`.

    AWS has verified who sent it.
    """
    detail = event.get("detail")
    detail = detail if isinstance(detail, Mapping) else {}
    metadata = detail.get("metadata")
    headers = metadata.items() if isinstance(metadata, Mapping) else ()
    kept = tuple((str(name), str(value)) for name, value in headers if name.lower() not in _OF_BODY)
    return WebhookRequest(
        method="POST",
        url="",
        headers=(*kept, ("Content-Type", "application/json")),
        query=(),
        body=json.dumps(detail.get("payload")).encode(),
    )


def _own_url(event: Mapping[str, Any]) -> str:
    context = event.get("requestContext") or {}
    return f"https://{context.get('domainName') or ''}{context.get('path') or ''}"
