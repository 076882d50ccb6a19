"""A source whose authentic calls cause no message is counted, logged and alarms."""

import json
from datetime import timedelta

import pytest

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules import unused
from openvoip_sms.wiring import webhooks
from tests.integration.service import event, metric_sum
from tests.integration.webhooks.proxy_events import call, woocommerce
from tests.unit.webhooks.webhook_calls import base64_hmac

ERROR = {"code": "woocommerce_rest_cannot_view", "message": "No.", "data": {"status": 403}}


def metrics(output, name):
    """Source and reason of each line that counts this metric."""
    lines = (json.loads(line) for line in output.splitlines())
    return [(line.get("source"), line.get("reason")) for line in lines if name in line]


def signed(body):
    raw = body if isinstance(body, str) else json.dumps(body)
    headers = {
        "X-WC-Webhook-Signature": base64_hmac("woo-secret", raw),
        "X-WC-Webhook-Topic": "order.updated",
    }
    return call("woocommerce", raw, headers)


def test_signed_errors_in_place_of_orders_are_counted_and_alarm_when_they_go_on(service, capsys):
    for n in range(4):
        answer = service.webhook(signed(ERROR | {"n": n}))
        assert (answer.status, answer.reason) == (200, "unexpected_body")
    output = capsys.readouterr().out
    both = ("webhook:woocommerce", "unexpected_body")
    assert metrics(output, "WebhooksIgnored") == [both] * 4
    assert metrics(output, "SourcesUnused") == [both] * 2  # from the third in a row
    [line, _] = [json.loads(one) for one in service.log_lines if '"source.unused"' in one]
    assert (line["source"], line["reason"], line["calls"]) == ("woocommerce", "unexpected_body", 3)
    assert not any("cannot_view" in one for one in service.log_lines)


def test_an_order_in_between_ends_the_row(service, capsys):
    for n in range(2):
        service.webhook(signed(ERROR | {"n": n}))
    assert service.webhook(woocommerce("d1")).status == 202
    service.webhook(signed(ERROR))
    assert metrics(capsys.readouterr().out, "SourcesUnused") == []


def test_authentic_calls_that_cannot_be_read_are_counted_by_their_reason(service, capsys):
    for _ in range(3):
        assert service.webhook(signed("{")).status == 400
    output = capsys.readouterr().out
    assert metrics(output, "WebhooksUnreadable") == [("webhook:woocommerce", "json")] * 3
    assert metric_sum(output, "SourcesUnused") == 1
    assert sum('"webhook.unreadable"' in line for line in service.log_lines) == 3


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([{"tel": "333 1234567"}], "unexpected_body"),
        ('"{\\"tel\\":\\"333 1234567\\"}"', "unexpected_body"),
        ({}, "unexpected_body"),
        ({"tel": None}, "no_mobile"),
    ],
)
def test_a_form_of_another_shape_is_no_form_without_a_number(service, capsys, given, reason):
    answer = service.webhook(call("modulo", given, {"X-Webhook-Token": "a-token"}))
    assert (answer.status, answer.reason) == (200, reason)
    assert metrics(capsys.readouterr().out, "WebhooksIgnored") == [("webhook:modulo", reason)]


def test_of_several_events_the_fault_is_named(service, capsys):
    body = {"eventi": [{"tel": "06 1234567"}, {"x": 1}]}
    for _ in range(3):
        service.webhook(call("gruppo", body, {"X-Webhook-Token": "a-token"}))
    [told] = metrics(capsys.readouterr().out, "SourcesUnused")
    assert told == ("webhook:gruppo", "unexpected_body")


def test_a_source_whose_messages_are_all_rejected_is_one_that_causes_none(
    service, capsys, monkeypatch
):
    monkeypatch.setattr(unused, "CALLS", 3)
    monkeypatch.setattr(unused, "_DAYS", dict.fromkeys((True, False), timedelta(0)))
    for n in range(3):
        given = {"tel": "333 1234567", "nome": f"{n} " + "漢" * 400}
        service.webhook(call("lungo", given, {"X-Webhook-Token": "a-token"}))
    assert {one.status for one in service.records()} == {"rejected"}
    [told] = metrics(capsys.readouterr().out, "SourcesUnused")
    assert told == ("webhook:lungo", "too_long")


def test_a_partner_event_of_another_shape_is_counted_too(service, capsys):
    given = event("webhook_shopify_eventbridge")
    given["detail"]["metadata"]["X-Shopify-Topic"] = "orders/create"
    given["detail"]["payload"] = {"errors": "Not found"}
    assert service.partner_event(given)["reason"] == "unexpected_body"
    both = ("webhook:shopify", "unexpected_body")
    assert metrics(capsys.readouterr().out, "WebhooksIgnored") == [both]


def test_a_table_that_does_not_answer_does_not_change_the_answer(service, monkeypatch, capsys):
    def down(*_, **__):
        raise StoreUnavailable("ThrottlingException")

    service.webhook(signed(ERROR))
    monkeypatch.setattr(type(webhooks.watch().counters), "count_unused", down)
    assert service.webhook(signed(ERROR)).status == 200
    assert metric_sum(capsys.readouterr().out, "WebhooksIgnored") == 2


def test_a_call_for_no_source_is_logged_without_what_a_stranger_wrote(service):
    strange = ("rssmra80a01h501u", "segreto-di-un-negozio", "3331234567", "x" * 48, "<script>")
    for name in ("shopfy", *strange):
        assert service.webhook(call(name, "{}", {})).status == 404
    logged = [one for one in service.log_lines if "no_such_source" in one]
    assert [json.loads(one).get("meant") for one in logged] == ["shopify", *[None] * len(strange)]
    assert not [name for name in strange for one in logged if name in one]
