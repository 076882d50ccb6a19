"""Every rule of verification, and the known mistakes of other implementations."""

import base64
from datetime import timedelta

import pytest

from openvoip_sms.webhooks.verify import REFUSALS, Refused, Verified, is_unset, verify
from tests.unit.webhooks.webhook_calls import (
    NOW,
    base64_hmac,
    call,
    hex_hmac,
    preset,
    source,
)

KEY = "a-secret-of-the-shop"
BODY = b'{"name":"#1001"}'
SECRETS = {"key": KEY}


def shopify_call(signature, body=BODY):
    return call(body, {"X-Shopify-Hmac-Sha256": signature})


def outcome(sender, request, secrets=None, now=NOW):
    outcome = verify(sender, request, SECRETS if secrets is None else secrets, now)
    return "ok" if isinstance(outcome, Verified) else outcome.reason


@pytest.fixture(scope="module")
def shopify():
    return preset("shopify")


def test_a_right_signature_is_accepted(shopify):
    assert outcome(shopify, shopify_call(base64_hmac(KEY, BODY))) == "ok"


def test_the_name_of_the_header_may_be_written_in_any_case(shopify):
    request = call(BODY, {"x-shopify-hmac-SHA256": base64_hmac(KEY, BODY)})
    assert outcome(shopify, request) == "ok"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (base64_hmac("other", BODY), "signature_wrong"),
        (base64_hmac(KEY, BODY + b" "), "signature_wrong"),
        (base64_hmac(KEY, BODY) + "\n", "signature_malformed"),
        (base64_hmac(KEY, BODY) + "=", "signature_malformed"),
        (base64_hmac(KEY, BODY) + " tail", "signature_malformed"),
        (base64_hmac(KEY, BODY).rstrip("="), "signature_malformed"),
        (" " + base64_hmac(KEY, BODY), "signature_malformed"),
        (f"{base64_hmac('other', BODY)},{base64_hmac(KEY, BODY)}", "signature_malformed"),
        (f"{base64_hmac('other', BODY)} {base64_hmac(KEY, BODY)}", "signature_malformed"),
        (base64_hmac(KEY, BODY)[:-2] + "é=", "signature_malformed"),
        ("\ud800", "signature_malformed"),
        ("====", "signature_malformed"),
        ("", "signature_missing"),
    ],
)
def test_anything_but_the_one_right_signature_is_refused(shopify, signature, reason):
    assert outcome(shopify, shopify_call(signature)) == reason


def test_hex_where_base64_is_expected_is_refused(shopify):
    assert outcome(shopify, shopify_call(hex_hmac(KEY, BODY))) != "ok"


def test_base64_with_other_spare_bits_is_refused(shopify):
    """The last character before `=` carries two bits that decode to nothing."""
    right = base64_hmac(KEY, BODY)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = right[:-2] + alphabet[alphabet.index(right[-2]) ^ 1] + "="
    assert base64.b64decode(twin) == base64.b64decode(right)
    assert outcome(shopify, shopify_call(twin)) == "signature_malformed"


def test_a_missing_or_repeated_header_is_refused(shopify):
    right = base64_hmac(KEY, BODY)
    assert outcome(shopify, call(BODY)) == "signature_missing"
    twice = call(BODY, [("X-Shopify-Hmac-Sha256", right), ("x-shopify-hmac-sha256", right)])
    assert outcome(shopify, twice) == "signature_repeated"


def test_a_signed_but_empty_body_is_refused(shopify):
    assert outcome(shopify, shopify_call(base64_hmac(KEY, b""), b"")) == "body_empty"


@pytest.mark.parametrize(
    "unset",
    [
        *[None, "", "  ", "<shopify>", "change-me", "SET-ME", "REPLACE_ME", "...", 7],
        *["whsec_xxx", "whsec_XXXXXXXXXXXXXXXX", "whsec_", "whsec_...", " SET-ME\n"],
        *["your-secret-here", "your_webhook_secret"],
    ],
)
def test_an_unset_secret_refuses_everything_and_says_so(shopify, unset):
    secrets = {} if unset is None else {"key": unset}
    signature = base64_hmac(unset if isinstance(unset, str) else "", BODY)
    outcome = verify(shopify, shopify_call(signature), secrets, NOW)
    assert outcome == Refused("secret_not_set")
    assert outcome.misconfigured
    assert outcome.detail


def test_a_wrong_signature_is_not_a_misconfiguration():
    assert not Refused("signature_wrong").misconfigured


@pytest.mark.parametrize("secret", ["shpss_0123", "todo list", "It's a Secret to Everybody", "x1"])
def test_a_real_secret_is_not_mistaken_for_a_placeholder(secret):
    assert not is_unset(secret)


def test_any_of_several_secrets_may_match_so_that_they_can_be_rotated():
    sender = source("preset: shopify\nsecrets: [new, old]\nto: p\nmessage: {text: a}")
    request = shopify_call(base64_hmac(KEY, BODY))
    assert outcome(sender, request, {"new": "newer", "old": KEY}) == "ok"
    assert outcome(sender, request, {"new": KEY, "old": "stale"}) == "ok"
    assert outcome(sender, request, {"new": KEY}) == "ok"
    assert outcome(sender, request, {"new": "", "old": KEY}) == "ok"
    assert outcome(sender, request, {"new": "a", "old": "b"}) == "signature_wrong"


def test_only_the_bytes_as_sent_verify_not_json_written_again(shopify):
    """Shopify writes `&` as an escape, WooCommerce slashes and accents."""
    raw = rb'{"title":"Pane \u0026 vino","url":"https:\/\/a.it","city":"Forl\u00ec"}'
    again = '{"title":"Pane & vino","url":"https://a.it","city":"Forlì"}'.encode()
    signature = base64_hmac(KEY, raw)
    assert outcome(shopify, shopify_call(signature, raw)) == "ok"
    assert outcome(shopify, shopify_call(signature, again)) == "signature_wrong"


def test_woocommerce_decodes_the_entities_of_its_secret_before_signing():
    sender = preset("woocommerce")
    signature = base64_hmac("a&b<c>\"d'e", BODY)
    request = call(BODY, {"X-WC-Webhook-Signature": signature})
    for stored in ("a&b<c>\"d'e", "a&amp;b&lt;c&gt;&quot;d&#039;e"):
        assert outcome(sender, request, {"key": stored}) == "ok"


def test_entities_are_decoded_only_once():
    request = call(BODY, {"X-WC-Webhook-Signature": base64_hmac("&lt;", BODY)})
    assert outcome(preset("woocommerce"), request, {"key": "&amp;lt;"}) == "ok"


def test_the_second_header_family_of_shopify_is_only_other_names():
    sender = source(
        "preset: shopify\nheader: shopify-hmac-sha256\ntopic: header:shopify-topic\n"
        "secrets: [key]\nto: phone\nmessage: {text: a}"
    )
    assert outcome(sender, call(BODY, {"shopify-hmac-sha256": base64_hmac(KEY, BODY)})) == "ok"


def test_sha512_in_hex_is_only_configuration():
    sender = source(
        "auth: hmac\nalgorithm: sha512\nencoding: hex\nheader: X-S\nsecrets: [key]\nto: p\n"
        "message: {text: a}"
    )
    signature = hex_hmac(KEY, BODY, "sha512")
    assert outcome(sender, call(BODY, {"X-S": signature})) == "ok"
    assert outcome(sender, call(BODY, {"X-S": signature.upper()})) == "ok"
    for wrong in (
        signature[:-1],
        signature + " ",
        f"0x{signature}",
        signature[:64] + " " + signature[64:],
    ):
        assert outcome(sender, call(BODY, {"X-S": wrong})) == "signature_malformed"


# --- prefixes and lists ---


def test_the_prefix_is_compulsory_and_literal():
    sender = preset("github")
    right = hex_hmac(KEY, BODY)
    assert outcome(sender, call(BODY, {"X-Hub-Signature-256": f"sha256={right}"})) == "ok"
    for wrong in (right, f"SHA256={right}", f"sha1={right}", f"sha256= {right}"):
        request = call(BODY, {"X-Hub-Signature-256": wrong})
        assert outcome(sender, request) == "signature_malformed"


def stripe_call(items, body=BODY):
    return call(body, {"Stripe-Signature": items})


def stripe_items(at=NOW, key=KEY):
    seconds = int(at.timestamp())
    return f"t={seconds}", f"v1={hex_hmac(key, f'{seconds}.'.encode() + BODY)}"


def test_any_item_of_a_list_may_match_and_other_schemes_are_skipped():
    stamp, right = stripe_items()
    _, wrong = stripe_items(key="other")
    sender = preset("stripe")
    for items in ((stamp, right), (stamp, wrong, right), (right, "v0=" + "0" * 64, stamp)):
        assert outcome(sender, stripe_call(",".join(items))) == "ok"
    assert outcome(sender, stripe_call(f"{stamp},{right.replace('v1=', 'v0=')}")) != "ok"


def test_a_stripe_secret_is_used_as_written_although_it_looks_like_base64():
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    stamp, right = stripe_items(key=secret)
    assert outcome(preset("stripe"), stripe_call(f"{stamp},{right}"), {"key": secret}) == "ok"


@pytest.mark.parametrize(
    "stamp",
    ["nan", "inf", "-1", "1e9", "", " 1", "1 ", "+1", "1.5", "0x10", "١٢٣", "1" * 17, "1\n", "t=1"],
)
def test_a_timestamp_is_digits_only(stamp):
    signature = hex_hmac(KEY, f"{stamp}.".encode() + BODY)
    reason = outcome(preset("stripe"), stripe_call(f"t={stamp},v1={signature}"))
    assert reason == "timestamp_malformed"


@pytest.mark.parametrize("items", [(), ("t={now}", "t={now}")])
def test_a_missing_or_repeated_timestamp_is_refused(items):
    now = int(NOW.timestamp())
    _, signature = stripe_items()
    request = stripe_call(",".join([*(item.format(now=now) for item in items), signature]))
    assert outcome(preset("stripe"), request) == "timestamp_missing"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "ok"),
        (-300, "ok"),
        (300, "ok"),
        (-301, "timestamp_outside_window"),
        (301, "timestamp_outside_window"),
    ],
)
def test_the_window_is_300_seconds_both_ways(seconds, expected):
    items = stripe_items(NOW + timedelta(seconds=seconds))
    assert outcome(preset("stripe"), stripe_call(",".join(items))) == expected


def test_milliseconds_where_seconds_are_expected_are_outside_the_window():
    stamp = str(int(NOW.timestamp() * 1000))
    signature = hex_hmac(KEY, f"{stamp}.".encode() + BODY)
    request = stripe_call(f"t={stamp},v1={signature}")
    assert outcome(preset("stripe"), request) == "timestamp_outside_window"


def test_the_tolerance_can_be_chosen():
    items = ",".join(stripe_items(NOW - timedelta(seconds=900)))
    assert outcome(preset("stripe", tolerance=1000), stripe_call(items)) == "ok"


def test_the_id_that_is_signed_must_be_there_exactly_once():
    sender = preset("standard-webhooks")
    secrets = {"key": base64.b64encode(b"k" * 24).decode()}
    stamp = str(int(NOW.timestamp()))
    headers = [
        ("webhook-timestamp", stamp),
        ("webhook-signature", "v1," + base64_hmac(b"k" * 24, f".{stamp}.".encode() + BODY)),
    ]
    for ids in ([], [("webhook-id", "")], [("webhook-id", "a"), ("webhook-id", "b")]):
        assert outcome(sender, call(BODY, [*headers, *ids]), secrets) == "id_missing"


def test_a_secret_that_should_be_base64_and_is_not_is_a_misconfiguration():
    sender = preset("standard-webhooks")
    headers = {"webhook-signature": "v1,AAAA", "webhook-id": "a", "webhook-timestamp": "1"}
    outcome = verify(sender, call(BODY, headers), {"key": "whsec_not base64!"}, NOW)
    assert outcome == Refused("secret_malformed")
    assert outcome.misconfigured


def test_the_signature_of_an_asymmetric_scheme_is_not_accepted():
    sender = preset("standard-webhooks")
    stamp = str(int(NOW.timestamp()))
    signed = f"a.{stamp}.".encode() + BODY
    headers = {
        "webhook-signature": "v1a," + base64_hmac(b"k" * 24, signed),
        "webhook-id": "a",
        "webhook-timestamp": stamp,
    }
    secrets = {"key": base64.b64encode(b"k" * 24).decode()}
    assert outcome(sender, call(BODY, headers), secrets) == "signature_malformed"


def test_hubspot_signs_the_address_as_it_knows_it_which_can_be_configured():
    stamp = str(int(NOW.timestamp() * 1000))
    known = "https://sms.example.it/v1/webhooks/hubspot?a=1"
    headers = {
        "X-HubSpot-Signature-v3": base64_hmac(KEY, f"POST{known}{BODY.decode()}{stamp}"),
        "X-HubSpot-Request-Timestamp": stamp,
    }
    elsewhere = call(BODY, headers, url="https://abc.execute-api.example/v1/webhooks/hubspot")
    assert outcome(preset("hubspot"), elsewhere) == "signature_wrong"
    assert outcome(preset("hubspot", url=known), elsewhere) == "ok"


def test_the_wpforms_form_setting_cannot_be_verified():
    """It posts fields and signs their JSON text: only the JSON setting can be used."""
    stamp = str(int(NOW.timestamp()))
    signature = hex_hmac(KEY, f'{stamp}.{{"a":"1"}}')
    headers = {"X-WPForms-Webhook-Signature": f"t={stamp},v={signature}"}
    assert outcome(preset("wpforms"), call(b"a=1", headers)) == "signature_wrong"
    assert outcome(preset("wpforms"), call(b'{"a":"1"}', headers)) == "ok"


# --- tokens ---


def test_a_token_in_a_header_must_be_the_secret():
    sender = preset("contact-form-7")
    assert outcome(sender, call(BODY, {"x-webhook-token": KEY})) == "ok"
    for wrong in (KEY + " ", KEY[:-1], KEY.upper(), "é", "\ud800"):
        assert outcome(sender, call(BODY, {"x-webhook-token": wrong})) == "token_wrong"
    assert outcome(sender, call(BODY)) == "signature_missing"
    twice = call(BODY, [("x-webhook-token", KEY), ("x-webhook-token", KEY)])
    assert outcome(sender, twice) == "signature_repeated"


def test_a_token_may_follow_a_scheme():
    sender = preset("make", header="Authorization", prefix="Bearer ")
    assert outcome(sender, call(BODY, {"Authorization": f"Bearer {KEY}"})) == "ok"
    assert outcome(sender, call(BODY, {"Authorization": KEY})) == "token_wrong"


def test_a_token_in_the_address_must_not_be_repeated():
    sender = preset("jotform")
    assert outcome(sender, call(BODY, query=[("token", KEY)])) == "ok"
    assert outcome(sender, call(BODY, query=[("Token", KEY)])) == "signature_missing"
    twice = call(BODY, query=[("token", KEY), ("token", "x")])
    assert outcome(sender, twice) == "signature_repeated"
    assert outcome(sender, call(BODY, {"token": KEY})) == "signature_missing"


def test_an_empty_token_never_matches_an_empty_secret():
    assert outcome(preset("jotform"), call(BODY, query=[("token", "")]), {"key": ""}) != "ok"


def test_neither_call_nor_outcome_prints_what_must_not_be_read(shopify):
    request = call(b"+393331231234", {"X-Shopify-Hmac-Sha256": "sig"}, query=[("token", "tok")])
    shown = (
        repr(request) + repr(verify(shopify, request, SECRETS, NOW)) + "".join(REFUSALS.values())
    )
    assert not any(secret in shown for secret in ("+39333", "sig'", "tok'", KEY))
