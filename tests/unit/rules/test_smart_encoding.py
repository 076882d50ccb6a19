"""Italian texts kept in GSM-7."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("text", ["L’ordine 😀", "È di Владимир", "“你好”", "x\u0332 – y"])
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


@settings(deadline=None)
@given(ANY)
def test_the_result_is_gsm_7_or_the_composed_text(text):
    converted = smart(text)
    composed = unicodedata.normalize("NFC", text)
    assert GSM_7.issuperset(converted.text) or converted.text == composed
    assert bool(converted.replaced) == (converted.text != composed)


@settings(deadline=None)
@given(ANY)
def test_a_rewritten_text_never_takes_more_segments(text):
    assert count(smart(text).text) <= count(unicodedata.normalize("NFC", text))


@settings(deadline=None)
@given(ANY)
def test_rewriting_twice_changes_nothing_more(text):
    once = smart(text).text
    assert smart(once).text == once


@settings(deadline=None)
@given(st.text(alphabet=sorted(GSM_7), max_size=200))
def test_a_gsm_7_text_is_left_as_it_is(text):
    assert smart(text).text == text


@settings(deadline=None)
@given(st.text(alphabet="È E'", max_size=50))
def test_an_accented_capital_e_never_becomes_a_plain_one(text):
    assert smart(text).text == text.replace("È", "E'")
