"""A body with none of the fields that a source reads is a fault, not an order to ignore."""

import json
from pathlib import Path

import pytest

from openvoip_sms.webhooks.plan import NothingToSend, PlannedMessage, RejectedMessage, plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, call, json_call, preset, source

WOO = source(
    "preset: woocommerce\nsecrets: [a]\nto: [billing.phone, shipping.phone]\n"
    "messages:\n  order.updated:\n    when: status == 'completed'\n"
    "    text: Ordine {number} di {euro(total)} spedito."
)
FORM = source(
    "preset: contact-form-7\nparse: json\nsecrets: [a]\nto: telefono\n"
    "message: {text: \"Grazie {first_name(nome) || ''}.\"}"
)
TOPIC = {"X-WC-Webhook-Topic": "order.updated"}


def only(sender, request):
    [found] = plan_trusted(sender, request, NOW).messages
    return found


def test_a_signed_error_in_place_of_the_order_is_a_fault():
    error = {"code": "woocommerce_rest_cannot_view", "message": "No.", "data": {"status": 403}}
    found = only(WOO, json_call(error, TOPIC))
    assert found.reason == "unexpected_body"
    assert "looks like an error" in found.detail
    assert "cannot_view" not in found.detail


ERRORS = [
    {"code": "woocommerce_rest_shop_order_invalid_id", "message": "No.", "status": 404},
    {"code": "rest_forbidden", "message": "No.", "data": {"status": 401}, "id": None},
    {"errors": [{"code": "woocommerce_api_invalid_order", "message": "No."}], "status": "x"},
    {"errors": "[API] Invalid API key or access token", "id": 7},
    {"errors": {"id": ["not found"]}, "phone": None},
    {"error": {"type": "invalid_request_error", "message": "No."}, "id": "evt_1"},
    {"error": "invalid_grant", "error_description": "No.", "status": 400},
    {"jsonrpc": "2.0", "id": None, "error": {"code": 200, "message": "Odoo Server Error"}},
    {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "No."},
    {"timestamp": "x", "status": 500, "error": "Internal Server Error", "path": "/orders"},
    {"status": "error", "message": "No.", "correlationId": "x", "category": "MISSING_SCOPES"},
    {"status": "403", "message": "No."},
    {"statusCode": 404, "message": "No.", "number": "7"},
    {"success": False, "message": "No.", "total": None},
    {"code": "NOT_FOUND", "description": "No.", "status": None},
    {"name": "Unauthorized", "message": "No.", "code": 0, "className": "unauthorized"},
]
READS_MORE = source(
    "preset: woocommerce\nsecrets: [a]\nto: [billing.phone, shipping.phone, phone]\nonce: id\n"
    "messages:\n  default:\n    when: status == 'completed' && !error && data.x != 'y'\n"
    "    text: \"{name} {message || code || ''}\""
)


@pytest.mark.parametrize("body", ERRORS)
def test_an_error_is_one_though_the_source_reads_a_field_of_its_name(body):
    without = {key: value for key, value in body.items() if key != "phone"}
    found = only(READS_MORE, json_call(without, TOPIC))
    assert (found.reason, found.is_fault) == ("unexpected_body", True)
    assert "looks like an error" in found.detail
    found = only(WOO, json_call(body, TOPIC))
    assert (found.reason, found.is_fault) == ("unexpected_body", True)


@pytest.mark.parametrize(
    "more",
    [
        {"code": "80100", "message": "Vorrei un preventivo."},
        {"status": 404, "title": "x"},
        {"error": None, "errors": []},
        {"message": "La pagina dà 500", "error": ""},
    ],
)
@pytest.mark.parametrize("phone", [None, "", "06 1234567", "333"])
def test_a_form_with_fields_of_such_names_is_none(more, phone):
    found = only(FORM, json_call({"telefono": phone} | more))
    assert (found.reason, found.is_fault) == ("no_mobile", False)


def test_nor_is_an_order_with_such_fields_that_has_a_number():
    order = {"status": "completed", "error": "x", "billing": {"phone": "333 1234567"}}
    found = only(WOO, json_call(order | {"number": 7, "total": "9.90", "id": 7}, TOPIC))
    assert isinstance(found, PlannedMessage)


@pytest.mark.parametrize("to", ["@.telefono", '@."your-tel"', "@.a[0].b", "@ | telefono"])
def test_a_field_that_is_named_from_the_body_as_a_whole_is_a_field(to):
    sender = preset("make", to=to, message={"text": "ciao"})
    assert only(sender, json_call({"x": 1})).reason == (
        "no_mobile" if to.startswith("@ ") else "unexpected_body"
    )


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ([{"telefono": "333 1234567"}], 'each: "@"'),
        ('{"telefono":"333 1234567"}', "JSON inside JSON"),
        ({"payload": '{"telefono":"333 1234567"}'}, "inner takes it out"),
        ({}, "It is empty."),
        (None, "It is empty."),
        (7, "It is empty."),
        ([], "It is a list"),
        ({"Telefono": "333 1234567"}, "none of the fields"),
        ({"data": {"telefono": "333 1234567"}}, "none of the fields"),
    ],
)
def test_a_body_of_another_shape_is_a_fault_with_a_hint(body, hint):
    found = only(FORM, json_call(json.dumps(body).encode()))
    assert found.reason == "unexpected_body"
    assert hint in found.detail
    assert "333" not in found.detail


def test_a_form_that_holds_its_data_as_json_is_a_fault():
    form = source("preset: elementor\nsecrets: [a]\nto: telefono\nmessage: {text: ciao}")
    body = b"payload=%7B%22telefono%22%3A%22333+1234567%22%7D"
    found = only(form, call(body, {"Content-Type": "application/x-www-form-urlencoded"}))
    assert found.reason == "unexpected_body"
    assert "inner" in found.detail


@pytest.mark.parametrize(
    ("sender", "body", "reason"),
    [
        (WOO, {"id": 5}, "when_false"),  # a deletion
        (WOO, {"id": 5, "status": "pending"}, "when_false"),
        (FORM, {"telefono": None}, "no_mobile"),
        (FORM, {"nome": "Anna"}, "no_mobile"),
        (FORM, {"telefono": "06 1234567"}, "no_mobile"),
    ],
)
def test_a_body_of_the_right_shape_is_ignored_for_what_it_says(sender, body, reason):
    found = only(sender, json_call(body, TOPIC))
    assert found.reason == reason


def test_what_is_sent_or_rejected_anyway_is_judged_by_itself():
    constant = preset("make", to="'+393331231234'", message={"text": "Allarme"})
    assert isinstance(only(constant, json_call({"x": 1})), PlannedMessage)
    named = preset("make", to="'+393331231234'", message={"text": "Allarme {nome}"})
    assert isinstance(only(named, json_call({"x": 1})), RejectedMessage)


@pytest.mark.parametrize("path", ["[0].telefono", "*.telefono | [0]", "[].telefono"])
def test_a_source_that_reads_a_body_as_a_whole_takes_any(path):
    sender = preset("make", to=path, message={"text": "ciao"})
    found = only(sender, json_call([{"x": 1}]))
    assert found.reason == "no_mobile"


def test_a_call_without_the_topic_that_the_source_looks_for_is_a_fault():
    found = only(WOO, json_call({"id": 5}))
    assert found.reason == "other_topic"
    found = only(WOO, json_call({"id": 5}, {"X-WC-Webhook-Topic": "order.created"}))
    assert found.reason == "other_topic"
    assert isinstance(found, NothingToSend)


def test_the_published_sample_events_are_expected():
    event = json.loads(
        (Path(__file__).parents[3] / "events/webhook_shopify_orders_fulfilled.json").read_text()
    )
    shop = preset("shopify", to="telefono", messages={"orders/fulfilled": {"text": "Per {name}"}})
    found = only(shop, json_call(event["body"].encode(), {"X-Shopify-Topic": "orders/fulfilled"}))
    assert found.reason == "no_mobile"
