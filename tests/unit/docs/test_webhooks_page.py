"""docs/webhooks.md: every source on the page loads, and does what the page says.

The payloads have the shape of each sender's own, with invented people.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import PlannedMessage, plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, call, json_call

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SOURCES = {
    name: source
    for block in BLOCKS
    for name, source in load_sources(block, "docs/webhooks.md").items()
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

SHOPIFY_ORDER = {
    "id": 5678901234567,
    "name": "#1042",
    "phone": None,
    "total_price": "49.90",
    "financial_status": "paid",
    "customer": {"first_name": "GIULIA", "phone": None, "default_address": {"phone": ""}},
    "shipping_address": {"phone": "06 1234567"},
    "billing_address": {"phone": "333 123 1234"},
    "fulfillments": [{"tracking_url": "https://corriere.example.it/?n=12345"}],
}
WOO_ORDER = {
    "id": 727,
    "number": "727",
    "status": "completed",
    "total": "1234.50",
    "billing": {"first_name": "Niccolò", "phone": "+39 333 1231234"},
    "shipping": {"phone": ""},
}
TYPEFORM = {
    "event_id": "01HXYZ",
    "event_type": "form_response",
    "form_response": {
        "token": "t0k3n",
        "answers": [
            {"type": "text", "text": "mario rossi", "field": {"ref": "nome"}},
            {"type": "phone_number", "phone_number": "+393331231234", "field": {"ref": "telefono"}},
        ],
    },
}
TALLY = {
    "eventId": "a4cb511e",
    "eventType": "FORM_RESPONSE",
    "data": {
        "submissionId": "2wgx4n",
        "fields": [
            {"key": "q_1", "label": "Nome", "type": "INPUT_TEXT", "value": None},
            {
                "key": "q_2",
                "label": "Cellulare",
                "type": "INPUT_PHONE_NUMBER",
                "value": "+393331231234",
            },
        ],
    },
}
JOTFORM = {"q3_nome": {"first": "anna"}, "q5_telefono": {"area": "333", "phone": "1231234"}}
STRIPE = {
    "id": "evt_1",
    "type": "checkout.session.completed",
    "data": {
        "object": {
            "amount_total": 4990,
            "customer_details": {"name": "Anna Verdi", "phone": "+393331231234"},
        }
    },
}
HUBSPOT = [
    {
        "eventId": 1,
        "portalId": 62515,
        "objectId": 1246965,
        "occurredAt": 1795512600000,
        "subscriptionType": "contact.propertyChange",
        "propertyName": "mobilephone",
        "propertyValue": "3331231234",
    }
]
FILLOUT = {
    "formId": "f1",
    "submission": {
        "submissionId": "s1",
        "questions": [
            {"id": "a", "name": "Nome", "type": "ShortAnswer", "value": "Ugo"},
            {"id": "b", "name": "Cellulare", "type": "PhoneNumber", "value": "+393331231234"},
        ],
    },
}


def multipart(fields):
    parts = (
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    return call(("".join(parts) + "--edge--\r\n").encode(), headers)


def form(fields):
    return call(urlencode(fields).encode(), FORM)


CASES = {
    "shopify": (
        json_call(SHOPIFY_ORDER, {"X-Shopify-Topic": "orders/fulfilled"}),
        "Ciao Giulia, il tuo ordine #1042 è in viaggio. https://corriere.example.it/?n=12345",
    ),
    "woocommerce": (
        json_call(WOO_ORDER, {"X-WC-Webhook-Topic": "order.updated"}),
        "Ciao Niccolò, il tuo ordine 727 di 1.234,50 € è stato spedito.",
    ),
    "typeform": (json_call(TYPEFORM), "Grazie Mario, abbiamo ricevuto la tua richiesta."),
    "tally": (json_call(TALLY), "Grazie, abbiamo ricevuto la tua richiesta."),
    "jotform": (
        multipart({"submissionID": "5123", "rawRequest": json.dumps(JOTFORM)}),
        "Grazie Anna, la tua prenotazione è registrata.",
    ),
    "wpforms": (
        json_call({"telefono": "(333) 123-1234", "nome": "Ada"}),
        "Grazie Ada, ti richiamiamo presto.",
    ),
    "wpforms-form": (
        form({"telefono": "+393331231234", "nome": "Ada"}),
        "Grazie Ada, ti richiamiamo presto.",
    ),
    "elementor": (
        form({"fields[telefono][value]": "333/1231234", "fields[nome][value]": "Ada Blu"}),
        "Grazie Ada, ti richiamiamo presto.",
    ),
    "contact-form-7": (
        json_call({"your-tel": "00393331231234", "your-name": "d'angelo"}),
        "Grazie D'Angelo, abbiamo ricevuto il tuo messaggio.",
    ),
    "gravity-forms": (
        json_call({"id": "12", "1.3": "Ada", "1.6": "Blu", "3": "3331231234"}),
        "Grazie Ada, abbiamo ricevuto la tua richiesta.",
    ),
    "google-forms": (
        json_call({"id": "a 2", "namedValues": {"Nome": ["Ada Blu"], "Telefono": ["3331231234"]}}),
        "Grazie Ada, la tua iscrizione è confermata.",
    ),
    "fillout": (json_call(FILLOUT), "Grazie Ugo, a presto."),
    "make": (json_call({"telefono": "3331231234", "testo": "Pronto."}), "Pronto."),
    "zapier": (
        json_call({"telefono": "3331231234", "nome": "Ada", "quando": "2026-12-03T15:00:00+01:00"}),
        "Ciao Ada, il tuo appuntamento è giovedì 3 dicembre alle 15:00.",
    ),
    "stripe": (json_call(STRIPE), "Pagamento di 49,90 € ricevuto, grazie Anna!"),
    "hubspot": (json_call(HUBSPOT), "Grazie, da oggi ricevi qui gli avvisi sui tuoi ordini."),
    "github": (
        json_call(
            {
                "repository": {"name": "sito"},
                "workflow_run": {"name": "Prove", "conclusion": "failure"},
            },
            {"X-GitHub-Event": "workflow_run"},
        ),
        "sito: Prove è fallito.",
    ),
    "standard-webhooks": (
        json_call({"type": "order.paid", "data": {"phone": "3331231234", "number": 7}}),
        "Pagamento ricevuto per l'ordine 7.",
    ),
    "svix": (
        json_call({"type": "order.new", "data": {"phone": "3331231234", "number": 7}}),
        "Novità sul tuo ordine 7.",
    ),
    "gestionale": (
        json_call(
            {
                "id": "f24-1",
                "cellulare": "3331231234",
                "nome": "MARIO DE LUCA",
                "modello": "F24",
                "importo": 350,
                "scadenza": "2026-12-16",
            }
        ),
        "Gentile Mario De Luca, il modello F24 di 350,00 € scade mercoledì 16 dicembre.",
    ),
    "con-orario": (json_call({"telefono": "3331231234"}), "Novità per te."),
}


def only_message(name):
    request, _ = CASES[name]
    messages = plan_trusted(SOURCES[name], request, NOW).messages
    assert len(messages) == 1
    return messages[0]


@pytest.mark.parametrize("name", CASES)
def test_the_source_on_the_page_finds_number_and_text(name):
    message = only_message(name)
    assert isinstance(message, PlannedMessage)
    assert message.to == "+393331231234"
    assert message.text == CASES[name][1]


def test_the_page_has_a_tried_source_for_every_preset():
    assert set(presets()) <= set(CASES)
    assert set(SOURCES) - {"negozio"} == set(CASES)


def test_the_first_example_of_the_page_sends_now_and_asks_a_week_later():
    order = SHOPIFY_ORDER | {"phone": "3331231234"}
    request = json_call(order, {"X-Shopify-Topic": "orders/fulfilled"})
    now_, later = plan_trusted(SOURCES["negozio"], request, NOW).messages
    assert (now_.send_at, now_.sender) == (None, "Negozio")
    assert later.send_at == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    assert later.category == "marketing"
    assert now_.id != later.id


def test_reminders_of_the_page_wait_for_their_day():
    assert only_message("gestionale").send_at == datetime(2026, 12, 13, 8, tzinfo=UTC)
    assert only_message("zapier").send_at == datetime(2026, 12, 2, 14, tzinfo=UTC)


def test_the_test_notification_of_shopify_is_sent_to_nobody():
    order = SHOPIFY_ORDER | {
        "id": 820982911946154508,
        "name": "#9999",
        "shipping_address": {"phone": "555-555-SHIP"},
        "billing_address": {"phone": "555-555-BILL"},
        "customer": {"phone": "123-123-1234"},
    }
    request = json_call(order, {"X-Shopify-Topic": "orders/fulfilled"})
    assert [m.reason for m in plan_trusted(SOURCES["shopify"], request, NOW).messages] == [
        "no_mobile"
    ]


def test_the_sources_that_are_deployed_load():
    file = Path(__file__).parents[3] / "functions" / "webhooks" / "sources.yaml"
    assert "shopify" in load_sources(file.read_text("utf-8"), file.name)
