"""What is refused is refused on every way in, and what is accepted has the same number there."""

import json

import pytest

from openvoip_sms.adapters.telemetry import logger
from tests.integration.service import LogCapture, event
from tests.unit.webhooks.webhook_calls import base64_hmac

SOURCES = """
modulo:
  preset: make
  secrets: [token]
  to: telefono
  message: {text: "Grazie {nome}, a presto."}
fisso:
  preset: make
  secrets: [token]
  to: telefono
  message: {text: "Grazie \\uF8FF a presto."}
nome:
  preset: make
  secrets: [token]
  to: telefono
  message: {text: "Ciao {first_name(nome) || 'cliente'}."}
shopify:
  preset: shopify
  secrets: [shopify]
  to: telefono
  message: {text: "Grazie {nome}, a presto."}
"""
SECRETS = {"token": "a-token", "shopify": "shop-secret"}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
def service(deploy, stack, tmp_path, monkeypatch):
    running = deploy()
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    monkeypatch.setenv("SOURCES_FILE", str(tmp_path / "sources.yaml"))
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
    )
    capture = LogCapture(running.log_lines)
    logger.addHandler(capture)
    yield running
    logger.removeHandler(capture)


def webhook(service, source, body, media_type=JSON, **headers):
    named = {"Content-Type": media_type, "X-Webhook-Token": "a-token"} | headers
    given = event("webhook_shopify_orders_fulfilled") | {
        "path": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": named,
        "multiValueHeaders": {name: [value] for name, value in named.items()},
        "body": body,
        "isBase64Encoded": False,
    }
    answer = service.webhook(given)
    assert answer.status in (200, 202), answer.body
    return answer.body


def by_api(service, to, text):
    service.post({"to": to, "text": f"Grazie {text}, a presto."})


def by_api_async(service, to, text):
    service.post({"to": to, "text": f"Grazie {text}, a presto."}, Prefer="respond-async")


def by_queue(service, to, text):
    service.put({"to": to, "text": f"Grazie {text}, a presto.", "id": "q-1"})
    assert service.run_sender() == []


def by_webhook(service, to, text):
    webhook(service, "modulo", json.dumps({"telefono": to, "nome": text}, ensure_ascii=False))


def by_shopify(service, to, text):
    body = json.dumps({"telefono": to, "nome": text}, ensure_ascii=False)
    signature = base64_hmac("shop-secret", body)
    webhook(service, "shopify", body, **{"X-Shopify-Hmac-Sha256": signature})


def by_event_bridge(service, to, text):
    given = event("webhook_shopify_eventbridge")
    given["detail"]["payload"] = {"telefono": to, "nome": text}
    service.partner_event(given)


WAYS = [by_api, by_api_async, by_queue, by_webhook, by_shopify, by_event_bridge]


def sent_to(service):
    service.run_sender()
    return [sms.to for sms in service.gateway.accepted]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "to",
    [
        "39 06 123456",
        "(39) 02 345678",
        "39/02/345678",
        "39 338 1234",
        " 39 06 123456",
        " 3906123456",
        "3906 123456",
    ],
)
def test_a_country_code_set_apart_sends_nothing_to_a_stranger(service, way, to):
    way(service, to, "Anna")
    assert sent_to(service) == []
    assert {record.status for record in service.records()} <= {"rejected"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("to", "number"), [("393 1234567", "+393931234567"), ("39 333 1234567", "+393331234567")]
)
def test_a_mobile_is_the_same_on_every_way_in(service, way, to, number):
    way(service, to, "Anna")
    assert sent_to(service) == [number]


@pytest.mark.parametrize(
    "body",
    [
        "telefono=+39+06+123456&nome=A",
        "telefono=+3906123456&nome=A",
        "telefono=+354+611+1234&nome=A",
        "telefono=+376312345&nome=A",
    ],
)
def test_a_plus_that_a_form_lost_sends_nothing_to_a_stranger(service, body):
    found = webhook(service, "modulo", body, FORM)
    assert found["reason"] == "no_mobile"
    assert sent_to(service) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Nicol\ufffd", "not_utf8"),
        ("Nicol\uffff", "noncharacter"),
        ("Nicol\ue001", "private_use"),
        ("Nicol\ufffc", "not_shown"),
    ],
)
def test_a_text_that_no_phone_shows_is_refused(service, way, text, reason):
    way(service, "333 1234567", text)
    assert sent_to(service) == []
    records = service.records()
    assert [(record.status, record.reason) for record in records] == [("rejected", reason)] or (
        way in (by_api, by_api_async) and records == []
    )


def test_the_api_says_that_the_text_was_not_utf_8(service):
    """API Gateway makes U+FFFD of an ISO-8859-1 body, as here."""
    body = b'{"to":"3332013456","text":"perch\xe9 s\xec"}'.decode("utf-8", "replace")
    for more in ({}, {"Prefer": "respond-async"}):
        answer = service.post(body, **more)
        assert (answer.status, answer.violations) == (422, [("text", "not_utf8")])
        assert "UTF-8" in answer.body["detail"]
    dry = {"to": "333 1234567", "text": "L'ordine e' pronto, perch\ufffd", "dry_run": True}
    assert service.post(dry).violations == [("text", "not_utf8")]
    assert sent_to(service) == []


def test_a_name_that_was_not_utf_8_is_not_sent_without_its_letters(service):
    webhook(service, "nome", json.dumps({"telefono": "333 1234567", "nome": "Nicol\ufffd"}))
    assert sent_to(service) == []
    assert [record.reason for record in service.records()] == ["not_utf8"]


def test_a_source_s_own_text_is_refused_too(service):
    webhook(service, "fisso", json.dumps({"telefono": "333 1234567"}))
    assert sent_to(service) == []
    assert [record.reason for record in service.records()] == ["private_use"]
