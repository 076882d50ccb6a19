"""A webhook's call, from the event of API Gateway or of EventBridge."""

import json
from collections.abc import Mapping
from typing import Any

from openvoip_sms.web import proxy_event
from openvoip_sms.webhooks.request import WebhookRequest

_OF_BODY = ("content-type", "content-encoding")  # headers of a body that AWS has parsed already


def from_api_gateway(event: Mapping[str, Any], public_url: str | None) -> WebhookRequest:
    """Read a REST API proxy event. Without `public_url` the URL is that of API Gateway."""
    return WebhookRequest(
        method=str(event.get("httpMethod") or "POST"),
        url=public_url or _own_url(event),
        headers=proxy_event.headers(event),
        query=proxy_event.query(event),
        body=proxy_event.body(event),
    )


def from_event_bridge(event: Mapping[str, Any]) -> WebhookRequest:
    """Read a partner event of Shopify's: headers in `detail.metadata`, body in `detail.payload`.

    AWS has authenticated it.
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
