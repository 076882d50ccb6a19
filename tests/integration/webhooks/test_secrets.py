"""Webhook secrets: set late, pasted with a line break, and missing when a stranger calls."""

import json

import pytest

from openvoip_sms.wiring import core
from tests.integration.service import metric_sum
from tests.integration.webhooks.proxy_events import call, form, shopify
from tests.integration.webhooks.sources import SECRETS
from tests.unit.webhooks.webhook_calls import base64_hmac


def store_secret(service, text):
    service.stack.secrets.put_secret_value(
        SecretId=service.stack["WebhookSecret"], SecretString=text
    )


def test_a_strangers_call_to_a_source_without_a_secret_alarms_nobody(service, capsys):
    store_secret(service, "{}")
    for headers in ({}, {"X-Shopify-Hmac-Sha256": "x"}, {"X-Other": "1"}):
        assert service.webhook(call("shopify", "{}", headers)).status == 401
    assert service.webhook(call("modulo", "{}", {})).status == 401
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 0


@pytest.mark.parametrize("unset", ["{}", "SET-ME"])
def test_a_call_as_the_shop_makes_it_alarms_and_is_to_be_repeated(service, capsys, unset):
    store_secret(service, unset)
    answer = service.webhook(shopify())
    assert (answer.status, answer.reason) == (503, "secret_not_set")
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1


@pytest.mark.parametrize("unset", ["{}", "SET-ME", json.dumps({"token": "a-token"})])
def test_a_secret_that_is_set_after_a_call_found_it_missing_works_at_once(service, unset):
    store_secret(service, unset)
    assert [service.webhook(shopify()).status for _ in range(3)] == [503] * 3
    store_secret(service, json.dumps(SECRETS))
    assert service.webhook(shopify()).status == 202


def test_a_secret_that_was_replaced_works_at_once(service):
    store_secret(service, json.dumps(SECRETS | {"token": "old"}))
    assert service.webhook(shopify()).status == 202  # now it is in the cache
    store_secret(service, json.dumps(SECRETS))
    assert service.webhook(form()).status == 202


def test_a_strangers_wrong_signatures_cost_one_read_for_many_calls(service, recorded_calls):
    assert service.webhook(shopify()).status == 202
    read = recorded_calls(core.client("secretsmanager"), "GetSecretValue")
    for _ in range(20):
        wrong = shopify(**{"X-Shopify-Hmac-Sha256": base64_hmac("wrong", "{}")})
        assert service.webhook(wrong).status == 401
        assert service.webhook(call("modulo", "{}", {"X-Webhook-Token": "wrong"})).status == 401
    assert len(read) == 1


def test_a_pasted_secret_with_a_line_break_is_the_same_secret(service):
    store_secret(service, json.dumps({name: f" {value}\r\n" for name, value in SECRETS.items()}))
    assert service.webhook(shopify()).status == 202
    assert service.webhook(form()).status == 202
