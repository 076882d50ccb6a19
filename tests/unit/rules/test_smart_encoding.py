"""Italian texts kept in GSM-7."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules import links
from openvoip_sms.rules.segments import GSM_7, Encoding, count, encoding_of
from openvoip_sms.rules.smart_encoding import Replacement, smart

ITALIAN = st.text(alphabet="aeC 1°º²½’“«…–—ÈÀÌÒÙáíóúÁçéùšŁ€[\u00a0\u200b\u0300", max_size=200)
ANY = ITALIAN | st.text(max_size=200)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("L’ordine è pronto", "L'ordine è pronto"),
        ("‘sì’ ´no` dell’“Arte”", "'sì' 'no' dell'\"Arte\""),
        ("«Bar Sport» – lunedì — ore 9…", '"Bar Sport" - lunedì - ore 9...'),
        ("È arrivato", "E' arrivato"),
        ("LUNEDÌ LA CITTÀ PERÒ PIÙ CAFFÈ", "LUNEDI' LA CITTA' PERO' PIU' CAFFE'"),
        ("PERCHÉ Çela", "PERCHÉ Çela"),
        ("cittá, cosí e virtú", "città, così e virtù"),
        ("CITTÁ", "CITTA'"),
        ("Martínez e Gonçalves", "Martinez e Goncalves"),
        ("Čapek Łódź Şahin Ștefan Žižek Đorđe", "Capek Lodz Sahin Stefan Zizek Dorde"),
        ("Müller, Ångström, Sørensen", "Müller, Ångström, Sørensen"),
        ("Citroën e Noël", "Citroen e Noel"),
        ("n°5 e N° 7", "no5 e No 7"),
        ("1° piano, 3ª scala, 2º avviso", "1o piano, 3a scala, 2o avviso"),
        ("25°C, 25 °C e 25° C", "25 C, 25 C e 25 C"),
        ("febbre a 38,5° da ieri", "febbre a 38,5 da ieri"),
        ("80 m² e 10²", "80 m2 e 10^2"),
        ("½ kg, 1½ kg", "1/2 kg, 1 1/2 kg"),
        ("3×2 Nike® Acme™", "3x2 Nike(R) Acme(TM)"),
        ("• primo · secondo", "- primo - secondo"),
        ("€\u00a010\u2009subito", "€ 10 subito"),
        ("pa\u00adro\u200bla\ufeff", "parola"),
        ("perche\u0301 e\u0300", "perché è"),
        ("E\u0300 qui", "E' qui"),
        ("", ""),
    ],
)
def test_a_text_is_converted_as_an_italian_would_type_it_in_gsm_7(text, sent):
    assert smart(text).text == sent
    assert encoding_of(sent) == Encoding.GSM_7


# By the public lists of Twilio, Sinch and Telnyx, and what Unicode calls compatible.
LOOK_ALIKES = {
    "'": "’‘‛ʻʼʽʹˈˊˋ´`❛❜＇′‵\u0313\u0314",
    '"': "«»“”„‟ʺˮ❝❞〝〞＂″",
    "-": "‐‑‒–—―⁃•⎼⎽−﹘﹣－",
    "/": "⁄∕⧸／÷\u0337\u0338",
    "\\": "⧵⧹＼﹨\u20e5",
    "|": "∣｜⎸⎹⏐⎜⎟¦\u20d2\u20d3",
    "_": "＿‗\u0332",
    "@": "﹫＠",
    "$": "﹩＄",
    "!": "ǃ︕﹗！",
    "#": "﹟＃",
    "%": "﹪％",
    "&": "﹠＆",
    ",": "﹐﹑，､、\u0326",
    "(": "❨❪﹙（⟮⦅",
    ")": "❩❫﹚）⟯⦆",
    "*": "⁎∗⊛✢✣✤✥✱✲✳✺✻✼✽❃❉❊❋⧆﹡＊",
    "+": "˖﹢＋",
    ".": "。﹒．｡․",
    ":": "ː˸⦂꞉︓：",
    ";": "⁏︔﹔；\u037e",
    "<": "﹤＜",
    "=": "꞊﹦＝\u0347",
    ">": "﹥＞",
    "?": "︖﹖？",
    "^": "ˆ＾\u1dcd",
    "{": "❴﹛｛",
    "}": "❵﹜｝",
    "[": "［",
    "]": "］",
    "~": "˜˷∼～\u0330\u0334",
    "..": "‥",
    "...": "…",
    "!!": "‼",
    "ff": "ﬀ",
    "fi": "ﬁ",
    "fl": "ﬂ",
    "ffi": "ﬃ",
    "ffl": "ﬄ",
    "st": "ﬅﬆ",
    "ij": "ĳ",
    "C": "℃",
    "F": "℉",
    "1/3": "⅓",
    "7/8": "⅞",
    "IV": "Ⅳ",
    "m2": "㎡",
    "km": "㎞",
    "(1)": "①⑴",
    "a": "ａ𝐚𝒂𝓪",
    "A": "Ａᴀ𝐀",
    "Z": "Ｚᴢ",
    "7": "７⁷₇",
    "£": "￡₤",
    "o": "οо",
    "X": "ΧХ",
    "": "\u115f\u1160\u3164\uffa0"
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2061\u2062"
    "\u2063\u2064\u2066\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufe00\ufe0f\ufeff\U000e0101",
    " ": "\u2800\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000",
}


@pytest.mark.parametrize(
    ("char", "by"), [(char, by) for by, chars in LOOK_ALIKES.items() for char in chars]
)
def test_one_look_alike_does_not_double_the_price(char, by):
    text = (
        "Gentile cliente, le confermiamo che il suo ordine numero 1042 e stato spedito o{}ggi e"
        " arrivera domani. Grazie"
    )
    assert smart(text.format(char)).text == text.format(by)
    assert count(text.format(by)) == 1


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("25℃ e 25 ℃", "25 C e 25 C"),
        ("25˚C", "25 C"),
        ("10⁻³ e 10²³, x₁₂, 10₂", "10^-3 e 10^23, x12, 10_2"),
        ("1⅓ kg, ⅓", "1 1/3 kg, 1/3"),
        ("3ᵉ", "3e"),
        ("H₂O, 80㎡", "H2O, 80m2"),
        ("5μg e 5µg", "5ug e 5ug"),
        ("oﬃcina ﬁlo", "officina filo"),
        ("D\u02bcAngelo", "D'Angelo"),
        ("ＬＵＮＥＤ\u00cc", "LUNEDI'"),
        ("È ｌ’ora", "E' l'ora"),
    ],
)
def test_compatible_characters_keep_their_meaning(written, sent):
    assert smart(written).text == sent


@pytest.mark.parametrize("text", ["Ｅ\u0300 qui", "١٢٣", "Ａлла", "x\u0302\u0302", "1️⃣ uno"])
def test_what_has_no_equivalent_stays(text):
    assert smart(text).text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Vedi https://x.it/a–b’c…", "Vedi https://x.it/a%E2%80%93b%E2%80%99c..."),
        ("“https://x.it/Č”", '"https://x.it/%C4%8C"'),
        ("www.x.it/`a` – qui", "www.x.it/%60a' - qui"),
        ("`https://x.it` – qui", "'https://x.it' - qui"),
        ("L’ordine: x.it/😀", "L'ordine: x.it/%F0%9F%98%80"),
        ("https://x.it/\u200ba – b", "https://x.it/a - b"),
        ("www.x.it— qui", "www.x.it- qui"),
    ],
)
def test_a_link_still_leads_where_it_led(written, sent):
    assert smart(written).text == sent


def test_a_host_is_never_another_one():
    for text in ("https://čaj.example.it/x", "L’ora: www.čaj.example.it"):
        assert smart(text).text == text


@pytest.mark.parametrize("text", ["L’ordine 😀", "È di Владимир", "“你好”", "x\u0302 – y"])
def test_a_text_that_stays_ucs_2_anyway_is_left_alone(text):
    assert smart(text).text == text
    assert smart(text).replaced == ()


def test_a_text_that_stays_ucs_2_is_still_composed():
    assert smart("e\u0300 😀").text == "è 😀"


def test_a_text_that_would_need_more_segments_is_left_alone():
    assert smart("…" * 60).text == "…" * 60
    assert smart("…" * 50).text == "..." * 50


def test_what_was_replaced_is_reported_with_how_often():
    assert smart("È l’ora, c’è: n°1 a 20°C").replaced == (
        Replacement("È", "E'", 1),
        Replacement("’", "'", 2),
        Replacement("°", "o", 1),
        Replacement("°", " ", 1),
    )


def test_composing_alone_is_no_replacement():
    assert smart("e\u0300").replaced == ()


def test_the_host_of_a_link_is_looked_for_once_and_in_the_link_alone(monkeypatch):
    """For each of its characters it would be a minute's work in the longest text."""
    host_end, looked_for = links.host_end, []
    monkeypatch.setattr(
        links, "host_end", lambda *given: looked_for.append(given) or host_end(*given)
    )
    smart("www.aÈÈÈÈ.it/ÈÈÈÈ www.bÈ.it/ È")
    assert [span for _, *span in looked_for] == [[0, 17], [18, 28]]


@given(ANY)
def test_the_result_is_gsm_7_or_the_composed_text(text):
    converted = smart(text)
    composed = unicodedata.normalize("NFC", text)
    assert GSM_7.issuperset(converted.text) or converted.text == composed
    assert bool(converted.replaced) == (converted.text != composed)


@given(ANY)
def test_a_rewritten_text_never_takes_more_segments(text):
    assert count(smart(text).text) <= count(unicodedata.normalize("NFC", text))


@given(ANY)
def test_rewriting_twice_changes_nothing_more(text):
    once = smart(text).text
    assert smart(once).text == once


@given(st.text(alphabet=sorted(GSM_7), max_size=200))
def test_a_gsm_7_text_is_left_as_it_is(text):
    assert smart(text).text == text


@given(st.text(alphabet="È E'", max_size=50))
def test_an_accented_capital_e_never_becomes_a_plain_one(text):
    assert smart(text).text == text.replace("È", "E'")
