"""Settings: read by name, typed, and a missing one is named."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openvoip_sms.wiring import settings
from openvoip_sms.wiring.settings import BadSetting, Environment

COMPLETE = {
    "DEFAULT_SENDER": "Bottega",
    "ARCHIVE_MESSAGES": "true",
    "MODE": "test",
    "TEST_RECIPIENTS": "",
    "ALLOWED_SENDERS": "",
    "AMBIGUOUS_OUTCOME": "hold",
    "MESSAGE_VALIDITY_HOURS": "24",
    "MAX_SEGMENTS": "4",
    "DAILY_SEGMENT_LIMIT": "1000",
    "SEGMENT_PRICE_EUR": "0.09",
    "STORE_TEXT": "true",
}


def policy(**values):
    return settings.policy(Environment(COMPLETE | values))


def test_the_templates_defaults_are_a_policy():
    read = policy()
    assert (read.default_sender, read.archive, read.live) == ("Bottega", True, False)
    assert (read.allowed_senders, read.test_recipients) == (frozenset(), frozenset())
    assert (read.resend_unknown, read.store_text) == (False, True)
    assert (read.validity, read.max_segments) == (timedelta(hours=24), 4)
    assert read.daily_segment_limit == 1000
    assert read.segment_price_eur == Decimal("0.09")


def test_every_setting_counts():
    read = policy(
        ARCHIVE_MESSAGES="false",
        MODE="live",
        TEST_RECIPIENTS="333 123 4567, +39 333 1234568 ,",
        ALLOWED_SENDERS=" Studio, Bottega ,*",
        AMBIGUOUS_OUTCOME="resend",
        MESSAGE_VALIDITY_HOURS="0.5",
        MAX_SEGMENTS="0",
        DAILY_SEGMENT_LIMIT="250",
        STORE_TEXT="false",
    )
    assert (read.archive, read.live) == (False, True)
    assert read.test_recipients == {"+393331234567", "+393331234568"}
    assert read.allowed_senders == {"Studio", "Bottega", "*"}
    assert (read.resend_unknown, read.store_text, read.max_segments) == (True, False, 0)
    assert read.validity == timedelta(minutes=30)
    assert read.daily_segment_limit == 250


@pytest.mark.parametrize("name", COMPLETE)
def test_a_missing_variable_is_named(name):
    incomplete = {key: value for key, value in COMPLETE.items() if key != name}
    with pytest.raises(BadSetting, match=f"^{name} is not set$"):
        settings.policy(Environment(incomplete))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_SENDER", ""),
        ("DEFAULT_SENDER", " "),
        ("DEFAULT_SENDER", "www.sitoazienda.it"),
        ("ARCHIVE_MESSAGES", "True"),
        ("ARCHIVE_MESSAGES", ""),
        ("MODE", "prod"),
        ("MODE", "LIVE"),
        ("TEST_RECIPIENTS", "06 1234567"),
        ("AMBIGUOUS_OUTCOME", ""),
        ("MESSAGE_VALIDITY_HOURS", "a day"),
        ("MESSAGE_VALIDITY_HOURS", "-1"),
        ("MESSAGE_VALIDITY_HOURS", "nan"),
        ("MAX_SEGMENTS", "inf"),
        ("MAX_SEGMENTS", "0.5"),
        ("SEGMENT_PRICE_EUR", "0,09"),
        ("SEGMENT_PRICE_EUR", "sNaN"),
        ("STORE_TEXT", "1"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(BadSetting, match=f"^{name}"):
        policy(**{name: value})


def test_a_bad_test_recipient_is_not_repeated():
    with pytest.raises(BadSetting) as refused:
        policy(TEST_RECIPIENTS="333 1234567, 06 7654321")
    assert "7654321" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.openvoip.it/sms_send_soa.php",
        "https://pannello.openvoip.it/sms_send_soa.php",
        "https://127.0.0.1:8443/x",
        "http://localhost:9999/sms_send_soa.php",
        "http://127.0.0.1:1/",
        "http://127.0.0.1",
        "http://host.docker.internal:8025/sms_send_soa.php",
    ],
)
def test_an_address_of_the_gateway_is_accepted(url):
    assert settings.gateway_url(Environment({"GATEWAY_URL": url})) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.openvoip.it",
        "http://www.openvoip.it/sms_send_soa.php",
        "http://localhost.example.com/",
        "http://localhost@example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1:80@example.com/",
        "HTTP://localhost/",
        "ftp://localhost/",
        "file:///etc/passwd",
        "https://www.openvoip.it/?verify=1",
        "https://www.openvoip.it/#x",
        "https://www.openvoip.it/a b",
        "https://www.openvoip.it/\nHost: x",
    ],
)
def test_plain_http_and_invalid_addresses_are_refused(url):
    with pytest.raises(BadSetting, match="GATEWAY_URL"):
        settings.gateway_url(Environment({"GATEWAY_URL": url}))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ""),
        ("https://api.bottega.example.it/", "https://api.bottega.example.it"),
        (" https://api.bottega.example.it/sms/ ", "https://api.bottega.example.it/sms"),
    ],
)
def test_the_public_address_has_no_slash_at_its_end(given, read):
    assert settings.public_url(Environment({"PUBLIC_URL": given})) == read


@pytest.mark.parametrize(
    "url", ["http://api.bottega.example.it", "bottega.example.it", "https://a/?b"]
)
def test_a_public_address_that_is_none_is_named(url):
    with pytest.raises(BadSetting, match=r"^PUBLIC_URL must be https"):
        settings.public_url(Environment({"PUBLIC_URL": url}))


def test_accepted_replies_are_read_whole():
    env = Environment({"ACCEPTED_REPLIES": " OK inviato; Messaggio accettato "})
    assert settings.accepted(env) == {"OK inviato", "Messaggio accettato"}
    assert settings.accepted(Environment({"ACCEPTED_REPLIES": ""})) == set()


@pytest.mark.parametrize("value", ["x", "ERR: 020", "Security error", "<p>OK</p>", "OK;"])
def test_an_accepted_reply_that_cannot_be_one_is_named(value):
    with pytest.raises(BadSetting, match=r"^ACCEPTED_REPLIES: reply \d "):
        settings.accepted(Environment({"ACCEPTED_REPLIES": value}))


def test_missing_accepted_replies_are_named():
    with pytest.raises(BadSetting, match=r"^ACCEPTED_REPLIES is not set$"):
        settings.accepted(Environment({}))


def test_retention_is_in_days():
    assert settings.retention(Environment({"RETENTION_DAYS": "90"})) == timedelta(days=90)
