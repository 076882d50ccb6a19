"""Whatever a stranger sends, the answer is one of the contract."""

import base64
import gzip
import hmac
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvoip_sms.adapters.secret_reader import NamedSecrets
from openvoip_sms.rules import limits
from openvoip_sms.webhooks.request import MAX_BODY_BYTES
from tests.function_calls import count_calls
from tests.integration.service import event
from tests.integration.webhooks.proxy_events import (
    FORM,
    call,
    form,
)
from tests.integration.webhooks.sources import SECRETS
from tests.unit.webhooks.webhook_calls import base64_hmac

ANSWERS = {200, 202, 400, 401, 404, 413}
BODIES = {
    "a MiB": b'{"tel":"3331231234","nome":"' + b"x" * (MAX_BODY_BYTES - 30) + b'"}',
    "deep": b"[" * 500_000,
    "deep and closed": b"[" * 5_000 + b"]" * 5_000,
    "giant whole number": b'{"tel":' + b"3" * 100_000 + b"}",
    "giant exponent": b'{"tel":1e999999999}',
    "no number": b'{"tel":NaN,"nome":Infinity}',
    "number of 4,000 digits": b'{"tel":"3331231234","nome":' + b"9" * 4_000 + b"}",
    "key twice": b'{"tel":"x","tel":"3331231234","nome":"Anna"}',
    "no UTF-8": b'{"tel":"3331231234","nome":"\xff\xfe"}',
    "half a pair": rb'{"tel":"3331231234","nome":"\ud800"}',
    "NUL": b'{"tel":"3331231234","nome":"a\x00b"}',
    "escaped NUL": rb'{"tel":"3331231234","nome":"a\u0000b"}',
    "nothing": b"",
    "a number": b"7",
    "null": b"null",
    "gzip": gzip.compress(json.dumps(FORM).encode()),
}


def raw_call(source, body, headers, query=None):
    """Bytes and header pairs as API Gateway passes them on; some bodies in base64."""
    many = {}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    as_text = None if b"\xff" in body or len(body) % 2 else _text_of(body)
    return event("webhook_shopify_orders_fulfilled") | {
        "pathParameters": {"source": source},
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {key: values[-1] for key, values in (query or {}).items()},
        "multiValueQueryStringParameters": query or None,
        "body": base64.b64encode(body).decode() if as_text is None else as_text,
        "isBase64Encoded": as_text is None,
    }


def _text_of(body):
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def test_an_authentic_call_with_no_event_in_it_has_nothing_to_send(service):
    answer = service.webhook(call("gruppo", {"eventi": []}, {"X-Webhook-Token": "a-token"}))
    assert (answer.status, answer.body["reason"]) == (200, "no_event")


@pytest.mark.parametrize("token", ["a-token", "wrong"])
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_has_an_answer_of_the_contract_for_bounded_work(
    service, name, token, monkeypatch
):
    monkeypatch.setattr(limits, "is_sampled", lambda *_: False)  # by its id: one write more
    headers = [("Content-Type", "application/json"), ("X-Webhook-Token", token)]
    if name == "gzip":
        headers.append(("Content-Encoding", "gzip"))
    service.webhook(form(nome="Prima"))  # what a cold start costs is not the body's fault
    ordinary = count_calls(lambda: service.webhook(form(tel="333 1234999", nome="Seconda")))
    given, answers = raw_call("modulo", BODIES[name], headers), []
    calls = count_calls(lambda: answers.append(service.webhook(given)))
    assert calls < 1.5 * ordinary + 2 * len(BODIES[name])
    assert answers[0].status in (ANSWERS - {401, 404, 413} if token == "a-token" else {401})


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 6 * MAX_BODY_BYTES])
@pytest.mark.parametrize("source", ["modulo", "shopify"])
def test_too_large_a_body_is_refused_before_it_costs_anything(service, monkeypatch, source, size):
    def computed(*_):
        pytest.fail("something was computed")

    monkeypatch.setattr(hmac, "digest", computed)
    monkeypatch.setattr(NamedSecrets, "current", computed)
    answer = service.webhook(raw_call(source, b"x" * size, [("X-Webhook-Token", "a-token")]))
    assert (answer.status, answer.reason) == (413, "too_large")


def test_a_thousand_headers_with_foreign_characters_are_refused_for_a_few_calls_each(service):
    headers = [(f"X-{n}", "é€\ud800" * 20) for n in range(1000)]
    for source, name in (("shopify", "X-Shopify-Hmac-Sha256"), ("modulo", "X-Webhook-Token")):
        # What a cold start costs, and a secret that is read again, is not the headers' fault.
        service.webhook(raw_call(source, b"{}", [(name, "wrong")]))
        given = raw_call(source, b"{}", [*headers, (name, "é\u0000\ud800")])
        answers = []
        calls = count_calls(lambda: answers.append(service.webhook(given)))  # noqa: B023 - called here
        assert calls < 100 * len(headers)
        assert answers[0].status == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tel", "nome", "billing", "phone", "id", "name"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
NEARLY_RIGHT = st.fixed_dictionaries(
    {"tel": st.sampled_from(["3331231234", "347 1112222", ["x", 3331231234]]), "nome": JSON}
).map(lambda data: json.dumps(data).encode())
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Content-Encoding", "X-Webhook-Token", "x-shopify-topic"])
        | st.text(max_size=8),
        st.sampled_from(["application/json", "text/plain", "gzip", "orders/create", "a-token", ""])
        | st.text(max_size=20),
    ),
    max_size=4,
)


def stranger(source, body, headers, query, *, authentic):
    token = [("X-Webhook-Token", "a-token")]
    for name, header in (
        ("shopify", "X-Shopify-Hmac-Sha256"),
        ("woocommerce", "X-WC-Webhook-Signature"),
    ):
        token.append((header, base64_hmac(SECRETS[name], body)))
    return raw_call(source, body, (token if authentic else []) + headers, query)


STRANGERS = st.builds(
    stranger,
    st.sampled_from(["modulo", "shopify", "woocommerce", "scadenze"]) | st.text(max_size=5),
    st.binary(max_size=100) | JSON.map(lambda data: json.dumps(data).encode()) | NEARLY_RIGHT,
    HEADERS,
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=1), max_size=2),
    authentic=st.booleans(),
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STRANGERS)
def test_whatever_a_stranger_sends_gets_an_answer_of_the_contract(service, hostile):
    answer = service.webhook(hostile)
    assert answer.status in ANSWERS
    assert not any("service.unhandled_error" in line for line in service.log_lines)
