"""Texts that can be sent at all."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.rules.text import MAX_CHARS, InvalidText, check_text
from tests.function_calls import count_calls

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
NEW = "\U0001fadd"  # a phone may know characters that this Python does not


def refusal_of(text):
    with pytest.raises(InvalidText) as refused:
        check_text(text)
    return refused.value


@pytest.mark.parametrize(
    "text", ["Ciao", "due\nrighe", "È 😀", "👨‍👩‍👧", " a ", "שלום", ENGLAND, "🇮🇹", NEW]
)
def test_an_ordinary_text_stays_as_it_is(text):
    assert check_text(text) == text


def test_line_breaks_of_other_systems_become_newlines():
    assert check_text("a\r\nb\rc\n") == "a\nb\nc\n"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n \r\n", "\u00a0", "\u200b\ufeff", "\u2028"),
        *("\ufe0f", "\U000e0101", "\u034f", "\u3164 \u115f", "\u2800"),
    ],
)
def test_a_text_with_nothing_visible_is_empty(text):
    assert refusal_of(text).reason == "empty"


def test_what_is_left_of_a_checked_text_is_visible():
    """Smart encoding leaves invisible characters out: no SMS may be empty because of it."""
    for code in range(0x20, 0x30000):
        try:
            text = check_text(chr(code))
        except InvalidText:
            continue
        assert smart(text).text.strip(), hex(code)


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
        ("L'ordine e' pronto, perch\ufffd", "not_utf8", "Character 26 of the text is U+FFFD"),
        ("Nicol\ufffd", "not_utf8", "UTF-8"),
        ("\ufffd", "not_utf8", "Character 1 of the text"),
        ("a\ufdd0", "noncharacter", "Character 2 of the text, U+FDD0,"),
        ("a\ufdef", "noncharacter", "U+FDEF"),
        ("a\ufffe", "noncharacter", "U+FFFE"),
        ("a\uffff", "noncharacter", "U+FFFF"),
        ("a\U0001fffe", "noncharacter", "U+1FFFE"),
        ("a\U0010ffff", "noncharacter", "U+10FFFF"),
        ("a\ue000", "private_use", "U+E000"),
        ("\uf8ff Store", "private_use", "Character 1 of the text, U+F8FF,"),
        ("a\U000f0000", "private_use", "U+F0000"),
        ("a\U0010fffd", "private_use", "U+10FFFD"),
        ("foto \ufffc", "not_shown", "Character 6 of the text, U+FFFC,"),
        ("a\ufff9b", "not_shown", "U+FFF9"),
        ("a\U0001d173", "not_shown", "U+1D173"),
        ("a\U000e0001", "not_shown", "U+E0001"),
    ],
)
def test_a_character_that_cannot_be_sent_is_named_with_its_place(text, reason, named):
    refusal = refusal_of(text)
    assert refusal.reason == reason
    assert named in refusal.detail


def test_no_code_point_that_is_no_character_and_no_private_one_passes():
    for code in range(0x110000):
        if unicodedata.category(chr(code)) == "Co" or code & 0xFFFE == 0xFFFE:
            refusal_of(f"a{chr(code)}")


def test_what_was_not_utf_8_is_said_in_words():
    assert "not UTF-8" in refusal_of("perch\ufffd").detail


def test_a_text_that_no_allowed_segments_hold_is_refused_before_it_is_read():
    assert check_text("è" * 640, 640) == "è" * 640
    for char in ("a", "\u0301", "\ufffd", " "):
        long, short = char * 1_000_000, char * (MAX_CHARS + 1)
        few = count_calls(lambda short=short: refusal_of(short))
        assert count_calls(lambda long=long: refusal_of(long)) < 2 * few
        assert refusal_of(long).reason == "too_long"


def test_marks_that_phones_combine_are_taken_and_walls_of_them_refused():
    assert check_text("e\u0301" + "x\u0302\u0301" * 20)
    assert check_text("a" + "\u0301\u0316" * 15)
    assert refusal_of("ciao a" + "\u0301" * 31).reason == "combining_marks"
    assert refusal_of("\u0f73" * 31).reason == "combining_marks"


def test_every_character_that_becomes_marks_alone_counts_as_one():
    for code in range(0x110000):
        decomposed = unicodedata.normalize("NFD", chr(code))
        if unicodedata.combining(decomposed[0]):
            assert refusal_of("a" + chr(code) * 31).reason == "combining_marks"


@given(st.text(alphabet="a\u0301\u0316\u0f73\u00e8", max_size=200))
def test_a_checked_text_never_has_a_long_run_of_marks_once_decomposed(raw):
    try:
        text = check_text(raw)
    except InvalidText:
        return
    runs = re.split("[^\u0300-\u036f\u0f71-\u0f81]", unicodedata.normalize("NFD", text))
    assert max(map(len, runs)) <= 4 * 30


def test_a_refusal_never_repeats_the_text():
    assert "segreto" not in repr(refusal_of("segreto\x07"))


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
