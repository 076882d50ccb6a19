"""The client's requests and how it reads each response, without a socket."""

import logging
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
import urllib3

from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.openvoip.connection import NotConnected
from openvoip_sms.rules.call_result import CallOutcome
from tests.gateway_call import ACCOUNT, NOW, PHP, ROSA, SMS

URL = "http://gateway.example/sms_send_soa.php"
CANARIES = (ROSA["verify"], ROSA["secret"], ROSA["sms_destination"].removeprefix("+"), "verify=")


@pytest.fixture
def answers():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def gateway(url=URL, *, twice=False):
    return OpenvoipClient(url, encode_destination_twice=twice, connections=10, clock=lambda: NOW)


def answer(answers, body="[0]", **rest):
    answers.get(URL, body=body, **rest)
    return gateway().send(SMS, ACCOUNT)


# Requests


def test_each_call_is_one_request_with_the_parameters_of_the_guide(answers):
    assert answer(answers).outcome is CallOutcome.ACCEPTED
    [call] = answers.calls
    assert call.request.method == "GET"
    assert parse_qs(urlsplit(call.request.url).query) == {
        "archivia": ["1"],
        "id_call_gr": ["9999"],
        "sms_text": [SMS.text],
        "sms_destination": [SMS.to],
        "sms_sender": [SMS.sender],
        "verify": [ROSA["verify"]],
    }


@pytest.mark.parametrize("vector", PHP["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize(("twice", "query"), [(False, "query"), (True, "query_destination_twice")])
def test_the_address_is_sent_byte_for_byte_as_php_writes_it(answers, vector, twice, query):
    answers.get(URL, body="[0]")
    sms = Sms(
        vector["sms_sender"],
        vector["sms_text"],
        vector["sms_destination"],
        archive=vector["archivia"] == "1",
    )
    gateway(twice=twice).send(sms, OpenvoipAccount(vector["id_call_gr"], vector["secret"]))
    assert [call.request.url for call in answers.calls] == [f"{URL}?{vector[query]}"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("~", "%7E"),
        ("%7E", "%257E"),
        ("%2B", "%252B"),
        ("%252B", "%25252B"),
        ("a+b c", "a%2Bb+c"),
        ("#?&=/;", "%23%3F%26%3D%2F%3B"),
        ("[à]\n", "%5B%C3%A0%5D%0A"),
        ("-_.*!'()", "-_.%2A%21%27%28%29"),
    ],
)
def test_what_a_client_could_rewrite_is_sent_unchanged(answers, text, sent):
    answers.get(URL, body="[0]")
    gateway().send(Sms("Bottega", text, "+393331234567"), ACCOUNT)
    [call] = answers.calls
    assert f"&sms_text={sent}&" in call.request.url
    assert f"&sms_text={sent}&" in call.request.path_url


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("http://gateway.example", "http://gateway.example/"),
        ("http://gateway.example:8080/a/b.php", "http://gateway.example:8080/a/b.php"),
        ("http://user:word@gateway.example/a?b=c#d", "http://gateway.example/a"),
    ],
)
def test_of_the_configured_address_only_host_and_path_are_used(answers, url, requested):
    answers.get(requested, body="[0]")
    assert gateway(url).send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
    assert [call.request.url for call in answers.calls] == [f"{requested}?{ROSA['query']}"]
    assert dict(answers.calls[0].request.headers) == {"User-Agent": "openvoip-sms"}


# Responses


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (200, "[0]", CallOutcome.ACCEPTED, "0"),
        (200, "020", CallOutcome.BAD_DESTINATION, "020"),
        (200, "099", CallOutcome.GENERIC_ERROR, "099"),
        (
            200,
            '{"exit_status":"1","exit_string":"Security error"}',
            CallOutcome.BAD_CREDENTIALS,
            "1",
        ),
        (200, "", CallOutcome.UNCERTAIN, ""),
        (200, "<html>", CallOutcome.UNCERTAIN, ""),
        (204, "", CallOutcome.UNCERTAIN, ""),
        (301, "[0]", CallOutcome.MISCONFIGURED, "http_301"),
        (302, "[0]", CallOutcome.MISCONFIGURED, "http_302"),
        (307, "[0]", CallOutcome.MISCONFIGURED, "http_307"),
        (400, "[0]", CallOutcome.MISCONFIGURED, "http_400"),
        (401, "[0]", CallOutcome.MISCONFIGURED, "http_401"),
        (404, "[0]", CallOutcome.MISCONFIGURED, "http_404"),
        (407, "[0]", CallOutcome.MISCONFIGURED, "http_407"),
        (429, "[0]", CallOutcome.BUSY, "http_429"),
        (500, "[0]", CallOutcome.UNCERTAIN, "http_500"),
        (502, "[0]", CallOutcome.UNCERTAIN, "http_502"),
        (503, "[0]", CallOutcome.BUSY, "http_503"),
        (504, "[0]", CallOutcome.UNCERTAIN, "http_504"),
    ],
)
def test_each_status_and_body_has_its_outcome_and_costs_one_request(
    answers, status, body, outcome, code
):
    reply = answer(answers, body, status=status, headers={"Location": "/elsewhere"})
    assert (reply.outcome, reply.code) == (outcome, code)
    assert len(answers.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", [URL, "https://elsewhere.example/", "//elsewhere.example/"])
def test_a_redirect_is_never_followed(answers, status, location):
    elsewhere = answers.get("https://elsewhere.example/", body="[0]")
    reply = answer(answers, "[0]", status=status, headers={"Location": location})
    assert reply.outcome is CallOutcome.MISCONFIGURED
    assert len(answers.calls) == 1
    assert elsewhere.call_count == 0


def test_retry_after_is_passed_on(answers):
    assert answer(answers, "", status=503, headers={"Retry-After": "120"}).retry_after == 120.0


def test_no_cookie_is_stored(answers):
    answers.get(URL, body="[0]", headers={"Set-Cookie": "canary=1; Path=/"})
    made = gateway()
    assert [made.send(SMS, ACCOUNT).outcome for _ in range(2)] == [CallOutcome.ACCEPTED] * 2
    assert list(made._session.cookies) == []
    assert not any("Cookie" in call.request.headers for call in answers.calls)


# Faults: by their stage, and without the address that they carry

FAULTS = [
    requests.ConnectionError,
    requests.ReadTimeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidURL,
    requests.exceptions.SSLError,
    requests.TooManyRedirects,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.LocationParseError,
    OSError,
    RuntimeError,
]


def carrying_the_address(fault):
    """As `requests` raises them: the whole URL in text and cause."""
    whole = fault(f"no answer from {URL}?{ROSA['query']}")
    whole.__cause__ = OSError(f"no connection to {URL}?{ROSA['query']}")
    return whole


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_after_the_connection_is_uncertain_and_reports_only_its_class(
    answers, caplog, capfd, fault
):
    caplog.set_level(logging.DEBUG)
    reply = answer(answers, carrying_the_address(fault))
    assert (reply.outcome, reply.fault) == (CallOutcome.UNCERTAIN, fault.__name__)
    assert sys.exception() is None  # nothing that a later log line could print along
    output = caplog.text + repr(reply) + "".join(capfd.readouterr())
    assert not [canary for canary in CANARIES if canary in output]
    assert len(answers.calls) == 1


def test_a_fault_before_the_connection_was_certainly_not_sent(answers):
    reply = answer(answers, NotConnected("NameResolutionError"))
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "NameResolutionError")


def test_what_cannot_be_encoded_is_not_requested(answers):
    reply = gateway().send(SMS, OpenvoipAccount("9999", "canary\ud800"))
    assert (reply.outcome, reply.fault) == (CallOutcome.MISCONFIGURED, "NotEncodable")
    assert len(answers.calls) == 0


# What it repeats


@pytest.mark.parametrize("status", [200, 302, 404, 500, 503])
@pytest.mark.parametrize("secret", ["verify", "secret"])
def test_an_answer_that_repeats_the_call_is_kept_without_what_signs_it(answers, status, secret):
    page = f"Not Found: {URL}?{ROSA['query']} ({ROSA[secret].upper()})"
    reply = answer(answers, page, status=status, headers={"Location": "/elsewhere"})
    assert ROSA[secret].casefold() not in reply.raw.casefold()
    assert reply.raw.startswith(f"Not Found: {URL}?archivia=1&id_call_gr=9999&sms_text=")
    assert "393331230001" in reply.raw


def test_an_answer_is_cut_after_it_was_redacted(answers):
    reply = answer(answers, "x" * 490 + ROSA["verify"] + "y" * 400, status=404)
    assert reply.raw == "x" * 490 + "[redacted]"


def test_a_reply_that_an_operator_confirmed_is_an_acceptance(answers):
    answers.get(URL, body=" Messaggio preso in carico\r\n")
    made = OpenvoipClient(
        URL,
        encode_destination_twice=False,
        connections=1,
        clock=lambda: NOW,
        accepted_replies=frozenset({"Messaggio preso in carico"}),
    )
    assert made.send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
    assert gateway().send(SMS, ACCOUNT).outcome is CallOutcome.UNCERTAIN
