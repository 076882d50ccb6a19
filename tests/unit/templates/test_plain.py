"""WordPress's backslashes and entities are undone, and nobody else's."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.templates.plain import plain, plain_values
from openvoip_sms.webhooks.config.schema import presets
from openvoip_sms.webhooks.plan import PlannedMessage, plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, json_call, preset

WORDPRESS = ["contact-form-7", "wpforms", "gravity-forms", "elementor", "woocommerce"]
TEXT = "Ciao {first_name(nome) || 'cliente'}, hai chiesto: {richiesta || ''}"
MESSAGE = {"text": TEXT}


def message_of(source, **body):
    [message] = plan_trusted(source, json_call({"telefono": "333 1234567"} | body), NOW).messages
    return message


def wordpress(name, **keys):
    return preset(name, to="telefono", messages={"default": MESSAGE}, **keys)


@pytest.mark.parametrize("name", WORDPRESS)
@pytest.mark.parametrize(
    ("nome", "richiesta", "sent"),
    [
        (r"D\'Angelo", r"l\'ordine \"grande\"", "Ciao D'Angelo, hai chiesto: l'ordine \"grande\""),
        (
            "D&#039;Angelo",
            "L&#8217;ordine &egrave; pronto &amp; pagato, 10&nbsp;&euro;",
            "Ciao D'Angelo, hai chiesto: L'ordine è pronto & pagato, 10 €",
        ),
        ("Rosa", r"C:\\Temp &lt;b&gt;", r"Ciao Rosa, hai chiesto: C:\Temp <b>"),
        ("Rosa", r"C:\Temp, AT&T", r"Ciao Rosa, hai chiesto: C:\Temp, AT&T"),
    ],
)
def test_presets_of_wordpress_send_what_was_typed(name, nome, richiesta, sent):
    message = message_of(wordpress(name), nome=nome, richiesta=richiesta)
    assert isinstance(message, PlannedMessage)
    assert smart(message.text).text == sent


@pytest.mark.parametrize("name", sorted(set(presets()) - {*WORDPRESS, "jotform", "hubspot"}))
def test_other_senders_backslashes_and_entities_stay(name):
    typed = r"C:\\Temp \'a\' &amp; &egrave;"
    assert message_of(wordpress(name), nome="Rosa", richiesta=typed).text.endswith(typed)


def test_any_source_can_say_that_its_values_are_wordpress_ones():
    typed = r"l&#8217;ordine e \"altro\""
    texts = [
        message_of(
            preset("make", to="telefono", message={"text": "{plain(richiesta)}"}), richiesta=typed
        ),
        message_of(
            preset("make", to="telefono", plain=True, message={"text": "{richiesta}"}),
            richiesta=typed,
        ),
    ]
    assert [message.text for message in texts] == ['l’ordine e "altro"'] * 2
    without = preset("elementor", to="telefono", plain=False, message={"text": "{richiesta}"})
    assert message_of(without, richiesta=typed).text == typed


def test_the_phone_the_condition_and_the_time_are_read_plain_too():
    source = preset(
        "contact-form-7",
        to="telefono",
        message={"text": "Ciao", "when": 'sede == `"L\'Aquila"`', "send_at": "quando"},
    )
    found = message_of(
        source,
        telefono="&#43;39&nbsp;333&nbsp;1234567",
        sede=r"L\'Aquila",
        quando="3&#47;12&#47;2026",
    )
    assert found.to == "+393331234567"
    assert found.send_at is not None


def test_undoing_them_changes_no_identity():
    """What was received before the sender's preset undid anything is still the same event."""
    for once in ("nome", "[nome, richiesta]"):
        ids = {
            message_of(
                wordpress("contact-form-7", plain=value, once=once),
                nome=r"D\'A",
                richiesta="&egrave;",
            ).id
            for value in (True, False)
        }
        assert len(ids) == 1
    ids = {
        message_of(wordpress("elementor", plain=value), nome=r"D\'A", richiesta="&egrave;").id
        for value in (True, False)
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\\server\share", r"\\server\share"),
        (r"C:\nuovo", r"C:\nuovo"),
        (r"D\\\'Angelo", "D'Angelo"),  # escaped twice
        (r"l\'uno dell'altro", "l'uno dell'altro"),
        (r"D\&#039;Angelo", "D'Angelo"),
        ("&amp;egrave;", "è"),
        ("&amp;#8217;", "’"),
        ("&amp;amp;", "&"),
        ("a &amp; b", "a & b"),
        ("a&b; c", "a&b; c"),
        ("https://x.it/?a=1&copy=2&amp;reg=3", "https://x.it/?a=1&copy=2&reg=3"),
        ("AT&T; R&D", "AT&T; R&D"),
        ("&#0;&#7;&#xD800;&#1114112;", "&#0;&#7;&#xD800;&#1114112;"),
        ("&#55357;&#56832; &#xd83d;&#xDE00;", "😀 😀"),
        ("&#56832;&#55357;&#50000;&#50000;", "&#56832;&#55357;썐썐"),
        ("Nicol&#65533; &#xFFFD;", "Nicol\ufffd \ufffd"),  # refused, as it was not UTF-8
        ("&#128;&#x20AC;&#X20ac;", "€€€"),
        ("&unknown; &#x; &#;", "&unknown; &#x; &#;"),
        ("uno<br />due<BR>tre", "uno\ndue\ntre"),
        ("", ""),
    ],
)
def test_only_what_wordpress_adds_is_undone(written, meant):
    assert plain(written) == meant


def test_json_in_a_field_keeps_its_quotes():
    data = {"json": '{"a": "&quot;x&quot;"}', "n": 1, "list": ["&amp;", None], "&amp;": True}
    assert plain_values(data) == data | {"list": ["&", None]}


def addslashes(text):
    for char in "\\'\"":
        text = text.replace(char, "\\" + char)
    return text


@given(st.text(alphabet="aè '\"&<>€.", max_size=80))
def test_what_was_escaped_comes_back_as_it_was(text):
    assert plain(addslashes(text)) == text
    assert plain(html.escape(text)) == text
    assert plain(html.escape(addslashes(text))) == text


@given(st.text(max_size=80))
def test_no_text_makes_it_fail_and_one_without_either_stays(text):
    result = plain(text)
    if not set(text) & set("\\&<"):
        assert result == text
