"""What the gateway echoes is kept without the signature and the secret, in whatever writing."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.openvoip.redaction import MARK, redact
from tests.function_calls import count_calls
from tests.gateway_call import ROSA

SIGNATURE, SECRET = ROSA["verify"], "S3greto&co <1>"
URL = f"https://gateway.example/sms_send_soa.php?{ROSA['query']}"
NUMBER = "39" + ROSA["sms_destination"].removeprefix("+39")


def percent(text):
    return "".join(f"%{ord(char):02x}" for char in text)


def entities(text, form="&#{};"):
    return "".join(form.format(ord(char)) for char in text)


def split(text, by, every=8):
    return by.join(text[n : n + every] for n in range(0, len(text), every))


WRITINGS = {
    "plain": str,
    "upper case": str.upper,
    "mixed case": lambda s: "".join(c.upper() if n % 2 else c for n, c in enumerate(s)),
    "percent-encoded": percent,
    "percent-encoded in upper case": lambda s: percent(s).upper(),
    "percent-encoded twice": lambda s: percent(s).replace("%", "%25"),
    "percent-encoded four times": lambda s: percent(s).replace("%", "%25252525"),
    "partly percent-encoded": lambda s: percent(s[:5]) + s[5:20] + percent(s[20:]),
    "decimal entities": entities,
    "decimal entities without semicolon": lambda s: entities(s, "&#{}"),
    "padded entities": lambda s: entities(s, "&#00{};"),
    "hexadecimal entities": lambda s: entities(s, "&#x{:x};"),
    "hexadecimal entities in upper case": lambda s: entities(s, "&#X{:X};"),
    "escaped entities": lambda s: html.escape(entities(s)),
    "JSON escapes": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "JavaScript escapes": lambda s: "".join(f"\\x{ord(c):02x}" for c in s),
    "split by tags": lambda s: split(s, "</b><b>"),
    "each character in a tag": lambda s: split(s, "</i><i class='x'>", 1),
    "split by escaped tags": lambda s: split(s, "&lt;wbr&gt;"),
    "split by a comment": lambda s: split(s, "<!-- here -->"),
    "split by line breaks": lambda s: split(s, "\r\n"),
    "split by escaped line breaks": lambda s: split(s, "%0D%0A"),
    "quoted-printable": lambda s: split(s, "=\r\n"),
    "split by soft hyphens": lambda s: split(s, "\u00ad", 4),
    "split by named soft hyphens": lambda s: split(s, "&shy;", 4),
    "split by zero-width spaces": lambda s: split(s, "&#8203;", 4),
    "split by backslashes and breaks": lambda s: split(s, "\\n", 8),
    "split by spaces": lambda s: split(s, " ", 4),
    "UTF-16 read as UTF-8": "\x00".join,
    "full-width": lambda s: "".join(chr(ord(c) + 0xFEE0) for c in s),
}
PAGES = {
    "alone": "{}",
    "the URL": URL.replace(SIGNATURE, "{}"),
    "a path": "The requested URL /sms_send_soa.php?sms_text=Ciao&verify={} was not found.",
    "an attribute": '<html><a href="?sms_text=a%20b&amp;verify={}">again</a></html>',
    "print_r": "Array\n(\n [sms_sender] => Bottega\n [verify] => {}\n)\n",
    "JSON": '{{"sms_text": "Ciao", "verify": "{}"}}',
    "a table": "<tr><td>verify</td><td>{}</td></tr>",
    "unnamed": "signature {} does not match",
}


def leaves_nothing(kept, signature=SIGNATURE):
    """No eight characters of the signature in a row, in any writing that this test can undo."""
    for _ in range(5):
        kept = html.unescape(kept)
    bare = "".join(c for c in kept.casefold() if c.isascii() and c.isalnum())
    return not [n for n in range(25) if signature[n : n + 8] in bare]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
def test_a_signature_is_redacted_in_every_writing(write, page):
    written = write(SIGNATURE)
    kept = redact(
        page.replace("{}", written).replace("{{", "{").replace("}}", "}"), SIGNATURE, SECRET
    )
    assert MARK in kept
    assert written not in kept
    assert leaves_nothing(kept)


@pytest.mark.parametrize(
    "encode", [str, quote, quote_plus, html.escape, json.dumps, lambda u: quote(quote(u))]
)
def test_the_called_address_keeps_what_is_not_secret(encode):
    kept = redact(encode(URL), SIGNATURE, SECRET)
    assert NUMBER in kept
    assert "verify" in kept
    assert SIGNATURE not in kept


@pytest.mark.parametrize("length", [8, 12, 31])
def test_a_part_of_a_signature_is_redacted_too(length):
    for part in (SIGNATURE[:length], SIGNATURE[-length:]):
        assert redact(f"…&x={part}", SIGNATURE, SECRET) == f"…&x={MARK}"


def test_a_signature_that_is_not_ours_is_redacted_by_its_name_and_by_its_form():
    other, inner = "0123456789abcdef" * 2, "0123456789abcdef0123456789abcdef01234567"
    for text in (
        f"verify={other}",
        f"verify={other[:20]}",
        f"VERIFY: {percent(other)}",
        f"expected {other}",
        f"sha1 {inner}, md5 {other.upper()}",
    ):
        kept = redact(text, SIGNATURE, SECRET)
        assert MARK in kept
        assert "89abcdef" not in kept.casefold()
        assert percent(other) not in kept


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.upper,
        quote,
        quote_plus,
        percent,
        html.escape,
        entities,
        json.dumps,
        lambda s: quote(quote(s)),
        lambda s: html.escape(html.escape(s)),
        lambda s: split(s, "\n", 4),
        lambda s: split(s, "<br>", 4),
    ],
)
@pytest.mark.parametrize("secret", [SECRET, "local-secret", "èàù", "8f3a", "p w", "1234567890"])
def test_the_secret_is_redacted_in_every_writing(write, secret):
    kept = redact(f"md5 of {write(secret)}!", SIGNATURE, secret)
    assert MARK in kept
    assert secret not in kept
    assert write(secret) not in kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[0]",
        "ERR: 000 Messaggio Inoltrato Correttamente",
        '{"exit_status":"-1","exit_string":"Security error"}',
        "<html><body><h1>Not Found</h1></body></html>",
        "Il numero +393331234567 non va: 'Ciao, il tuo ordine è pronto'",
        "please verify the destination",
        "verify=",
        "verify failed",
        "0" * 500,
        "id 550e8400-e29b-41d4-a716",
        "%",
        "%%%",
        "&#",
        "&#;",
        "&#99999999999;",
        "\\u12",
        "<",
        "<<<>>>",
        "&amp;amp;amp;",
        "\ud800",
    ],
)
def test_what_holds_no_secret_is_kept_as_it_is(text):
    assert redact(text, SIGNATURE, SECRET) == text


def test_an_empty_secret_redacts_nothing():
    assert redact("abc", "", "") == "abc"


@given(
    st.text(max_size=30),
    st.sampled_from(sorted(WRITINGS)),
    st.text(max_size=30),
)
def test_whatever_stands_around_it_nothing_of_a_signature_is_left(before, writing, after):
    kept = redact(before + WRITINGS[writing](SIGNATURE) + after, SIGNATURE, SECRET)
    assert leaves_nothing(kept)
    assert WRITINGS[writing](SIGNATURE) not in kept


@given(st.text(st.sampled_from("<>&#x;%2561\\u0 =abcdef\n"), max_size=200))
def test_no_reply_makes_the_redaction_fail(text):
    assert isinstance(redact(text, SIGNATURE, SECRET), str)


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


IN_BASE64 = {
    "alone": base64_of,
    "one later": lambda u: base64_of("x" + u),
    "two later": lambda u: base64_of("xx" + u),
    "for URLs": lambda u: base64.urlsafe_b64encode(u.encode()).decode().rstrip("="),
    "in lines": lambda u: split(base64_of(u), "\r\n", 76),
    "split by tags": lambda u: split(base64_of(u), "<wbr>", 20),
    "percent-encoded": lambda u: quote(base64_of(u), safe=""),
    "in JSON": lambda u: json.dumps({"u": base64_of(u)}).replace("/", "\\/"),
    "twice": lambda u: base64_of(base64_of(u)),
    "of the signature": lambda _: base64_of(SIGNATURE),
    "of capitals": lambda u: base64_of(u.upper()),
    "of percent-encoded": lambda u: base64_of(quote(u, safe="")),
    "of all percent-encoded": lambda u: base64_of(percent(u)),
    "of entities": lambda u: base64_of(entities(u)),
    "of JSON": lambda u: base64_of(json.dumps({"url": u})),
}


@pytest.mark.parametrize("write", IN_BASE64.values(), ids=IN_BASE64)
@pytest.mark.parametrize("before", ["", "Pagina ", "aaa", "<p>non trovata: "])
def test_base64_of_the_address_is_redacted_in_every_writing(write, before):
    kept = redact(f"{before}{write(URL)} end", SIGNATURE, SECRET)
    assert MARK in kept
    assert kept.startswith(before)
    assert kept.endswith(" end")
    assert redact(kept, SIGNATURE, SECRET) == kept
    assert write(URL)[-24:-4] not in kept


@pytest.mark.parametrize("secret", [SECRET, "local-secret", "èàùòì", "8f3a"])
def test_base64_of_the_secret_is_redacted(secret):
    written = base64_of(f"la chiave è ben segreta: {secret}!")
    kept = redact(f"key {written} end", SIGNATURE, secret)
    assert MARK in kept
    assert written[-8:] not in kept


def test_the_work_for_a_reply_of_many_layers_is_bounded():
    nested = URL
    while len(nested) < 8000:
        nested = base64_of(nested)
    short = count_calls(lambda: redact(nested[:1000], SIGNATURE, SECRET))
    assert count_calls(lambda: redact(nested[:8000], SIGNATURE, SECRET)) < 20 * short
