"""The local gateway's form for payloads: the same preview as the command, and nothing is sent."""

import json
import subprocess
import sys

import pytest
import urllib3

from local.deployed_stack import WEBHOOK_SECRETS, local_gateway
from local.gateway import LocalGateway
from local.preview.page_data import preview_handler
from local.processes import ROOT
from tests.shipped_sources import shipped_file, shipped_sources

EVENT = (ROOT / "events/webhook_shopify_orders_fulfilled.json").read_text("utf-8")


@pytest.fixture
def gateway(tmp_path):
    with local_gateway(sources=lambda: shipped_file(tmp_path)) as running:
        yield running


def control(gateway, method, fields=None):
    """The status and the content of a call to the form's address."""
    body = fields if isinstance(fields, bytes | None) else json.dumps(fields).encode()
    answer = urllib3.request(
        method, gateway.page_url + "api/try", body=body, timeout=60, retries=False
    )
    return answer.status, answer.json()


def test_the_form_offers_the_sources_and_their_topics(gateway):
    assert control(gateway, "GET") == (
        200,
        {
            "sources": {
                "shopify": ["orders/fulfilled"],
                "woocommerce": ["order.updated"],
                "scadenze": [],
                "modulo": [],
            }
        },
    )


def test_a_pasted_event_shows_what_it_would_cause_and_sends_nothing(gateway):
    status, preview = control(gateway, "POST", {"source": "shopify", "body": EVENT, "headers": ""})
    [event] = preview["events"]
    [sms] = event["messages"]
    assert (status, preview["authentic"], event["topic"]) == (200, True, "orders/fulfilled")
    assert (sms["to"], sms["found_at"], sms["final"]["segments"], sms["final"]["cost_eur"]) == (
        "+393331234567",
        "shipping_address.phone",
        1,
        "0.09",
    )
    assert gateway.calls == []


def test_a_payload_with_headers_is_checked_with_the_local_secret(gateway):
    token = WEBHOOK_SECRETS["modulo"]
    fields = {"source": "modulo", "body": '{"telefono": "333 1234567"}'}
    right = control(gateway, "POST", fields | {"headers": f"X-Webhook-Token: {token}"})
    wrong = control(gateway, "POST", fields | {"headers": "X-Webhook-Token: guessed"})
    assert [answer["authentic"] for _, answer in (right, wrong)] == [True, False]
    assert token not in json.dumps([right, wrong])


def test_a_topic_replaces_the_headers(gateway):
    fields = {"source": "woocommerce", "topic": "order.updated"}
    fields["body"] = '{"id": 1, "status": "paid", "billing": {"phone": "333 1234567"}}'
    _, preview = control(gateway, "POST", fields)
    assert preview["events"][0]["messages"][0]["because"] == [
        "This is false: status == 'completed'"
    ]


def test_a_time_is_shown_in_the_time_zone_of_rome(gateway):
    body = {"cellulare": "333 1234567", "modello": "F24", "importo": 5, "scadenza": "2099-01-01"}
    _, preview = control(gateway, "POST", {"source": "scadenze", "body": json.dumps(body)})
    [sms] = preview["events"][0]["messages"]
    assert (sms["verdict"], sms["reason"]) == ("reject", "send_at_too_far")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (b"{", "not JSON"),
        ({"body": "{}"}, "`source` is missing"),
        ({"source": "shopify"}, "`body` is missing"),
        ({"source": "shopify", "body": {}}, "`body` must be a text"),
        ({"source": "shopify", "body": "{}", "secret": "x"}, "no field 'secret'"),
        ({"source": "shop", "body": "{}"}, "There are: shopify, woocommerce, scadenze, modulo."),
        ({"source": "shopify", "body": "{}", "headers": "?"}, "`Name: value`"),
        ({"source": "shopify", "body": "x" * 1_048_577}, "at most 1048576 bytes"),
    ],
)
def test_input_without_a_preview_gets_a_sentence(gateway, fields, sentence):
    status, answer = control(gateway, "POST", fields)
    assert status == 400
    assert sentence in answer["error"]


def test_a_body_of_the_maximum_size_is_accepted_and_a_larger_one_is_not(gateway):
    largest = {"source": "modulo", "body": json.dumps({"note": '"' * 524_000})}
    assert control(gateway, "POST", largest)[0] == 200
    assert control(gateway, "POST", b" " * (4 * 1024 * 1024 + 1))[0] == 413


def test_an_unpaired_surrogate_does_not_crash(gateway):
    fields = {"source": "modulo", "body": '{"telefono": "\ud800"}'}
    assert control(gateway, "POST", fields)[1]["no_event"] == "The text of the body is not UTF-8."


def test_an_edit_of_the_sources_is_used_immediately_and_so_is_a_mistake(tmp_path):
    file = tmp_path / "sources.yaml"
    file.write_text(shipped_sources().replace("Grazie", "Salve"))
    fields = {"source": "modulo", "body": '{"telefono": "333 1234567"}'}
    with LocalGateway("9999", "local-secret", preview=preview_handler(lambda: file, {})) as gateway:
        [sms] = control(gateway, "POST", fields)[1]["events"][0]["messages"]
        assert sms["final"]["text"].startswith("Salve, abbiamo ricevuto")
        file.write_text("modulo:\n  preset: zapir\n  secrets: [a]\n  too: x\n")
        for answer in (control(gateway, "GET"), control(gateway, "POST", fields)):
            assert answer[0] == 400
            assert "sources.yaml:2: modulo.preset: no preset zapir." in answer[1]["error"]
            assert "sources.yaml:4: modulo.too: no such key" in answer[1]["error"]


def test_a_gateway_without_a_preview_has_no_form():
    with LocalGateway("9999", "local-secret") as gateway:
        for answer in (
            control(gateway, "GET"),
            control(gateway, "POST", {"source": "a", "body": ""}),
        ):
            assert answer[0] == 404
    page = (ROOT / "local/gateway/page.html").read_text("utf-8")
    assert '<section class="card" id="preview-card" hidden>' in page


def test_the_gateway_imports_nothing_of_the_service():
    program = "import sys, local.gateway; sys.exit('openvoip_sms' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
