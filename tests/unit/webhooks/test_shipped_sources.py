"""The sources that come with the project: a stranger's text must not be sent in the firm's SMS."""

import re

import pytest

from local.check_sources import EXAMPLES, SOURCES
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import PlannedMessage, plan_trusted
from tests.functions import ROOT
from tests.unit.webhooks.webhook_calls import NOW, json_call

ACTIVE, NOT_ACTIVE = (
    load_sources((ROOT / file).read_text("utf-8"), file) for file in (SOURCES, EXAMPLES)
)
SHIPPED = {**ACTIVE, **NOT_ACTIVE}


def test_only_shopify_is_active():
    assert list(ACTIVE) == ["shopify"]
    assert list(NOT_ACTIVE) == ["woocommerce", "scadenze", "modulo"]


def on_page(page, name):
    blocks = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return next(load_sources(b, page)[name] for b in blocks if b.startswith(f"{name}:"))


ORDER_FULFILLED = {
    "sources.yaml": SHIPPED["shopify"],
    "README.md": on_page("README.md", "shopify"),
    "docs/webhooks.md": on_page("docs/webhooks.md", "shopify"),
    "negozio": on_page("docs/webhooks.md", "negozio"),
}


@pytest.mark.parametrize("typed", ["https://furto.example/x", "furto.example", "Vinci: chiama 899"])
@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        (
            "shopify",
            {"X-Shopify-Topic": "orders/fulfilled"},
            lambda typed: {"id": 1, "name": "#1", "customer": {"first_name": typed}},
        ),
        (
            "woocommerce",
            {"X-WC-Webhook-Topic": "order.updated"},
            lambda typed: {
                "id": 1,
                "status": "completed",
                "number": "1",
                "total": "1.00",
                "billing": {"phone": "333 1231234", "first_name": typed},
            },
        ),
        ("modulo", {}, lambda typed: {"telefono": "333 1231234", "nome": typed}),
    ],
)
def test_a_name_that_a_shopper_types_cannot_be_an_advertisement(name, headers, body, typed):
    data = {"phone": "333 1231234"} | body(typed)
    [message] = plan_trusted(SHIPPED[name], json_call(data, headers), NOW).messages
    assert message.to == "+393331231234"
    assert "furto" not in message.text
    assert "899" not in message.text


LINK = "https://corriere.example.it/"


def order(fulfillments):
    return {
        "id": 1043,
        "name": "#1043",
        "phone": "333 1234567",
        "customer": {"first_name": "Anna"},
        "fulfillments": fulfillments,
    }


def parcel(status, link=LINK + "NUOVO"):
    return {"status": status, "tracking_url": link}


OLD = LINK + "VECCHIO"


@pytest.mark.parametrize("written", ["sources.yaml", "README.md", "docs/webhooks.md", "negozio"])
@pytest.mark.parametrize(
    ("fulfillments", "link"),
    [
        ([parcel("cancelled", OLD), parcel("success")], "NUOVO"),
        ([parcel("success", None), parcel("success")], "NUOVO"),
        ([parcel("success", ""), parcel("success"), parcel("success", "  ")], "NUOVO"),
        ([parcel("success", OLD), parcel("success")], "NUOVO"),
        ([parcel("success"), parcel("cancelled", OLD)], "NUOVO"),
        ([parcel("success"), parcel("error", OLD), parcel("failure", OLD)], "NUOVO"),
        ([parcel("cancelled", OLD), parcel(None)], "NUOVO"),
        ([parcel("open")], "NUOVO"),
        ([parcel("cancelled", OLD)], None),
        ([{"status": "success"}], None),
        ([], None),
        (None, None),
        ({}, None),
    ],
)
def test_the_link_is_of_the_newest_parcel_that_is_on_its_way(written, fulfillments, link):
    request = json_call(order(fulfillments), {"X-Shopify-Topic": "orders/fulfilled"})
    message = plan_trusted(ORDER_FULFILLED[written], request, NOW).messages[0]
    assert isinstance(message, PlannedMessage)
    assert message.text.partition("è in viaggio.")[2].strip() == (LINK + link if link else "")
