"""Names as people and devices write them, and what is no name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.rules.text import InvalidText, check_text
from openvoip_sms.templates.expressions import compile_expression
from openvoip_sms.templates.names import first_name, title
from tests.function_calls import count_calls


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Nicolo\u0300", "Nicolò"),
        ("Jose\u0301 Mari\u0301a", "José"),
        ("NICOLO\u0300", "Nicolò"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        # invisible characters that a keyboard or a clipboard adds
        ("An\u200bna", "Anna"),
        ("\ufeffAnna", "Anna"),
        ("\u200eAnna\u200f", "Anna"),
        ("A\u00adnna", "Anna"),
        ("An\u200dna", "Anna"),
        ("\u2060Anna\ufe0f", "Anna"),
        ("Anna\u00a0Rossi", "Anna"),
        # apostrophes
        *((f"D{apostrophe}Angelo", "D'Angelo") for apostrophe in "'’‘‛ʼʻ´`′＇ʹˈˊˋ"),
        ("NICOLO`", "Nicolo'"),
        ("Nicolo´ Rossi", "Nicolo'"),
        ("D''Angelo", "D'Angelo"),
        ("D' Angelo", "D'Angelo"),
        ("dell’ acqua", "Dell'Acqua"),
        (r"D\'Angelo", "D'Angelo"),
        ("D&#039;Angelo", "D'Angelo"),
        ("D&rsquo;Angelo", "D'Angelo"),
        ("Nicol&ograve;", "Nicolò"),
        ("'Abd al-Rahman", "'Abd"),
        # hyphens
        *((f"Maria{hyphen}Grazia", "Maria-Grazia") for hyphen in "-‐‑‒–—−－"),
        # scripts with vowel signs and points
        ("प्रिया शर्मा", "प्रिया"),
        ("ศรีสุดา ใจดี", "ศรีสุดา"),
        ("น้ำฝน", "น้ำฝน"),
        ("مُحَمَّد علي", "مُحَمَّد"),
        ("דָּוִד כהן", "דָּוִד"),
        ("ג׳ורג׳", "ג׳ורג׳"),
        ("ශ්\u200dරී", "ශ්\u200dරී"),
        ("தமிழ்", "தமிழ்"),
        ("Ольга", "Ольга"),
        ("李娜", "李娜"),
        # initials
        ("J.R. Rossi", "J.R."),
        ("j.r. rossi", "J.R."),
        ("J. R. Rossi", "J.R."),
        ("J.-P. Sartre", "J.-P."),
        ("M.Grazia Rossi", "M. Grazia"),
        ("M. Grazia Rossi", "M. Grazia"),
        ("M. Rossi", "M"),
        # what is around a name
        ("🌸Anna🌸", "Anna"),
        ("❤️ Anna", "Anna"),
        ("Anna👍🏽", "Anna"),
        ('"Anna"', "Anna"),
        ("'Anna'", "Anna"),
        ("(Anna)", "Anna"),
        ("«Anna»", "Anna"),
        ("- Anna", "Anna"),
        ("Rossi,Mario", "Rossi"),
        ("Sig.Rossi", "Rossi"),
        ("Sig.ra D`Angelo", "D'Angelo"),
        ("Sig.na Bianchi", "Bianchi"),
        ("dr.ssa Bianchi", "Bianchi"),
        ("Dr.ssa.Bianchi", "Bianchi"),
        ("Egr. Sig. Rossi", "Rossi"),
        ("Mrs. Smith", "Smith"),
        # letters of other widths and weights
        ("Ａｎｎａ", "Anna"),
        ("𝓐𝓷𝓷𝓪", "Anna"),
        ("ﬁlippo", "Filippo"),
        ("Gal·la", "Gal·la"),
        ("İSMAİL", "İsmail"),
    ],
)
def test_a_first_name_is_found_however_it_is_written(written, name):
    assert first_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "https://evil.example",
        "evil.example",
        "www.evil.example",
        "bit.ly/vinci",
        "t.me",
        "m.shop",
        "ing.com",
        "dr.shop",
        "evil․com",
        "ｅｖｉｌ．ｃｏｍ",
        "evil。com",
        "x@y.it",
        "Vinci: chiama",
        "Vinci!",
        "<b>Anna</b>",
        "&lt;b&gt;Anna",
        "Anna123",
        "anna_rossi",
        "3331231234",
        "٣٣٣",
        "{name}",
        "A" + "\u0316" * 5,
        "x" * 31,
        "प" * 31,
        "\u0301",
        "🌸",
        "'",
        "-",
        "...",
        "",
        None,
        12,
    ],
)
def test_a_link_or_another_text_is_no_name(written):
    assert first_name(written) is None


@pytest.mark.parametrize(
    "written",
    ["Nicol\ufffd", "Nicol\ufffd Rossi", "Nic\ufffdla", "\ufffdngela", "\ufffd", "Nicol&#65533;"],
)
def test_a_name_that_was_not_utf_8_makes_its_text_refused(written):
    with pytest.raises(InvalidText, match="UTF-8"):
        check_text(f"Ciao {first_name(written) or 'cliente'}!")
    assert first_name(f"Anna {written}") == "Anna"


NAMES = [
    "Nicolò",
    "José",
    "D'Angelo",
    "Maria-Grazia",
    "Dell'Acqua-Però",
    "Nguyễn",
    "Zoë",
    "Giulia",
    "प्रिया",
    "מִרְיָם",
    "مُحَمَّد",
]
INVISIBLE = st.sampled_from("\u200b\u200e\u200f\u00ad\ufeff\u2060")
APOSTROPHES = st.sampled_from("'’‘ʼ´`′＇")
HYPHENS = st.sampled_from("-‐‑–−")


@st.composite
def written(draw, name):
    """A name as some device writes it."""
    text = name.replace("'", draw(APOSTROPHES)).replace("-", draw(HYPHENS))
    text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), text)
    text = draw(st.sampled_from([str, str.upper, str.lower]))(text)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(INVISIBLE) + text[at:]
    return draw(
        st.sampled_from(["{}", " {}  Rossi", "Sig. {}", "{}, Rossi", "dott.ssa {}"])
    ).format(text)


@given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), written(name))))
def test_every_way_of_writing_gives_the_name(pair):
    name, text = pair
    assert first_name(text) == name


@given(st.text(alphabet="aàD\u0301'’`.-–, ·\u200b🌸\\&#039;प्", max_size=80) | st.text(max_size=80))
def test_a_first_name_is_short_and_safe_whatever_it_is_made_of(text):
    name = first_name(text)
    assert name is None or (
        0 < len(name) <= 160
        and not set(name) & set("/:@\\&;<>{}()[]!?\n\u200b")
        and "." not in name.rstrip(".").replace(".-", "").replace(". ", "")[3:]
    )


@given(st.sampled_from(["evil", "vinci-ora", "x", "città"]), st.sampled_from(["com", "it", "shop"]))
def test_no_site_is_a_name(host, tld):
    for text in (
        f"{host}.{tld}",
        f"Sig.{host}.{tld}",
        f"{host.upper()}.{tld} Rossi",
        f"'{host}.{tld}'",
    ):
        assert first_name(text) is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("D`ANGELO", "D`Angelo"),
        ("dʼangelo", "DʼAngelo"),
        ("MARIA‐GRAZIA", "Maria‐Grazia"),
        ("J.R. ROSSI", "J.R. Rossi"),
        ("sig.ra ROSSI", "Sig.ra Rossi"),
        ("İSMAİL", "İsmail"),
    ],
)
def test_a_title_has_its_capitals_after_every_apostrophe_and_hyphen(written, name):
    assert title(written) == name


def test_a_name_costs_one_segment_however_it_was_written():
    for text in ("D\u02bcAngelo", "Nicolo\u0300", "An\u200bna", "Maria\u2010Grazia"):
        assert smart(f"Ciao {first_name(text)}").text.isascii() or "ò" in first_name(text)


@pytest.mark.parametrize("function", ["first_name(v)", "title(v)", "plain(v)"])
@pytest.mark.parametrize(
    "unit", ["a", "\u0301", "a\u0301", "a ", "Sig. ", "'", "\\'", "&amp;", "A."]
)
def test_a_value_of_a_mebibyte_costs_no_more_than_its_beginning(function, unit):
    of = compile_expression(function).of
    short = count_calls(lambda: of({"v": unit * 2000}))
    assert count_calls(lambda: of({"v": unit * (2**20 // len(unit))})) <= short + 50
    assert short < 30_000
