"""Each preset against what its sender published, or against what its own library signs."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import stripe
import svix

from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.plan import plan_trusted
from openvoip_sms.webhooks.verify import Refused, Verified, verify
from tests.unit.webhooks.webhook_calls import NOW, call, preset, source

NAMES = (
    "shopify woocommerce typeform tally standard-webhooks svix stripe github hubspot wpforms"
    " jotform elementor gravity-forms contact-form-7 google-forms fillout make zapier"
).split()


def at(seconds):
    return datetime.fromtimestamp(seconds, UTC)


PUBLISHED = [
    pytest.param(  # Shopify's JavaScript library, tests
        "shopify",
        "test_secret_key",
        '{"foo": "bar"}',
        {"X-Shopify-Hmac-Sha256": "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="},
        NOW,
        id="shopify-js",
    ),
    pytest.param(  # Shopify's PHP library, tests
        "shopify",
        "7008c5f4da4718b9b45d26d3fcbbb157",
        '{"foo":"bar"}',
        {"X-Shopify-Hmac-Sha256": "+R9TwYM4mbLTk3hEAOBkpA7zW2lc9vNFmVKs2u2jtyY="},
        NOW,
        id="shopify-php",
    ),
    pytest.param(  # Shopify's Rails engine, tests: the current secret
        "shopify",
        "secret",
        "foo=anything",
        {"X-Shopify-Hmac-Sha256": "yCGX/RrK4fcuNtr3ztk5tQGsOBjcAzHpGLdMUrbV8yI="},
        NOW,
        id="shopify-rails",
    ),
    pytest.param(  # the same, the former secret
        "shopify",
        "old_secret",
        "foo=anything",
        {"X-Shopify-Hmac-Sha256": "XqRcjrSv57VACn6apEO9znyu/wkN1VC7QxdSPwK3Hzs="},
        NOW,
        id="shopify-rails-old",
    ),
    pytest.param(  # WooCommerce's REST documentation
        "woocommerce",
        "my-super-secret-private-key",
        '{"action":"woocommerce_add_to_cart","arg":"7cbbc409ec990f19c78c75bd1e06f215"}',
        {"X-WC-Webhook-Signature": "geC1akFhCtsO7fbXz5XiGUsMsRa4Mt0IJsZ96nTaHjI="},
        NOW,
        id="woocommerce-docs",
    ),
    pytest.param(  # Standard Webhooks, specification
        "standard-webhooks",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        '{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        at(1614265330),
        id="standard-webhooks-spec",
    ),
    pytest.param(  # Svix, documentation
        "svix",
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        '{"event_type":"ping","data":{"success":true}}',
        {
            "svix-id": "msg_loFOjxBNrRLzqYUf",
            "svix-timestamp": "1731705121",
            "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        },
        at(1731705121),
        id="svix-docs",
    ),
    pytest.param(  # GitHub, documentation
        "github",
        "It's a Secret to Everybody",
        "Hello, World!",
        {
            "X-Hub-Signature-256": "sha256="
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        },
        NOW,
        id="github-docs",
    ),
    pytest.param(  # Octokit, tests
        "github",
        "mysecret",
        '{"foo":"bar"}',
        {
            "X-Hub-Signature-256": "sha256="
            "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3"
        },
        NOW,
        id="octokit",
    ),
    pytest.param(  # HubSpot's client libraries, tests of v3
        "hubspot",
        "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
        "{'example_field':'example_value'}",
        {
            "X-HubSpot-Signature-v3": "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=",
            "X-HubSpot-Request-Timestamp": "15000000",
        },
        at(15000),
        id="hubspot-v3",
    ),
]


@pytest.mark.parametrize(("name", "secret", "body", "headers", "now"), PUBLISHED)
def test_the_published_answer_verifies_and_nothing_near_it(name, secret, body, headers, now):
    sender = preset(name)
    url = "https://www.example.com/webhook_uri"
    right = call(body.encode(), headers, url=url)
    assert isinstance(verify(sender, right, {"key": secret}, now), Verified)
    changed = call(body.encode() + b" ", headers, url=url)
    assert verify(sender, changed, {"key": secret}, now) == Refused("signature_wrong")
    other_key = base64.b64encode(b"other key").decode()
    assert verify(sender, right, {"key": other_key}, now) == Refused("signature_wrong")


def test_slack_the_model_of_timestamped_schemes_is_only_configuration():
    """Slack's documentation; the body is its published example."""
    sender = source(
        'auth: hmac\nheader: X-Slack-Signature\nprefix: "v0="\nencoding: hex\n'
        'signed: "v0:{timestamp}:{body}"\ntimestamp: header:X-Slack-Request-Timestamp\n'
        "secrets: [key]\nto: p\nmessage: {text: a}"
    )
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        "&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        "%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": "1531420618"}
    secrets = {"key": "8f742231b10e8888abcd99yyyzzz85a5"}
    outcome = verify(sender, call(body.encode(), headers), secrets, at(1531420618))
    assert isinstance(outcome, Verified)


def test_what_the_stripe_library_signs_verifies():
    payload, secret, stamp = '{"id":"evt_1"}', "whsec_test_secret", int(NOW.timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{stamp}.{payload}", secret)
    header = f"t={stamp},v1={signature}"
    assert stripe.WebhookSignature.verify_header(payload, header, secret)
    request = call(payload.encode(), {"Stripe-Signature": header})
    assert isinstance(verify(preset("stripe"), request, {"key": secret}, NOW), Verified)


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "c2VjcmV0LWtleQ=="])
def test_what_the_standard_webhooks_library_signs_verifies(secret):
    body = '{"type":"order.paid"}'
    signature = standardwebhooks.Webhook(secret).sign("msg_1", NOW, body)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": f"v1,AAAA {signature}",
    }
    sender, request = preset("standard-webhooks"), call(body.encode(), headers)
    assert isinstance(verify(sender, request, {"key": secret}, NOW), Verified)
    assert isinstance(verify(sender, request, {"key": secret.rstrip("=")}, NOW), Verified)
    late = NOW + timedelta(seconds=301)
    assert verify(sender, request, {"key": secret}, late) == Refused("timestamp_outside_window")


def test_what_the_svix_library_signs_verifies():
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"type":"ping"}'
    headers = {
        "svix-id": "msg_1",
        "svix-timestamp": str(int(NOW.timestamp())),
        "svix-signature": svix.Webhook(secret).sign("msg_1", NOW, body),
    }
    outcome = verify(preset("svix"), call(body.encode(), headers), {"key": secret}, NOW)
    assert isinstance(outcome, Verified)


@pytest.mark.parametrize(
    ("name", "header", "prefix"),
    [("typeform", "Typeform-Signature", "sha256="), ("tally", "Tally-Signature", "")],
)
def test_the_documented_construction_of_form_services_verifies(name, header, prefix):
    body = b'{"eventId":"1"}'
    signature = base64.b64encode(hmac.digest(b"a secret", body, "sha256")).decode()
    request = call(body, {header: prefix + signature})
    assert isinstance(verify(preset(name), request, {"key": "a secret"}, NOW), Verified)


def test_every_sender_has_its_preset():
    assert sorted(presets()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_with_a_preset_a_source_needs_secret_number_and_text_only(name):
    assert preset(name).messages["default"][0].text.pieces == ("ciao",)


@pytest.mark.parametrize("name", NAMES)
def test_no_preset_accepts_an_unsigned_call(name):
    outcome = verify(preset(name), call(b"{}"), {"key": "a secret c2VjcmV0"}, NOW)
    assert isinstance(outcome, Refused)


SIGN_JSON = (
    "shopify woocommerce stripe github hubspot standard-webhooks svix typeform tally wpforms"
)


@pytest.mark.parametrize("name", SIGN_JSON.split())
def test_signed_json_is_never_read_as_a_form(name):
    """The content type is not signed: a remark in an order must not become its phone number."""
    body = b'{"phone": "333 1231234", "remark": "&phone=3401231234&id=9&x="}'
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    [message] = plan_trusted(preset(name), call(body, form), NOW).messages
    assert message.to == "+393331231234"
