"""Calls of senders as API Gateway passes them on, and what was sent."""

import json

from tests.integration.service import event
from tests.unit.webhooks.webhook_calls import base64_hmac

FORM = {"tel": "333 123 1234", "nome": "Anna"}


def call(source, body, headers):
    """An API Gateway event with these bytes and headers."""
    given = event("webhook_shopify_orders_fulfilled")
    named = {"Content-Type": "application/json"} | headers
    return given | {
        "path": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": named,
        "multiValueHeaders": {name: [value] for name, value in named.items()},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def form(source="modulo", **fields):
    return call(source, FORM | fields, {"X-Webhook-Token": "a-token"})


def shopify(topic="orders/create", event_id="event-1", webhook_id="webhook-1", **headers):
    body = json.dumps({"phone": "+393331231234", "name": "#1042"})
    signed = {
        "X-Shopify-Hmac-Sha256": base64_hmac("shop-secret", body),
        "X-Shopify-Shop-Domain": "bottega-esempio.myshopify.com",
        "X-Shopify-Topic": topic,
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-Webhook-Id": webhook_id,
    }
    return call("shopify", body, signed | headers)


def woocommerce(delivery, source="woocommerce", number=727, status="completed", **more):
    order = {"id": number, "number": str(number), "status": status} | more
    body = json.dumps(order | {"billing": {"phone": "333 123 1234"}})
    headers = {
        "X-WC-Webhook-Signature": base64_hmac("woo-secret", body),
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Delivery-ID": delivery,
    }
    return call(source, body, headers)


def sent(service):
    """What the gateway received once the queue is empty."""
    while (
        service.stack.sqs.get_queue_attributes(
            QueueUrl=service.stack["MessageQueue"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        != "0"
    ):
        assert service.run_sender() == []
    return [sms.text for sms in service.gateway.calls]
