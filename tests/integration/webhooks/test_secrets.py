"""Webhook secrets: set late, pasted with a line break, and missing when a stranger calls."""

import json

import pytest

from tests.integration.service import metric_sum
from tests.integration.webhooks.proxy_events import call, form, shopify
from tests.integration.webhooks.sources import SECRETS


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


def test_a_secret_that_is_set_after_a_call_found_it_missing_works_at_once(service):
    """The first container of a day read the secret before anybody filled it in."""
    store_secret(service, json.dumps({"token": "a-token"}))
    assert service.webhook(form()).status == 202  # now it is in the cache
    store_secret(service, json.dumps(SECRETS))
    assert service.webhook(shopify()).status == 202


def test_a_pasted_secret_with_a_line_break_is_the_same_secret(service):
    store_secret(service, json.dumps({name: f" {value}\r\n" for name, value in SECRETS.items()}))
    assert service.webhook(shopify()).status == 202
    assert service.webhook(form()).status == 202
