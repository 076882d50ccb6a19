"""A source file is used whole or not at all, and says everything that is wrong with it."""

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.webhooks.config.sources import Mistake, SourcesInvalid, load_sources
from tests.unit.webhooks.webhook_calls import preset, source


def mistakes(yaml, secrets=None):
    with pytest.raises(SourcesInvalid) as invalid:
        load_sources(textwrap.dedent(yaml).strip("\n"), "sources.yaml", secrets)
    return [str(mistake).removeprefix("sources.yaml:") for mistake in invalid.value.mistakes]


def test_all_mistakes_are_reported_at_once_with_line_key_and_proposal():
    assert mistakes(
        """
        shop:
          preset: shopfy
          secrets: [shop]
          to: ["phone["]
          message: {text: "Ciao {nome}"}
        form:
          preset: typeform
          secrets: [typform]
          too: phone
          to: []
          messages:
            form_response:
              text: "{eur(total)}"
              sender: www.sitoazienda.it
              delay: soon
              category: advert
              archive: "yes"
        """,
        ["shop", "typeform"],
    ) == [
        "2: shop.preset: no preset shopfy. Did you mean shopify?",
        "4: shop.to: bad expression: Invalid jmespath expression: Incomplete expression.",
        "8: form.secrets: no secret typform. Did you mean typeform?",
        "9: form.too: no such key. Did you mean to?",
        "10: form.to: must not be empty.",
        (
            "13: form.messages.form_response.text: bad text: {eur(total)}: no function eur()."
            " Did you mean euro()?"
        ),
        (
            "14: form.messages.form_response.sender: no sender that the networks show."
            " A sender's name has at most 11 characters, and networks would cut this one,"
            " which has 18: choose a shorter name."
        ),
        (
            "15: form.messages.form_response.delay: must be seconds or an ISO 8601 duration"
            " up to 365 days. For example PT15M or P2D."
        ),
        "16: form.messages.form_response.category: must be one of transactional, marketing.",
        "17: form.messages.form_response.archive: must be true or false. Write it without quotes.",
    ]


def test_a_mistake_prints_file_line_key_reason_and_proposal():
    mistake = Mistake("f.yaml", 3, "a.b", "no such key", "Did you mean c?")
    assert str(mistake) == "f.yaml:3: a.b: no such key. Did you mean c?"


GOOD = "preset: shopify\nsecrets: [a]\nto: phone\nmessage: {text: ciao}\n"
HMAC = "auth: hmac\nheader: X-S\nsecrets: [a]\nto: phone\nmessage: {text: ciao}\n"


@pytest.mark.parametrize(
    ("lines", "key", "part"),
    [
        (GOOD + "preset: stripe", "preset", "occurs twice"),
        (GOOD.replace("shopify", "[shopify, stripe]"), "preset", "must be one name"),
        (GOOD.replace("[a]", "[]"), "secrets", "must not be empty"),
        (GOOD.replace("secrets: [a]\n", ""), "x", "secrets is missing"),
        (GOOD.replace("[a]", "7"), "secrets", "must be text"),
        (GOOD.replace("to: phone\n", ""), "message", "to is missing"),
        (GOOD.replace("{text: ciao}", "{sender: Ditta}"), "message", "text is missing"),
        (GOOD.replace("{text: ciao}", "ciao"), "message", "must be keys with values"),
        (GOOD.replace("message: {text: ciao}", "messages: {}"), "messages", "must be keys"),
        (GOOD.replace("message: {text: ciao}", "messages: {a/b: []}"), "messages.a/b", "empty"),
        (GOOD + "messages: {default: {text: a}}", "x", "either message or messages"),
        (GOOD.replace("text: ciao", "text: '  '"), "message.text", "must not be empty"),
        (GOOD.replace("text: ciao", "text: '{'"), "message.text", "without its }"),
        (GOOD.replace("text: ciao", "text: 2026-12-03"), "message.text", "must be text"),
        (GOOD.replace("text: ciao", "text: ciao, to: 'a b'"), "message.to", "bad expression"),
        (GOOD.replace("text: ciao", "text: ciao, when: ''"), "message.when", "must not be empty"),
        (GOOD.replace("text: ciao", "text: ciao, delay: 1, send_at: a"), "message", "exclude"),
        (GOOD + "header: 'bad header'", "header", "no valid name"),
        (GOOD + "header: query:sig", "header", "signature is in a header"),
        (GOOD + "encoding: hexa", "encoding", "one of base64, hex"),
        (GOOD + "algorithm: md5", "algorithm", "one of sha256, sha512"),
        (GOOD + "signed: '{timestamp}'", "signed", "the body must be part"),
        (GOOD + "signed: '{timestamp}.{body}'", "signed", "timestamp does not say"),
        (GOOD + "signed: '{body}{nonce}'", "signed", "may contain only"),
        (GOOD + "signed: '{id}.{body}'", "signed", "id is not one header"),
        (GOOD + "timestamp: header:X-T", "timestamp", "not signed"),
        (GOOD + "timestamp: body:t", "timestamp", "must be header:NAME or item:PREFIX"),
        (GOOD + "tolerance: 60", "tolerance", "there is no timestamp"),
        (GOOD + "tolerance: 0", "tolerance", "from 1 to 86400"),
        (HMAC + "signed: '{timestamp}.{body}'\ntimestamp: item:t=", "timestamp", "separator"),
        (HMAC + "separator: ''", "separator", "must not be empty"),
        (GOOD + "id: nothing", "id", "must be header:NAME, body:PATH"),
        (GOOD + "id: timestamp", "id", "there is no timestamp"),
        (GOOD + "id: 'body:a['", "id", "bad expression"),
        (GOOD + "topic: 'body:a['", "topic", "bad expression"),
        (GOOD + "ping: pingdom", "ping", "one of woocommerce"),
        (GOOD + "url: sms.example.it", "url", "address as the sender has it"),
        (GOOD.replace("shopify", "jotform") + "encoding: hex", "encoding", "nothing to a token"),
        (
            GOOD.replace("shopify", "jotform").replace("message: {", "messages: {t: {") + "}",
            "messages",
            "topic does not say",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key(lines, key, part):
    found = mistakes("x:\n" + textwrap.indent(lines, "  "))
    wanted = "x" if key == "x" else f"x.{key}"
    assert any(f": {wanted}: " in line and part in line for line in found), found


@pytest.mark.parametrize(
    ("yaml", "part"),
    [
        ("", "1: (file): must be keys"),
        ("[]", "1: (file): must be keys"),
        ("x", "1: (file): must be keys"),
        ("a: b: c", "1: (file): mapping values are not allowed"),
        ("a: &a [*a]", "1: a: must be keys"),
        ("a: !!python/object/apply:os.system [ls]", "(file): could not determine a constructor"),
        ("7: {}", "the key 7 is no text"),
        ("a: 2026-13-45", "(file): "),
        ("Shop: {preset: shopify, secrets: a, to: b, message: {text: c}}", "1: Shop: a name is"),
        ("a/b: {preset: shopify, secrets: a, to: b, message: {text: c}}", "1: a/b: a name is"),
        ("a: {b: 1}\na: {c: 1}", "2: a: occurs twice"),
    ],
)
def test_a_file_that_is_not_of_sources_is_refused(yaml, part):
    assert any(part in line for line in mistakes(yaml)), mistakes(yaml)


def test_what_a_source_sets_overrides_its_preset():
    assert preset("shopify", header="X-Other").auth.place.name == "X-Other"
    assert preset("shopify").auth.place.name == "X-Shopify-Hmac-Sha256"


def test_another_kind_of_auth_drops_all_of_the_presets():
    form = preset("wpforms", auth="token", header="X-Webhook-Token")
    assert (form.auth.kind, form.auth.prefix, form.auth.timestamp) == ("token", "", None)
    assert form.id == ()


def test_a_message_overrides_what_its_source_sets_for_all():
    found = source(
        "preset: shopify\nsecrets: [a]\nto: phone\nsender: Negozio\ndelay: 60\nmessages:\n"
        "  orders/create: {text: a, sender: Altro, send_at: due}\n  orders/paid: {text: b}"
    )
    create, paid = found.messages["orders/create"][0], found.messages["orders/paid"][0]
    assert (create.sender, create.delay) == ("Altro", None)
    assert (paid.sender, paid.delay.seconds) == ("Negozio", 60)


def test_anchors_can_be_shared_between_sources():
    text = textwrap.dedent(
        """
        a: {preset: shopify, secrets: a, to: &to [phone, customer.phone], message: {text: a}}
        b: {preset: woocommerce, secrets: a, to: *to, message: {text: a}}
        """
    )
    found = load_sources(text, "f")
    assert found["a"].messages["default"][0].to == found["b"].messages["default"][0].to


VALUES = st.recursive(
    st.sampled_from(
        [
            "shopify",
            "hmac",
            "token",
            "header:A",
            "query:t",
            "body:a",
            "{body}",
            "t",
            1,
            True,
            None,
            "{",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                "preset auth secrets header id topic to text message messages once send_at signed"
                " timestamp separator each default x".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2))
def test_whatever_is_written_loads_or_is_a_list_of_mistakes(data):
    import yaml  # noqa: PLC0415 - only here

    try:
        load_sources(yaml.safe_dump(data), "f")
    except SourcesInvalid as invalid:
        assert invalid.mistakes  # noqa: PT017 - either is right


@given(st.text(max_size=80))
def test_no_text_makes_loading_raise_anything_else(text):
    try:
        load_sources(text, "f")
    except SourcesInvalid as invalid:
        assert invalid.mistakes  # noqa: PT017 - either is right
