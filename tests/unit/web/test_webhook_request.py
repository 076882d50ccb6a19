"""Webhook calls out of the events of API Gateway and EventBridge."""

import base64

import pytest

from openvoip_sms.web.webhook_request import from_api_gateway


def gateway_event(**changes):
    return {
        "httpMethod": "POST",
        "body": '{"phone":"333 1231234","name":"Éva"}',
        "isBase64Encoded": False,
        "headers": {"X-Twice": "b"},
        "multiValueHeaders": {"X-Twice": ["a", "b"], "Content-Type": ["application/json"]},
        "queryStringParameters": {"token": "y"},
        "multiValueQueryStringParameters": {"token": ["x", "y"]},
        "requestContext": {"domainName": "abc.example", "path": "/v1/webhooks/x"},
    } | changes


def test_a_proxy_event_keeps_every_header_and_parameter():
    request = from_api_gateway(gateway_event(), None)
    assert request.header_values("x-twice") == ("a", "b")
    assert request.query_values("token") == ("x", "y")
    assert request.header("x-absent") is None
    assert request.url == "https://abc.example/v1/webhooks/x"
    assert (
        from_api_gateway(gateway_event(), "https://sms.example.it/h").url
        == "https://sms.example.it/h"
    )
    assert request.body == '{"phone":"333 1231234","name":"Éva"}'.encode()


def test_a_proxy_event_with_single_values_or_none_is_read():
    event = gateway_event(
        multiValueHeaders=None, multiValueQueryStringParameters=None, body=None, requestContext=None
    )
    request = from_api_gateway(event, None)
    assert (request.header("x-twice"), request.query, request.body) == ("b", (("token", "y"),), b"")
    assert from_api_gateway({}, None).body == b""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (base64.b64encode(b"\xff\x00raw").decode(), b"\xff\x00raw"),
        ("not base64!", b"not base64!"),
        ("è", "è".encode()),
        ("abc", b"abc"),
    ],
)
def test_a_binary_body_arrives_as_it_was_sent(body, expected):
    assert from_api_gateway(gateway_event(body=body, isBase64Encoded=True), None).body == expected


def test_a_body_with_an_unpaired_surrogate_is_still_bytes():
    assert from_api_gateway(gateway_event(body="\ud800"), None).body == b"\xed\xa0\x80"
