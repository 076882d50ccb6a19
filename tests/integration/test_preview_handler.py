"""The page's preview predicts what the deployed webhook function answers and stores."""

import json
from http import HTTPStatus

import pytest

from local.deployed_stack import WEBHOOK_SECRETS
from local.preview.page_data import preview_handler
from tests.integration.service import event
from tests.shipped_sources import shipped_file
from tests.unit.webhooks.webhook_calls import base64_hmac, hex_hmac

JSON = {"Content-Type": "application/json"}
TOKEN = JSON | {"X-Webhook-Token": WEBHOOK_SECRETS["modulo"]}


@pytest.fixture
def service(deploy, stack, tmp_path, monkeypatch):
    running = deploy(DefaultSender="Sender", AllowedSenders="*")
    monkeypatch.setenv("SOURCES_FILE", str(shipped_file(tmp_path)))
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(WEBHOOK_SECRETS)
    )
    return running


def shopify(topic, body, secret=WEBHOOK_SECRETS["shopify"]):
    signature = base64_hmac(secret, body)
    return "shopify", body, JSON | {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature}


def woocommerce(body):
    signature = base64_hmac(WEBHOOK_SECRETS["woocommerce"], body)
    headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}
    return "woocommerce", body, JSON | headers


def scadenze(body):
    return "scadenze", body, JSON | {"X-Signature": hex_hmac(WEBHOOK_SECRETS["scadenze"], body)}


SHIPPED = '{"id": 7, "name": "#7", "phone": "333 1234567", "customer": {"first_name": "Zoë"}}'
ORDER = '{"id": 7, "number": "7", "status": "%s", "total": "9.90", "billing": {"phone": "%s"}}'
DUE = '{"id": 7, "cellulare": 3331234567, "modello": "F24", "importo": 5, "scadenza": "%s"}'
CALLS = {
    "sent": shopify("orders/fulfilled", SHIPPED),
    "other topic": shopify("orders/paid", SHIPPED),
    "no mobile": shopify("orders/fulfilled", SHIPPED.replace("333 1234567", "06 1234567")),
    "missing value": shopify("orders/fulfilled", SHIPPED.replace('"#7"', "null")),
    "forged": shopify("orders/fulfilled", SHIPPED, secret="guessed"),
    "completed": woocommerce(ORDER % ("completed", "+39 333 1234567")),
    "not completed": woocommerce(ORDER % ("pending", "+39 333 1234567")),
    "ping": ("woocommerce", "webhook_id=7", {"Content-Type": "application/x-www-form-urlencoded"}),
    "at once": scadenze(DUE % "2020-01-01"),
    "no date": scadenze(DUE % "presto"),
    "too far": scadenze(DUE % "2999-01-01"),
    "form": ("modulo", '{"telefono": "333 1234567", "nome": "Anna"}', TOKEN),
    "list of numbers": ("modulo", '{"telefono": ["", "06 1", "333 1234567"]}', TOKEN),
    "unreadable": ("modulo", "{", TOKEN),
    "picture": ("modulo", "{}", TOKEN | {"Content-Type": "image/png"}),
    "wrong token": ("modulo", "{}", TOKEN | {"X-Webhook-Token": "guessed"}),
}


def proxy_event(source, body, headers):
    return event("webhook_shopify_orders_fulfilled") | {
        "path": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": body,
    }


def expected_from(shown):
    """Status, sentence or reason, and records, as the preview predicts them."""
    if shown["authentic"] is None:
        return HTTPStatus.OK, "ping", []
    if not shown["authentic"]:
        return HTTPStatus.UNAUTHORIZED, shown["why"], []
    if shown["no_event"]:
        return HTTPStatus.BAD_REQUEST, shown["no_event"], []
    [message] = shown["events"][0]["messages"]
    if message["verdict"] == "nothing":
        return HTTPStatus.OK, message["reason"], []
    known = (message["id"], message["to"])
    if message["verdict"] == "reject":
        nothing = (None, None, None, "None")
        return HTTPStatus.OK, message["reason"], [(*known, *nothing, message["because"][0])]
    final = message["final"]
    cost = (final["text"], final["encoding"], final["segments"], final["cost_eur"])
    return HTTPStatus.ACCEPTED, "", [(*known, *cost, None)]


@pytest.mark.parametrize("name", CALLS)
def test_the_function_answers_and_stores_what_the_preview_shows(service, tmp_path, name):
    source, body, headers = CALLS[name]
    lines = "".join(f"{header}: {value}\n" for header, value in headers.items())
    preview = preview_handler(lambda: shipped_file(tmp_path), WEBHOOK_SECRETS)
    shown = preview({"source": source, "body": body, "headers": lines})
    status, sentence, records = expected_from(shown)
    answer = service.webhook(proxy_event(source, body, headers))
    assert answer.status == status
    assert sentence.startswith(answer.body.get("detail") or answer.reason or "")  # then a hint
    assert records == [
        (one.id, one.to, one.text, one.encoding, one.segments, str(one.cost_eur), one.detail)
        for one in service.records()
    ]
