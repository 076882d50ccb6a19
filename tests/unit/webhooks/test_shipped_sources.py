"""The sources that come with the project: a stranger's text must not be sent in the firm's SMS."""

import pytest

from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import plan_trusted
from tests.functions import ROOT
from tests.unit.webhooks.webhook_calls import NOW, json_call

SHIPPED = load_sources(
    (ROOT / "functions/webhooks/sources.yaml").read_text("utf-8"), "sources.yaml"
)


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
