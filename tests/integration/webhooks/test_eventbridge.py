"""Shopify's events over EventBridge."""

import json

import pytest

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.wiring import core
from tests.integration.service import event, metric_sum
from tests.integration.webhooks.proxy_events import sent, shopify


def test_an_event_over_eventbridge_and_over_https_is_one_sms(service):
    """Two ways in at the same time, as while a shop moves from one to the other."""
    https = shopify()
    partner = event("webhook_shopify_eventbridge")
    metadata = {name: value for name, value in https["headers"].items() if "Hmac" not in name}
    partner["detail"] |= {"metadata": metadata, "payload": json.loads(https["body"])}
    service.partner_event(partner)
    assert service.webhook(https).reason == "duplicate"
    assert sent(service) == ["Ordine #1042 ricevuto."]


def test_a_partner_event_that_cannot_be_accepted_now_is_left_to_lambdas_retries(
    service, monkeypatch, capsys
):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    given = event("webhook_shopify_eventbridge")
    given["detail"]["metadata"]["X-Shopify-Topic"] = "orders/create"
    given["detail"]["payload"] |= {"phone": "333 123 1234"}
    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        with pytest.raises(Exception, match="StoreUnavailable"):
            service.partner_event(given)
    assert metric_sum(capsys.readouterr().out, "UnhandledErrors") == 0  # the table's fault
    assert service.partner_event(given)["messages"][0]["status"] == "queued"
    assert len(sent(service)) == 1


def test_a_partner_event_with_broken_sources_is_retried_and_alarms(service, tmp_path, capsys):
    (tmp_path / "sources.yaml").write_text("shopify: [", "utf-8")
    with pytest.raises(Exception, match="not configured"):
        service.partner_event(event("webhook_shopify_eventbridge"))
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1
