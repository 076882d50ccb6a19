"""Texts that can be sent at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoip_sms.rules.text import InvalidText, check_text


def refusal_of(text):
    with pytest.raises(InvalidText) as refused:
        check_text(text)
    return refused.value


@pytest.mark.parametrize("text", ["Ciao", "due\nrighe", "È 😀", "👨‍👩‍👧", " a ", "שלום"])
def test_an_ordinary_text_stays_as_it_is(text):
    assert check_text(text) == text


def test_line_breaks_of_other_systems_become_newlines():
    assert check_text("a\r\nb\rc\n") == "a\nb\nc\n"


@pytest.mark.parametrize("text", ["", " ", "\n \r\n", "\u00a0", "\u200b\ufeff", "\u2028"])
def test_a_text_with_nothing_visible_is_empty(text):
    assert refusal_of(text).reason == "empty"


@pytest.mark.parametrize(
    ("text", "reason", "named"),
    [
        ("Ciao\x07", "control_character", "Character 5 of the text, U+0007,"),
        ("\x00", "control_character", "U+0000"),
        ("a\x1bb", "control_character", "U+001B"),
        ("a\tb", "control_character", "U+0009"),
        ("a\x0cb", "control_character", "U+000C"),
        ("a\x7f", "control_character", "U+007F"),
        ("a\x85b", "control_character", "U+0085"),
        ("a\ud83d", "unpaired_surrogate", "U+D83D"),
        ("\ude00 b", "unpaired_surrogate", "Character 1 of the text, U+DE00,"),
        ("a\u202eb", "bidi_override", "U+202E"),
        ("a\u202db", "bidi_override", "U+202D"),
    ],
)
def test_a_character_that_cannot_be_sent_is_named_with_its_place(text, reason, named):
    refusal = refusal_of(text)
    assert refusal.reason == reason
    assert named in refusal.detail


def test_a_refusal_never_repeats_the_text():
    assert "segreto" not in repr(refusal_of("segreto\x07"))


@settings(deadline=None)
@given(st.text(st.characters(codec=None)) | st.text(alphabet="a\r\n\x00\ud800\u202e "))
def test_every_text_is_sendable_or_invalid(raw):
    try:
        text = check_text(raw)
    except InvalidText:
        return
    assert text.strip()
    assert text.encode("utf-8").decode("utf-8") == text
    assert "\r" not in text
    assert check_text(text) == text
