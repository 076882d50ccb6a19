"""The preview and the service decide alike: the same call through both, whatever it holds.

Each message that the service stores is compared with the one that the preview shows.
"""

import json
from dataclasses import replace
from datetime import UTC
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.check_sources import SOURCES
from local.preview import preview_call, sample_call
from local.preview.evaluate import POLICY
from local.processes import ROOT
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.rules.record import WAITING
from openvoip_sms.web.webhook_request import from_api_gateway
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import NothingToSend, Pinged, plan, plan_trusted
from openvoip_sms.webhooks.verify import Refused
from tests.fakes import FakeClock, FakeCounters, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry
from tests.shipped_sources import shipped_sources
from tests.unit.webhooks.webhook_calls import NOW, call, preset

KEY = "c2VjcmV0LWtleQ=="  # fits every form of secret
LIVE = replace(POLICY, live=True)
PATHS = ["phone", "telefono", "a[].phone"]
WITH_ALL_KEYS = {
    "text": "Ciao {nome || 'cliente'}, {name || ''} {euro(total) || ''}",
    "when": "phone || telefono",
    "send_at": "at(days_before(quando, `3`), '09:00')",
    "once": "[id, status]",
    "sender": "Ditta",
    "category": "marketing",
    "archive": False,
}
SENDERS = [
    *(preset(name, to=PATHS, message=WITH_ALL_KEYS) for name in presets()),
    *(preset(name, to=PATHS, message={"text": "{nome} {note}"}) for name in presets()),
    preset("make", to=PATHS, message={"text": "Ciao {nome || ''}{note || ''}", "delay": 60}),
    preset("make", to=PATHS, message={"text": "{nome || ''} " * 15}),  # may take five segments
    preset(
        "shopify",
        to=PATHS,
        messages={
            "default": [{"text": "{nome}"}, {"name": "poi", "text": "Poi {note}", "once": "id"}],
            "orders/paid": {"text": "Pagato: {note}", "to": "billing"},
        },
    ),
    *load_sources(shipped_sources(), "sources.yaml").values(),
]

USUAL = st.fixed_dictionaries(
    {
        "phone": st.sampled_from(["333 1234567", "+39 347 111 2222", 3331234567]),
        "nome": st.sampled_from(["Anna", "Zoë", "D’Amico", "x" * 70]),
        "note": st.sampled_from(["grazie", "a “domani”…", "🎉", "€[]", "https://e.example/x"]),
        "quando": st.sampled_from(["2026-12-16", "2026-11-25", "2027-03-28"]),
        "id": st.integers(1, 3),
        "total": st.sampled_from(["12.50", 3]),
    }
)
ODD_VALUES = (
    st.sampled_from(
        [None, True, "", " ", "\u200b", 5, 1.5, [], {"b": 1}, "06 1234567", "+44 7911 123456",
         ["", "333 1234567"], ["x"] * 10 + ["333 1234567"], 3331234567.0, "2099-01-01", "\ufffd",
         "333 1234567 / 347 1112222", "a\nb", "è" * 70, "https://e.example/" + "x" * 90]
    )
    | st.text(max_size=80)
)  # fmt: skip
ODD = st.dictionaries(
    st.sampled_from("phone telefono billing nome note name id status quando total eventId".split()),
    ODD_VALUES,
    min_size=1,
    max_size=3,
)
LISTED = st.lists(st.fixed_dictionaries({"phone": ODD_VALUES}), max_size=3)
ORDERS = st.builds(
    lambda usual, odd, listed: usual | odd | {"a": listed, "subscriptionType": "orders/paid"},
    USUAL,
    st.just({}) | ODD,
    LISTED,
)
BODIES = (
    ORDERS.map(lambda data: json.dumps(data).encode())
    | st.lists(ORDERS, max_size=3).map(lambda orders: json.dumps(orders).encode())
    | ORDERS.map(lambda data: urlencode(_plain(data)).encode())
    | st.sampled_from([b"", b"{", b"7", b"webhook_id=7", b'{"phone":NaN}', b"\xff"])
)


def _plain(data):
    return {name: value for name, value in data.items() if isinstance(value, str)}


HEADERS = st.fixed_dictionaries(
    {
        "Host": st.just("sms.example.it"),
        "Content-Type": st.sampled_from(
            ["application/json", "application/x-www-form-urlencoded", "text/plain", "image/png"]
        ),
    },
    optional={
        "X-Webhook-Token": st.sampled_from([KEY, "guessed"]),
        "X-Shopify-Topic": st.sampled_from(["orders/paid", "orders/fulfilled", "x"]),
        "X-WC-Webhook-Topic": st.sampled_from(["order.updated", "x"]),
        "X-Event-Id": st.sampled_from(["1", "2"]),
        "Content-Encoding": st.just("gzip"),
    },
)


def service_decides(source, request, *, trusted=False):
    """What the service makes of a call: of its origin, of each event, of each message it stores."""
    secrets = dict.fromkeys(source.auth.secrets, KEY)
    found = plan_trusted(source, request, NOW) if trusted else plan(source, request, secrets, NOW)
    match found:
        case Pinged():
            return "pinged"
        case Refused():
            return "refused"
        case Unreadable():
            return found.detail
    return [
        (event.topic, event.event_key, [stored(outcome, source) for outcome in event.messages])
        for event in found.events
    ]


def stored(outcome, source):
    """The decision on one message, and its record as a service without limits stores it."""
    if isinstance(outcome, NothingToSend):
        return ("nothing", outcome.reason)
    unlimited = replace(source, allow_same_text=True, hourly_limit=0, range_hourly_limit=0)
    store = FakeStore()
    enqueuer = Enqueuer(store, FakeQueue(), FakeSchedule(), FakeTelemetry(), LIVE, FakeClock(NOW))
    counters = FakeCounters()
    guard = FloodGuard(enqueuer.store, counters, enqueuer.telemetry, SourceStates(counters))
    WebhookIntake(enqueuer, guard, 0).handle(outcome, unlimited)
    record = store.records[outcome.id]
    known = (record.id, record.to, record.category, record.reason, record.detail)
    if record.status not in WAITING:
        return (str(record.status), *known)
    text = (record.text, record.encoding, record.segments, record.cost_eur)
    return ("accepted", *known, record.sender, *text, record.send_at)


def preview_decides(source, body, headers):
    """The same from the preview, which is given what a person would paste."""
    secrets = dict.fromkeys(source.auth.secrets, KEY)
    lines = "POST /hook HTTP/1.1\n"
    lines += "".join(f"{name}: {value}\n" for name, value in headers.items())
    shown = preview_call(source, sample_call(source, body, lines), secrets, NOW)
    if shown.authentic is None:
        return shown, "pinged"
    return shown, (
        [
            (event.topic, event.id, [message_shown(message) for message in event.messages])
            for event in shown.events
        ]
        if shown.events or "no event" in shown.no_event
        else shown.no_event
    )


def message_shown(message):
    if message.verdict == "nothing":
        return ("nothing", message.reason)
    detail = message.because[0] if message.because else None
    known = (message.id, message.to, message.category, message.reason or None, detail)
    if message.verdict == "reject":
        return ("rejected", *known)
    final = message.final
    text = (final.text, final.encoding, final.segments, final.cost_eur)
    send_at = message.send_at and message.send_at.astimezone(UTC)
    return ("accepted", *known, message.sender or LIVE.default_sender, *text, send_at)


def check(source, body, headers):
    """Both say the same: of the call as it is, and once it has the headers it would need."""
    shown, decided = preview_decides(source, body, headers)
    request = call(body, headers)
    by_service = service_decides(source, request)
    assert (shown.authentic is False) == (by_service == "refused")
    if by_service == "refused":
        by_service = service_decides(source, request, trusted=True)
    assert decided == by_service
    return shown


@settings(max_examples=400)
@given(st.sampled_from(SENDERS), BODIES, HEADERS)
def test_preview_and_service_agree_on_every_call(source, body, headers):
    shown = check(source, body, headers)
    if shown.needed_headers:
        completed = headers | dict(shown.needed_headers)
        assert check(source, body, completed).authentic is True


@pytest.mark.parametrize(
    ("data", "decision"),
    [
        ({"phone": "333 1234567", "nome": "Anna", "note": "’"}, ("accepted", None)),
        ({"phone": "06 1", "telefono": 3331234567, "nome": "A", "note": "x"}, ("accepted", None)),
        ({"phone": ["", "333 1234567"], "nome": "🎉", "note": "y"}, ("accepted", None)),
        ({"phone": "333 1234567", "nome": "Anna"}, ("rejected", "missing_value")),
        ({"phone": "333 1234567", "nome": "A", "note": "🎉" * 60}, ("rejected", "too_long")),
        ({"phone": "333 1234567", "nome": ["Anna"], "note": "x"}, ("rejected", "not_text")),
        ({"phone": "+44 7911 123456", "nome": "A", "note": "x"}, ("nothing", "no_mobile")),
        ({"phone": "333 1234567", "nome": "stop"}, ("nothing", "when_false")),
    ],
)
def test_the_comparison_covers_every_kind_of_decision(data, decision):
    message = {"text": "{nome}" + " {note}" * 4, "when": "nome != 'stop'", "delay": 60}
    source = preset("make", to=PATHS, message=message)
    headers = {"Content-Type": "application/json", "X-Webhook-Token": KEY}
    body = json.dumps(data).encode()
    assert check(source, body, headers).authentic is True
    assert check(source, body, headers | {"X-Webhook-Token": "guessed"}).authentic is False
    [(_, _, [found])] = service_decides(source, call(body, headers))
    verdict, reason = found[0], found[1] if found[0] == "nothing" else found[4]
    assert (verdict, reason) == decision


def test_preview_and_service_agree_on_the_example_event():
    file = ROOT / "events/webhook_shopify_orders_fulfilled.json"
    shop = load_sources((ROOT / SOURCES).read_text("utf-8"), "sources.yaml")["shopify"]
    request = from_api_gateway(json.loads(file.read_text("utf-8")), shop.auth.url)
    shown = preview_call(shop, sample_call(shop, file.read_bytes()), {"shopify": KEY}, NOW)
    [(_, _, [message])] = service_decides(shop, request, trusted=True)
    assert message_shown(shown.events[0].messages[0]) == message
