"""A link in a value goes out whole, with what it may not contain encoded, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.templates.expressions import compile_expression
from openvoip_sms.templates.text_template import MissingValue, compile_template, render
from tests.function_calls import count_calls

SITE = "https://www.corriere.example.it/ricerca/dettaglio"


def shown(value, template="{v || ''}"):
    return render(compile_template(template), {"v": value})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (SITE + "?numero=AB12345 67890&cap=00100", SITE + "?numero=AB12345%2067890&cap=00100"),
        (SITE + "?città=Forlì&numero=AB12", SITE + "?citt%C3%A0=Forl%C3%AC&numero=AB12"),
        (SITE + "?citta\u0300=x", SITE + "?citt%C3%A0=x"),
        (SITE + "?numero=AB12345 67890", SITE + "?numero=AB12345%2067890"),
        (SITE + "?numero=AB12345 67890.", SITE + "?numero=AB12345%2067890."),
        (SITE + "?citta=Reggio Emilia", SITE + "?citta=Reggio%20Emilia"),
        (
            SITE + "?citta=San Giovanni in Fiore&n=1",
            SITE + "?citta=San%20Giovanni%20in%20Fiore&n=1",
        ),
        (SITE + "/AB 12345/scheda", SITE + "/AB%2012345/scheda"),
        (SITE + "/AB 12345", SITE + "/AB 12345"),
        (SITE + "/AB12 345", SITE + "/AB12%20345"),
        (SITE + "/fattura 12.pdf", SITE + "/fattura%2012.pdf"),
        (SITE + "?v=100%&a=%20{x}|y", SITE + "?v=100%25&a=%20%7Bx%7D%7Cy"),
        ("https://perché.example.it/è?é", "https://xn--perch-fsa.example.it/%C3%A8?%C3%A9"),
        ("https://x.it/\u200ba\u00ad/b", "https://x.it/a/b"),
        ("\u202ahttps://x.it/a\u200e/b\u202c", "https://x.it/a/b"),
        (
            "wa.me/393331234567?text=Ciao a tutti&x=1",
            "wa.me/393331234567?text=Ciao%20a%20tutti&x=1",
        ),
    ],
)
def test_spaces_and_accents_of_a_link_are_encoded(written, sent):
    assert shown(written) == sent


@pytest.mark.parametrize(
    "text",
    [
        SITE + " Grazie",
        SITE + "?n=123 Grazie",
        SITE + " entro 3/12/2026",
        SITE + "?n=123 e/o in negozio",
        SITE + ". Segue fattura n=3",
        "www.negozio.example.it oppure 06/1234567",
        "https://maps.example/@44.1,11.2,15z (qui)",
    ],
)
def test_words_after_a_link_are_not_taken_into_it(text):
    assert shown(text) == text


LONG = "?numero=AB1234567890&cap=00100"


@pytest.mark.parametrize(
    "link",
    [
        "www.corriere.example.it/ricerca/spedizioni/dettaglio" + LONG,
        "corriere.example.it/ricerca/spedizioni/dettaglio/lunga" + LONG,
        "HTTP://WWW.CORRIERE.EXAMPLE.IT/RICERCA/SPEDIZIONI" + LONG,
        "mario.rossi.lunghissimo.indirizzo.di.posta.elettronica@azienda.example.it",
    ],
)
@pytest.mark.parametrize(
    "around",
    ["{}", "Segui {} da oggi", "({})", "Segui: {}.", "<{}>", '"{}"', "pacco:{}", "{}, {}", "«{}»"],
)
def test_a_link_is_whole_wherever_it_stands(link, around):
    text = around.format(link, link)
    assert shown(text) == text


def test_several_links_of_a_field_are_each_whole():
    first, second = SITE + "?n=1&" + "a" * 30, SITE + "?n=2&" + "b" * 30
    for between in (" ", ", ", ",", ";", " e "):
        assert shown(first + between + second) == first + between + second
    third = SITE + "?n=3&" + "c" * 30
    assert shown(f"{first} {second} {third}") == f"{first} {second}"


def test_words_are_cut_around_a_whole_link():
    words = "Il pacco è in viaggio, seguilo su"
    rest = "Grazie mille e a presto, il vostro negozio di fiducia"
    assert shown(f"{words} {SITE}{LONG} {rest}") == f"{words} {SITE}{LONG} Grazie mille e a..."
    long_words = "Via della Repubblica numero centoventisette interno"
    assert shown(f"{long_words} {SITE} quattordici") == f"{long_words} {SITE} ..."


def test_a_link_that_is_too_long_is_left_out_and_its_sentence_stays():
    long = SITE + "?n=" + "9" * 200
    assert shown(f"Segui {long} da oggi") == "Segui da oggi"
    assert shown(long) == ""
    assert shown(long, "Via. {v}") == MissingValue("v")
    assert shown(SITE + "?n=" + "è" * 30) == ""  # 60 characters, 180 when encoded


@pytest.mark.parametrize("dots", ["...", "…", "..", "...)", "…”"])
def test_a_link_that_somebody_cut_before_is_left_out(dots):
    assert shown(f"Segui {SITE}?n=AB12{dots}") == "Segui"
    assert shown(f"{SITE}?n=AB12{dots}") == ""
    assert shown(f"Siamo su www.negozio.example.it{dots}") == "Siamo su www.negozio.example.it"


def test_a_value_inside_a_link_of_the_text_is_encoded_and_never_cut():
    template = "Segui: https://corriere.example.it/?n={v}&x=1 Grazie"
    assert (
        shown("AB 12è", template)
        == "Segui: https://corriere.example.it/?n=AB%2012%C3%A8&x=1 Grazie"
    )
    assert f"?n={'A' * 90}&x=1" in shown("A" * 90, template)
    assert shown("A" * 201, template) == MissingValue("v")
    assert shown("A" * 201, "www.negozio.example.it/{v || ''}") == MissingValue("v || ''")
    assert shown("Anna Rossi", "Vai su www.negozio.example.it {v}").endswith(" Anna Rossi")
    assert shown("12,50 €", "a rate: {v}/mese") == "a rate: 12,50 €/mese"


def test_two_values_can_make_one_link():
    data = {"base": SITE, "n": "AB 12"}
    assert render(compile_template("{base}?n={n}"), data) == SITE + "?n=AB%2012"


@pytest.mark.parametrize("link", ["https://X.IT/Abc-DEF", "HTTPS://X.IT/ABC", "www.x.it/abc-d'e"])
def test_a_link_keeps_its_case_in_a_title(link):
    assert compile_expression("title(v)").of({"v": f"vedi {link} ANNA"}) == f"Vedi {link} Anna"


ENCODED = {"è": "%C3%A8", "Ì": "%C3%8C", " ": "%20", "’": "%E2%80%99", "|": "%7C", "€": "%E2%82%AC"}
PLAIN = st.sampled_from("abzABZ019-_~+")
PAIRS = st.tuples(PLAIN, PLAIN).map(lambda pair: (pair[0], pair[0]))
ODD = st.sampled_from([(char, code) for char, code in ENCODED.items() if char != " "])
HOST = "corriere.example.it"


@st.composite
def links(draw, *, spaces=False):
    """A link as written, and as it must go out."""
    odd = ODD | st.just((" ", "%20")) if spaces else ODD
    start = draw(st.sampled_from(["https://", "http://", "www.", "https://www.", ""])) + HOST
    path = draw(st.lists(PAIRS | ODD, min_size=1, max_size=30))
    middle = [("a", "a"), *draw(st.lists(PAIRS | odd, max_size=60)), ("z", "z")]
    return tuple(
        f"{start}/{''.join(part[n] for part in path)}?a={''.join(part[n] for part in middle)}&b=1"
        for n in (0, 1)
    )


WORDS = st.lists(st.sampled_from("il tuo pacco arriva presto consegna Lunedì ore 9.30".split()))


def links_in(text):
    words = (word.strip("()«».,;:") for word in text.split())
    return [word for word in words if HOST in word]


@given(WORDS, st.lists(st.tuples(links(), WORDS, st.sampled_from(["{}", "({})", "{}.", "«{}»,"]))))
def test_no_text_ever_contains_a_part_of_a_link(words, with_links):
    value = list(words)
    for (link, _), more, around in with_links:
        value += [around.format(link), *more]
    sent = shown(" ".join(value), "A: {v || ''} fine")
    assert set(links_in(sent)) <= {whole for (_, whole), _, _ in with_links}
    assert not any(word.strip("()«»,.") == "" for word in links_in(sent))


@given(links(spaces=True), st.integers(0, 2100), st.integers(0, 2100))
def test_a_field_that_is_a_link_goes_out_as_one_or_not_at_all(link, before, after):
    written, whole = link
    for value in (written, " " * before + written + " " * after, "x" * before + " " + written):
        sent = shown(value)
        assert links_in(sent) in ([], [whole])
        assert not sent.endswith("...") or not links_in(sent.split()[-1])
    assert shown(written) == (whole if len(whole) <= 200 else "")


@pytest.mark.parametrize("before", [1950, 1953, 1999, 2000, 2001, 5000])
@pytest.mark.parametrize("filler", [" ", "\u200b", "\n", "https://x.it/ "])
def test_where_a_long_value_is_cut_no_link_is(before, filler):
    link = SITE + "?numero=AB12345 67890&cap=00100"
    sent = shown(filler * (before // len(filler)) + link)
    assert links_in(sent) in ([], [link.replace(" ", "%20")])


def test_spaces_alone_are_no_value():
    assert shown(" " * 2**20, "{v}") == MissingValue("v")
    assert shown(" " * 2**20 + SITE) == SITE


@given(st.text(alphabet="htps:/w.itcom?&=%AZ09 é’|…()[]<>\"'\u200d", max_size=300))
def test_whatever_resembles_a_link_stays_one_short_line(text):
    sent = shown(text)
    assert len(sent) <= 60 + 2 + 200 + 60
    assert "  " not in sent


@pytest.mark.parametrize(
    "unit", ["https://", "a.it/", "www.a", ")", "(", ",https://a", "è", "&a=", "a "]
)
def test_a_value_of_a_mebibyte_costs_no_more_than_its_beginning(unit):
    start = "https://corriere.example.it/"
    short = count_calls(lambda: shown(start + unit * 2000))
    assert count_calls(lambda: shown(start + unit * (2**20 // len(unit)))) <= 1.1 * short + 50
    assert short < 30_000
