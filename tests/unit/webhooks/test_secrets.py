"""Secrets as people paste them, and whose fault it is that a call is not authentic."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.plan import Pinged, plan_without_secrets
from openvoip_sms.webhooks.verify import Refused, Verified, refused_by_form, usable_keys, verify
from tests.unit.webhooks.webhook_calls import NOW, base64_hmac, call, hex_hmac, preset

BEARER = preset("make", header="Authorization", prefix="Bearer ")
SECRET = "abc-segreto-1"
BODY = b'{"id": 1, "name": "#1", "phone": "333 1234567"}'


def around(secret):
    return [
        f"{secret}\n",
        f" {secret}",
        f"\t{secret}",
        f"{secret}\r\n",
        f"\u00a0{secret}\u200b",
        f"\ufeff{secret}",
        f'"{secret}"',
        f"'{secret}'",
        f' "{secret}"\n',
        f'" {secret} "',
        f"“{secret}”",
        f"„{secret}“",
        f"'\"{secret}\"'",
        f"{secret}\\n",
        f'"{secret}\\r\\n"',
        *(
            f"{mark}{secret}{mark}\n"
            for mark in "\u200c\u200d\u200e\u2060\u2066\u00ad\u202a\x00\x1b"
        ),
    ]


@pytest.mark.parametrize("pasted", around(SECRET))
@pytest.mark.parametrize("sender", ["shopify", "woocommerce"])
def test_what_pasting_leaves_around_a_secret_does_not_count(sender, pasted):
    known = preset(sender)
    request = call(BODY, {known.auth.place.name: base64_hmac(SECRET, BODY)})
    assert isinstance(verify(known, request, {"key": pasted}, NOW), Verified)


@pytest.mark.parametrize("pasted", around(SECRET))
def test_nor_around_a_token(pasted):
    form = preset("make")
    assert isinstance(
        verify(form, call(BODY, {"X-Webhook-Token": SECRET}), {"key": pasted}, NOW), Verified
    )
    wrong = call(BODY, {"X-Webhook-Token": SECRET + "x"})
    assert verify(form, wrong, {"key": pasted}, NOW) == Refused("token_wrong")


@pytest.mark.parametrize("pasted", around("whsec_" + base64.b64encode(b"k" * 24).decode()))
def test_nor_around_a_secret_in_base64(pasted):
    assert usable_keys(preset("svix").auth, {"key": pasted}) == [b"k" * 24]


@pytest.mark.parametrize("secret", ["{} {}", "whsec_ {}{}", " whsec_{}\r\n{}", '"whsec_{}\t{}"'])
def test_nor_inside_a_secret_in_base64(secret):
    half, rest = (
        base64.b64encode(b"k" * 24)[:20].decode(),
        base64.b64encode(b"k" * 24)[20:].decode(),
    )
    assert usable_keys(preset("svix").auth, {"key": secret.format(half, rest)}) == [b"k" * 24]


@pytest.mark.parametrize(
    "broken", ["whsec_", "whsec_ \n", '"whsec_"', "whsec_àb", "whsec_a", "***"]
)
def test_what_is_no_base64_is_malformed_or_not_set(broken):
    found = usable_keys(preset("svix").auth, {"key": broken})
    assert isinstance(found, Refused)
    assert found.misconfigured


@pytest.mark.parametrize("chosen", [*around(SECRET), "a b", " ' "])
def test_a_secret_that_was_chosen_with_blanks_or_quotes_still_fits(chosen):
    request = call(BODY, {"X-Shopify-Hmac-Sha256": base64_hmac(chosen, BODY)})
    assert isinstance(verify(preset("shopify"), request, {"key": chosen}, NOW), Verified)


@pytest.mark.parametrize("nothing", ["", " \n", '""', "''", '" "', '"SET-ME"', " <secret>\n"])
def test_nothing_in_quotes_is_no_secret(nothing):
    assert usable_keys(preset("shopify").auth, {"key": nothing}) == Refused("secret_not_set")


@given(st.text(st.sampled_from(" \n\"'ab"), max_size=6))
def test_no_secret_becomes_an_empty_key(secret):
    for sender in ("shopify", "make", "woocommerce", "svix"):
        keys = usable_keys(preset(sender).auth, {"key": secret})
        assert isinstance(keys, Refused) or all(keys)


# Calls that no secret could make authentic


@pytest.mark.parametrize(
    ("sender", "headers", "reason"),
    [
        ("shopify", {}, "signature_missing"),
        ("shopify", {"X-Shopify-Hmac-Sha256": ""}, "signature_missing"),
        ("shopify", {"X-Shopify-Hmac-Sha256": "x"}, "signature_malformed"),
        ("shopify", {"X-Shopify-Hmac-Sha256": "eA=="}, "signature_wrong"),
        ("github", {"X-Hub-Signature-256": "0" * 64}, "signature_malformed"),
        ("github", {"X-Hub-Signature-256": "sha256=00"}, "signature_wrong"),
        ("stripe", {"Stripe-Signature": "t=1,v1=" + "0" * 64}, "timestamp_outside_window"),
        ("stripe", {"Stripe-Signature": "v1=" + "0" * 64}, "timestamp_missing"),
        ("make", {}, "signature_missing"),
        ("jotform", {}, "signature_missing"),
        ("make", {"X-Webhook-Token": ""}, "signature_missing"),
        ("make", {"X-Webhook-Token": "  "}, "signature_missing"),
        (BEARER, {"Authorization": "Bearer "}, "signature_missing"),
        (BEARER, {"Authorization": "Bearer  "}, "signature_missing"),
        (BEARER, {"Authorization": "Basic YTpi"}, "token_wrong"),
        ("make", [("X-Webhook-Token", "a"), ("x-webhook-token", "b")], "signature_repeated"),
        ("shopify", [("X-Shopify-Hmac-Sha256", "a")] * 2, "signature_repeated"),
    ],
)
def test_a_strangers_call_is_refused_without_a_look_at_the_secrets(sender, headers, reason):
    request = call(BODY, headers)
    known = sender if isinstance(sender, Source) else preset(sender)
    assert refused_by_form(known, request, NOW) == Refused(reason)
    assert plan_without_secrets(known, request, NOW) == Refused(reason)
    assert not Refused(reason).misconfigured


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("shopify", {"X-Shopify-Hmac-Sha256": base64_hmac("any", BODY)}),
        ("github", {"X-Hub-Signature-256": "sha256=" + hex_hmac("any", BODY)}),
        ("make", {"X-Webhook-Token": "any"}),
    ],
)
def test_a_call_that_some_secret_could_make_authentic_is_not(sender, headers):
    request = call(BODY, headers)
    assert plan_without_secrets(preset(sender), request, NOW) is None
    assert verify(preset(sender), request, {}, NOW) == Refused("secret_not_set")


def test_a_ping_needs_no_secret():
    ping = call(b"webhook_id=7", {"Content-Type": "application/x-www-form-urlencoded"})
    assert plan_without_secrets(preset("woocommerce"), ping, NOW) == Pinged()


@given(st.sampled_from(["shopify", "stripe", "svix", "make", "github"]), st.binary(max_size=40))
def test_what_is_authentic_is_never_refused_by_its_form(sender, body):
    """The first look and the whole one agree."""
    known = preset(sender)
    for headers in ({}, {known.auth.place.name: "v1,AAAA"}, {known.auth.place.name: "t=1,v1=00"}):
        request = call(body, headers)
        refused = refused_by_form(known, request, NOW)
        if refused is not None:
            assert verify(known, request, {"key": "a2V5" * 8}, NOW) == refused
    later = NOW + timedelta(days=1)
    assert refused_by_form(known, call(body), later) == refused_by_form(known, call(body), NOW)
