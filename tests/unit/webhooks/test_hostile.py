"""Whatever a stranger sends, the result is a value, for a bounded number of calls."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.plan import (
    NothingToSend,
    Pinged,
    Planned,
    PlannedMessage,
    RejectedMessage,
    plan,
    plan_trusted,
)
from openvoip_sms.webhooks.request import MAX_BODY_BYTES, WebhookRequest
from openvoip_sms.webhooks.verify import Refused
from tests.function_calls import count_calls
from tests.unit.webhooks.webhook_calls import NOW, call, json_call, preset

TEXT = (
    "Ciao {first_name(customer.first_name) || nome || 'cliente'}, {name || id || ''}"
    " {euro(total) || ''} {date(quando, 'weekday') || ''} {time(quando) || ''}"
    " {items[].title | [0] || ''}"
)
MESSAGE = {"text": TEXT, "send_at": "at(days_before(quando, `3`), '09:00') || `1`", "when": "phone"}
SENDERS = [
    preset(name, to=["phone", "telefono", "a[].phone"], message=MESSAGE) for name in presets()
]
SECRETS = {"key": "c2VjcmV0LWtleQ=="}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(
        ["3331231234", "2026-12-03", "\ud800", "{a}", "https://a.it/" + "x" * 90, 10**400]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "phone telefono customer first_name nome name id total quando items title a"
                " event_id rawRequest status type submissionID".split()
            )
            | st.text(max_size=4),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
HEADER_NAMES = st.sampled_from(
    ["Content-Type", "Content-Encoding", "X-Webhook-Token", "Stripe-Signature", "svix-id",
     "svix-timestamp", "svix-signature", "X-Shopify-Topic", "X-Shopify-Hmac-Sha256",
     "X-HubSpot-Request-Timestamp", "X-HubSpot-Signature-v3", "X-WPForms-Webhook-Signature",
     "X-WC-Webhook-Signature", "X-GitHub-Event", "Idempotency-Key"]
) | st.text(max_size=10)  # fmt: skip
HEADER_VALUES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
     "t=1,v1=aa", "v1,AAAA", "sha256=", "gzip", "1795512600", "nan", SECRETS["key"], "é", "\ud800"]
) | st.text(max_size=40)  # fmt: skip
PAIRS = st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=8).map(tuple)


def check(outcome):
    assert isinstance(outcome, Refused | Unreadable | Pinged | Planned)
    if not isinstance(outcome, Planned):
        return
    for message in outcome.messages:
        assert isinstance(message, PlannedMessage | RejectedMessage | NothingToSend)
        if isinstance(message, PlannedMessage):
            assert len(message.text) < len(TEXT) + 8 * 200
            assert "  " not in message.text
            assert message.id.isascii()
            assert len(message.id) <= 128


@given(st.sampled_from(SENDERS), st.binary(max_size=200), PAIRS, PAIRS)
def test_no_call_raises(sender, body, headers, query):
    request = WebhookRequest("POST", "https://sms.example.it/hook", headers, query, body)
    check(plan(sender, request, SECRETS, NOW))
    check(plan_trusted(sender, request, NOW, "1"))


@given(st.sampled_from(SENDERS), JSON, PAIRS)
def test_no_json_of_an_authentic_sender_raises(sender, data, headers):
    kept = tuple((name, value) for name, value in headers if name.lower() != "content-type")
    request = call(json.dumps(data).encode(), (*kept, ("Content-Type", "application/json")))
    check(plan_trusted(sender, request, NOW, "1"))


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=30), max_size=6))
def test_no_form_of_an_authentic_sender_raises(fields):
    body = urlencode({**fields, "phone": "3331231234"}, errors="surrogatepass").encode()
    request = call(body, {"Content-Type": "application/x-www-form-urlencoded"})
    check(plan_trusted(preset("make", message=MESSAGE), request, NOW))


def filled(unit, before=b"", after=b"", separator=b""):
    count = (MAX_BODY_BYTES - len(before) - len(after)) // (len(unit) + len(separator))
    return before + separator.join([unit] * count) + after


PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"
LARGE = {
    "empty lists": (filled(b"[]", b"[", b"]", b","), "application/json"),
    "open lists": (filled(b"["), "application/json"),
    "nested to the limit": (filled(b"[" * 99 + b"]" * 99, b"[", b"]", b","), "application/json"),
    "one text": (filled(b"x", b'{"phone":"3331231234","nome":"', b'"}'), "application/json"),
    "control characters": (
        filled(b"\\u0000", b'{"phone":"3331231234","nome":"', b'"}'),
        "application/json",
    ),
    "digits": (filled(b"9", b"[", b"]"), "application/json"),
    "numbers of 4300 digits": (filled(b"9" * 4300, b"[", b"]", b","), "application/json"),
    "many keys": (filled(b'"k":1', b'{"phone":"3331231234",', b"}", b","), "application/json"),
    "phones": (filled(b'{"phone":"1"}', b'{"a":[', b"]}", b","), "application/json"),
    "ampersands": (filled(b"&"), FORM),
    "percent signs": (filled(b"%41", b"phone="), FORM),
    "parts": (filled(PART, after=b"--b--\r\n"), MULTIPART),
    "almost boundaries": (filled(b"\r\n--", PART, b"--b--\r\n"), MULTIPART),
    "header lines": (filled(b"a:b\r\n", b"--b\r\n", b"--b--\r\n"), MULTIPART),
    "spreadsheet of digits": (filled(b"3", b'{"phone":"', b'"}'), "application/json"),
    "dashes": (filled(b"- ", b'{"phone":"3', b'"}'), "application/json"),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_body_causes_work_in_proportion_to_its_size(name):
    body, content_type = LARGE[name]
    assert len(body) <= MAX_BODY_BYTES
    sender = preset("make", to=["phone", "a[].phone"], message=MESSAGE)
    request = call(body, {"Content-Type": content_type})
    assert count_calls(lambda: check(plan_trusted(sender, request, NOW))) < 2 * len(body)


def test_a_value_of_a_mebibyte_costs_no_more_than_what_is_shown_of_it():
    """What is cut anyway is not processed whole, however often a text shows it."""
    sender = preset("make", message={"text": "{nome} " * 10})

    def planned(length):
        body = json.dumps({"phone": "3331231234", "nome": "è " * length}).encode()
        (found,) = plan_trusted(
            sender, call(body, {"Content-Type": "application/json"}), NOW
        ).messages
        assert len(found.text) < 10 * 61

    planned(1)  # what is done once and kept counts for neither
    large = count_calls(lambda: planned(MAX_BODY_BYTES // 8))
    assert large < 1.1 * count_calls(lambda: planned(2000))


@pytest.mark.parametrize("unit", ["\u200b", " ", "a ", "A-", "1", "3/12/2026 ", "dott. "])
@pytest.mark.parametrize(
    "expression",
    [
        "nome || 'x'",
        "first_name(nome) || 'x'",
        "title(nome) || 'x'",
        "euro(nome) || 'x'",
        "euro_cents(nome) || 'x'",
        "date(nome) || 'x'",
        "time(nome) || 'x'",
        "days_before(nome, `3`) || 'x'",
        "at(nome, '09:00') || 'x'",
        "at('2026-12-03', nome) || 'x'",
        "plain(nome) || 'x'",
        "nome > '2026-12-03' && 'x' || 'y'",
    ],
)
def test_a_function_reads_no_more_of_a_value_than_a_text_can_show(expression, unit):
    sender = preset(
        "make",
        to=["nome", "phone"],
        message={"text": f"{{{expression}}} " * 3, "when": "nome || phone"},
    )

    def planned(length):
        data = {"phone": "3331231234", "nome": unit * (length // len(unit))}
        (found,) = plan_trusted(sender, json_call(data), NOW).messages
        assert isinstance(found, PlannedMessage)

    planned(2200)  # what is done once and kept counts for neither
    small, large = (count_calls(lambda n=n: planned(n)) for n in (2200, MAX_BODY_BYTES // 8))
    assert large < 1.1 * small


def test_a_thousand_headers_and_signatures_cause_a_few_calls_each():
    headers = [(f"X-{n}", "é" * 100) for n in range(1000)]
    items = ",".join(["t=1795512600"] + ["v1=" + "0" * 64] * 1000)
    request = call(b"{}", [*headers, ("Stripe-Signature", items)])

    def refused():
        assert plan(preset("stripe"), request, SECRETS, NOW) == Refused("signature_wrong")
        assert isinstance(plan(preset("make"), request, SECRETS, NOW), Refused)

    assert count_calls(refused) < 30 * 2000
