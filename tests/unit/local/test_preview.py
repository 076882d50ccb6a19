"""Previewing a payload: every step and every reason is shown, nothing is sent."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local import check_sources
from local.check_sources import EXAMPLES
from local.deployed_stack import WEBHOOK_SECRETS
from local.gateway.sms_size import sms_size
from local.preview import CannotPreview, as_text, preview_call, sample_call
from local.preview.text_cost import cheaper_text, text_cost
from local.processes import ROOT
from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.config.sources import load_sources
from tests.unit.webhooks.webhook_calls import NOW, base64_hmac, preset, source

EVENT = "events/webhook_shopify_orders_fulfilled.json"
SHIPPED = (ROOT / check_sources.SOURCES).read_text("utf-8")
SHOP = load_sources(SHIPPED, "sources.yaml")["shopify"]
PRICE = Decimal("0.09")
SECRET = "local-secret"


def preview(of, body, headers="", topic="", *, secret=SECRET, now=NOW):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    secrets = dict.fromkeys(of.auth.secrets, secret)
    return preview_call(of, sample_call(of, raw, headers, topic), secrets, now)


def message(text, *, of="telefono", data=None, **keys):
    """The only message of a form that says `text`."""
    lines = "".join(f"\n{key}: {json.dumps(value)}" for key, value in keys.items())
    form = source(
        "auth: token\nsecrets: [key]\nheader: X-Token\n"
        f"to: {of}\nmessage:\n  text: {json.dumps(text, ensure_ascii=False)}{lines}"
    )
    shown = preview(form, {"telefono": "333 1234567"} if data is None else data)
    return shown.events[0].messages[0]


# Authentic or not


def test_an_event_file_contains_body_and_headers_and_gets_a_preview():
    shown = preview(SHOP, (ROOT / EVENT).read_bytes(), secret=WEBHOOK_SECRETS["shopify"])
    [event] = shown.events
    [sms] = event.messages
    assert (shown.authentic, shown.needed_headers, event.topic) == (True, (), "orders/fulfilled")
    assert (sms.verdict, sms.to, sms.found_at) == (
        "send",
        "+393331234567",
        "shipping_address.phone",
    )
    assert sms.final.text == (
        "Ciao Anna, il tuo ordine #1042 è in viaggio. https://corriere.example/t/CN0042"
    )
    assert (sms.final.encoding, sms.final.segments, sms.final.cost_eur) == ("GSM-7", 1, PRICE)
    assert [place.path for place in sms.lookups] == ["phone", "shipping_address.phone"]


PUBLISHED = {
    # Shopify's JavaScript library, tests
    "shopify": (
        "test_secret_key",
        b'{"foo": "bar"}',
        "X-Shopify-Hmac-Sha256: B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=",
    ),
    # GitHub's documentation
    "github": (
        "It's a Secret to Everybody",
        b"Hello, World!",
        (
            "X-Hub-Signature-256: "
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        ),
    ),
    # Standard Webhooks, tests
    "standard-webhooks": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        (
            "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
            "webhook-timestamp: 1614265330\n"
            "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        ),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_headers_that_a_call_would_need_are_those_that_senders_publish(name):
    secret, body, lines = PUBLISHED[name]
    now = datetime.fromtimestamp(1614265330, UTC)
    unsigned = lines.splitlines()[0] if name == "standard-webhooks" else ""
    shown = preview(preset(name), body, unsigned, secret=secret, now=now)
    assert shown.authentic is not True
    assert "\n".join(f"{header}: {value}" for header, value in shown.needed_headers) == lines
    assert preview(preset(name), body, lines, secret=secret, now=now).authentic is True


def test_stripe_itself_accepts_the_header_that_a_call_would_need():
    body = b'{"id": "evt_1", "type": "charge.succeeded"}'
    [(name, value)] = preview(preset("stripe"), body, secret="whsec_key", now=NOW).needed_headers
    assert name == "Stripe-Signature"
    assert stripe.WebhookSignature.verify_header(body.decode(), value, "whsec_key")


def test_a_token_is_the_secret_and_therefore_never_shown():
    form = preset("google-forms")
    shown = preview(form, {}, "X-Webhook-Token: other", secret="do-not-show")
    assert (shown.authentic, shown.why) == (False, "The token is not the secret.")
    assert shown.needed_headers == ()
    assert preview(form, {}, "X-Webhook-Token: do-not-show", secret="do-not-show").authentic
    assert "do-not-show" not in as_text(shown) + repr(shown)


def test_without_headers_nothing_is_checked_and_all_the_rest_is_shown():
    shown = preview(SHOP, {"phone": "333 1234567", "name": "#7"}, topic="orders/fulfilled")
    assert (shown.authentic, shown.why) == (None, "No headers given.")
    assert "not checked: No headers given." in as_text(shown)
    assert shown.events[0].messages[0].final.text == "Ciao cliente, il tuo ordine #7 è in viaggio."


def test_a_line_break_that_an_editor_added_is_detected():
    headers = "X-Shopify-Hmac-Sha256: B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="
    shown = preview(SHOP, b'{"foo": "bar"}\n', headers, secret="test_secret_key")
    assert shown.authentic is False
    assert "fits without the line break" in shown.why
    other = preview(SHOP, b'{"foo":"bar"}', headers, secret="test_secret_key")
    assert "not byte for byte what was sent" in other.why


def test_a_call_of_last_week_is_distinguished_from_a_forged_one():
    body, shop = {"id": "evt_1"}, preset("stripe")
    [(name, value)] = preview(shop, body).needed_headers
    late = NOW + timedelta(days=7)
    assert (
        "was authentic when it was signed" in preview(shop, body, f"{name}: {value}", now=late).why
    )
    forged = f"{name}: {value[:-4]}0000"
    assert "was authentic" not in preview(shop, body, forged, now=late).why


@pytest.mark.parametrize(
    ("headers", "secret", "sentence"),
    [
        ("X-Other: 1", "local-secret", "must be in header:X-Shopify-Hmac-Sha256"),
        ("X-Other: 1", "", "The source names shopify."),
        ("X-Shopify-Hmac-Sha256: ?", "local-secret", "another form than this sender's"),
    ],
)
def test_a_refusal_says_what_to_look_at(headers, secret, sentence):
    assert sentence in preview(SHOP, {}, headers, secret=secret).why


def test_the_ping_of_woocommerce_is_named():
    headers = "Content-Type: application/x-www-form-urlencoded"
    shown = preview(preset("woocommerce"), b"webhook_id=7", headers)
    assert (shown.authentic, shown.events) == (None, ())
    assert "answered 200" in shown.why


# Reading what a person pastes


def test_a_request_line_contains_the_token_of_the_address():
    headers = "> POST /v1/webhooks/elementor?token=local-secret HTTP/2\n> Host: sms.example.it\n"
    headers += "Content-Type: application/json"
    assert preview(preset("elementor"), {"phone": "333 1234567"}, headers).authentic is True


def test_a_request_line_alone_can_be_checked_and_the_form_is_still_recognized():
    shown = preview(preset("elementor"), b"phone=333+1234567", "POST /?token=local-secret HTTP/2")
    assert shown.authentic is True
    assert shown.events[0].messages[0].to == "+393331234567"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gravity-forms", b"phone=333+1234567&id=4\n"),
        (
            "jotform",
            (
                b'--x1\nContent-Disposition: form-data; name="rawRequest"\n\n{"a": 1}\n--x1\n'
                b'Content-Disposition: form-data; name="phone"\n\n333 1234567\n--x1--\n'
            ),
        ),
    ],
)
def test_without_headers_a_form_is_recognized_by_its_body(name, body):
    [event] = preview(preset(name), body).events
    assert event.messages[0].to == "+393331234567"


@pytest.mark.parametrize(
    ("of", "body", "headers", "topic", "sentence"),
    [
        (SHOP, b"{}", "no header", "", "not of the form `Name: value`"),
        (preset("tally"), b"{}", "", "FORM_RESPONSE", "it from body:eventType"),
        (preset("zapier"), b"{}", "", "lead", "x has none"),
        (SHOP, b" " * (1024 * 1024 + 1), "", "", "at most 1048576 bytes"),
        (SHOP, b'{"httpMethod": "POST", "body": ""}', "X-A: b", "", "headers of its own"),
        (SHOP, b'{"httpMethod": "POST", "body": [], "headers": 3}', "", "", "no event of API"),
    ],
)
def test_input_that_is_not_a_call_gets_a_sentence(of, body, headers, topic, sentence):
    with pytest.raises(CannotPreview, match=sentence):
        sample_call(of, body, headers, topic)


def test_a_body_that_cannot_be_read_says_why():
    shown = preview(SHOP, b"{")
    assert (shown.no_event, shown.events) == ("The body is not valid JSON.", ())
    assert "not valid JSON" in as_text(shown)


# Topic, number, text


def test_a_call_for_which_there_is_no_message_says_which_there_are():
    for topic in ("", "orders/paid"):
        [sms] = preview(SHOP, {}, topic=topic).events[0].messages
        assert (sms.verdict, sms.reason) == ("nothing", "other_topic")
        assert "The source has messages for: orders/fulfilled." in sms.because
        assert ("names no topic (header:X-Shopify-Topic)" in sms.because[0]) is (topic == "")


def test_every_place_without_a_mobile_says_why():
    data = {"a": None, "b": "059 123456", "c": ["", "+44 7700 900123"], "d": {"x": 1}}
    sms = message("Ciao", of=["a", "b", "c", "d", "e"], data=data)
    assert (sms.verdict, sms.reason) == ("nothing", "no_mobile")
    assert [(place.path, place.value) for place in sms.lookups] == [
        ("a", ""),
        ("b", "059 123456"),
        ("c", ""),
        ("c", "+44 7700 900123"),
        ("d", '{"x": 1}'),
        ("e", ""),
    ]
    details = [place.detail for place in sms.lookups]
    assert details[0] == "There is nothing."
    assert "landline" in details[1]
    assert "not Italian" in details[3]
    assert "neither text nor a whole number" in details[4]


def test_a_missing_value_names_its_field():
    sms = message("Ciao {nome}")
    assert (sms.verdict, sms.final) == ("reject", None)
    assert sms.because == ("nome is missing or empty, and the text has no default for it.",)
    assert sms.to == "+393331234567"


def test_a_condition_that_does_not_hold_is_shown():
    sms = message("Ciao", when="stato == 'pronto'")
    assert (sms.verdict, sms.because) == ("nothing", ("This is false: stato == 'pronto'",))


def test_the_moment_is_shown_in_the_time_of_rome():
    sms = message("Ciao", send_at="'2026-12-16T09:00'")
    assert sms.send_at.isoformat() == "2026-12-16T09:00:00+01:00"


def test_a_text_over_four_segments_is_rejected_and_still_measured():
    sms = message("a" * 613)  # four times 153 are 612
    assert (sms.verdict, sms.reason, sms.final.segments) == ("reject", "too_long", 5)
    assert "takes 5 segments, 4 are allowed" in sms.because[0]


def test_a_batch_shows_each_of_its_events():
    batch = [
        {"subscriptionType": "a", "phone": "333 1234567", "eventId": 1},
        {"subscriptionType": "b", "phone": "333 1234568", "eventId": 2},
    ]
    events = preview(preset("hubspot"), batch).events
    assert [(event.topic, event.messages[0].to) for event in events] == [
        ("a", "+393331234567"),
        ("b", "+393331234568"),
    ]
    assert "no event in it" in preview(preset("hubspot"), []).no_event


# What a text costs


def characters(of):
    return [(one.character, one.count, one.units, one.forces_ucs2) for one in of.characters]


def test_one_apostrophe_doubles_the_cost_until_smart_encoding_makes_it_straight():
    sms = message("a" * 100 + "’")  # 101 units of UCS-2 need two of 67; in GSM-7 up to 160 are one
    assert (sms.raw.encoding, sms.raw.segments, sms.raw.cost_eur) == (
        "UCS-2",
        2,
        2 * PRICE,
    )
    assert characters(sms.raw) == [("’", 1, 1, True)]
    assert sms.raw.characters[0].name == "U+2019 RIGHT SINGLE QUOTATION MARK"
    assert (sms.final.text, sms.final.segments, sms.final.cost_eur) == ("a" * 100 + "'", 1, PRICE)
    assert sms.cheaper is None


def test_what_smart_encoding_cannot_convert_is_left_out_of_the_cheaper_text():
    sms = message("“" + "a" * 100 + " 🎉🎉! È " + "tua”")  # 112 characters, two of them pairs
    assert (sms.final.encoding, sms.final.segments) == ("UCS-2", 2)
    assert characters(sms.final) == [
        ("“", 1, 1, True),
        ("🎉", 2, 2, True),
        ("È", 1, 1, True),
        ("”", 1, 1, True),
    ]
    assert sms.cheaper.text == '"' + "a" * 100 + "! E' tua\""
    assert (sms.cheaper.segments, sms.cheaper.cost_eur) == (1, PRICE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 158 + "[]", "a" * 158 + "()"),  # 162 septets, then 160
        ("a" * 157 + "[]🎉", "a" * 157 + "()"),  # 161 without the pair
        ("a" * 159 + "€", None),  # 161, and nothing shorter says euro
        ("a" * 130 + " https://e.example/~~~~~~~~~~", None),  # 169: a link is not touched
        ("a" * 60 + " Привет, Анна", None),  # a text without its letters says something else
        ("🎉", None),  # one segment is one segment
        ("🎉" * 40, None),  # nothing would be left
        ("a" * 69 + " 🎉\n🎉 b", "a" * 69 + "\nb"),
    ],
)
def test_a_cheaper_text_says_the_same_for_less(text, expected):
    assert cheaper_text(text) == expected


@given(st.text("ab €[]~è’È🎉é\u0301\u200dд\n", max_size=400))
def test_a_cheaper_text_is_cheaper_by_another_count_too(text):
    proposal = cheaper_text(text)
    if proposal is not None:
        assert sms_size(proposal).segments < sms_size(text).segments
        assert proposal.count("a") == text.count("a")


@given(st.text("ab €[]~è’È🎉\n", min_size=1, max_size=400))
def test_encoding_and_segments_agree_with_another_count(text):
    measured = text_cost(text, PRICE)
    assert (measured.encoding, measured.segments) == sms_size(text)
    assert measured.cost_eur == measured.segments * PRICE


# What is shown, and what is not


def test_neither_number_nor_text_nor_signature_is_in_a_repr():
    shown = preview(SHOP, {"phone": "333 1234567", "name": "#7"}, topic="orders/fulfilled")
    [(_, signature)] = shown.needed_headers
    for trace in ("1234567", "ordine", signature):
        assert trace in as_text(shown)
        assert trace not in repr(shown)


def test_terminal_control_characters_are_escaped():
    shown = preview(SHOP, {}, topic="orders\x1b[2J")
    assert "orders\\u001b[2J" in as_text(shown)


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(presets())),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["phone", "httpMethod", "body", "headers", "id"]), inner
            )
        ),
    ).map(lambda data: json.dumps(data).encode()),
    st.sampled_from(["", "X-Webhook-Token: local-secret", "POST /x?token=a HTTP/1.1\nHost: \x80"]),
)
def test_whatever_is_pasted_ends_in_a_preview_or_in_a_sentence(name, body, headers):
    with suppress(CannotPreview):
        assert as_text(preview(preset(name), body, headers, secret="bG9jYWw="))


def test_blanks_around_a_secret_are_named():
    body = b'{"id": 1, "name": "#1", "phone": "333 1234567"}'
    headers = f"X-Shopify-Hmac-Sha256: {base64_hmac('abc-1', body)}"
    for secret in ("abc-1\n", '"abc-1"'):
        shown = preview(SHOP, body, headers, secret=secret)
        assert shown.authentic
        assert "Around the secret shopify are blanks, a line break or quotes" in shown.why
    shown = preview(SHOP, body, headers, secret=" other ")
    assert not shown.authentic
    assert "Around the secret shopify" in shown.why
    assert "Around" not in preview(SHOP, body, headers, secret="abc-1").why


# The commands


def test_the_shipped_sources_have_no_mistake_and_their_secrets_are_listed(capsys):
    assert check_sources.main() == 0
    shown = capsys.readouterr().out
    assert "/webhooks/shopify: hmac, orders/fulfilled" in shown
    assert shown.rstrip().endswith("The webhook secret must hold: shopify")
    assert check_sources.main(EXAMPLES) == 0
    shown = capsys.readouterr().out
    assert shown.rstrip().endswith("must hold: modulo, scadenze, woocommerce")
    assert set(WEBHOOK_SECRETS) == {"modulo", "scadenze", "shopify", "woocommerce"}


def test_every_mistake_is_reported_with_its_line(tmp_path, capsys):
    file = tmp_path / "sources.yaml"
    file.write_text("shop:\n  preset: shopfy\n  secrets: [a]\n  too: x\n  message: {text: '{'}\n")
    assert check_sources.main(str(file)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{file}:2: shop.preset: no preset shopfy. Did you mean shopify?"
    assert [line.removeprefix(f"{file}:")[0] for line in lines] == ["2", "4", "5", "5"]


def test_a_missing_file_is_a_mistake(capsys):
    assert check_sources.main("none.yaml") == 1
    assert "none.yaml" in capsys.readouterr().err


def test_a_missing_secret_is_a_mistake_when_the_names_are_given(capsys):
    assert check_sources.main(EXAMPLES, "shopify, modulo, scadenze") == 1
    assert "no secret woocommerce" in capsys.readouterr().err
    assert check_sources.main(EXAMPLES, "shopify,modulo,scadenze,woocommerce") == 0


def command(*arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "local.try_source", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_needs_nothing_but_a_source_and_a_body():
    shown = command("shopify", EVENT)
    assert (shown.returncode, shown.stderr) == (0, "")
    for fact in ("yes: The signature fits", "+393331234567", "GSM-7, 1 segment, 0.09 EUR"):
        assert fact in shown.stdout
    assert WEBHOOK_SECRETS["shopify"] not in shown.stdout


def test_the_command_checks_with_another_secret_and_never_shows_it():
    shown = command("shopify", EVENT, SECRET="not-to-be-seen")
    assert "no: The signature does not fit" in shown.stdout
    assert "not-to-be-seen" not in shown.stdout + shown.stderr


def test_the_command_says_which_sources_there_are():
    shown = command("shop", EVENT)
    assert shown.returncode == 2
    assert shown.stderr.strip() == "There is no source 'shop'. There are: shopify."


def test_the_command_says_where_an_example_is_and_takes_it_when_told(tmp_path):
    body = tmp_path / "form.json"
    body.write_text('{"telefono": "333 1234567", "nome": "Anna"}')
    shown = command("modulo", str(body))
    assert shown.returncode == 2
    assert f"Copy modulo from {EXAMPLES}" in shown.stderr
    shown = command("modulo", str(body), "--sources", EXAMPLES)
    assert (shown.returncode, "Grazie Anna" in shown.stdout) == (0, True)
