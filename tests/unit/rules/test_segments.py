"""Alphabet and segments."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.segments import (
    GSM_7,
    GSM_7_BASIC,
    GSM_7_EXTENSION,
    Encoding,
    cost_of,
    count,
    encoding_of,
    split,
)

# As Perl's Encode::GSM0338 (Encode 3.17) decodes the positions 00 to 7F, escape left out.
BASIC_BY_PERL = """
0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E      00C6 00E6 00DF 00C9
0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0
"""
EXTENSION_BY_PERL = "000C 005E 007B 007D 005C 005B 007E 005D 007C 20AC"

GSM_TEXTS = st.text(alphabet=sorted(GSM_7), max_size=700)
MIXED_TEXTS = st.text(alphabet=st.sampled_from("aè€[È’😀👍"), max_size=400)


def characters(code_points):
    return {chr(int(code, 16)) for code in code_points.split()}


def units(text):
    """Septets by Perl's table, or UTF-16 code units as the codec counts them."""
    if characters(BASIC_BY_PERL) | characters(EXTENSION_BY_PERL) >= set(text):
        return sum(2 if char in characters(EXTENSION_BY_PERL) else 1 for char in text)
    return len(text.encode("utf-16-le")) // 2


def test_the_alphabet_is_the_one_of_another_implementation():
    assert characters(BASIC_BY_PERL) == GSM_7_BASIC
    assert characters(EXTENSION_BY_PERL) == GSM_7_EXTENSION


@pytest.mark.parametrize("char", "àèéìòùÉÇäöüñÄÖÜÑß§£@_¿¡ΔΦΓΛΩΠΨΣΘΞ€[]{}\\^~|'\n")
def test_a_character_inside_gsm_7(char):
    assert encoding_of(char) == Encoding.GSM_7


@pytest.mark.parametrize("char", "ÀÈÌÒÙáíóúÁÍÓÚç’‘“”«»–—…•·´`°ºª²½×®™\t\u00a0😀")
def test_a_character_that_makes_the_whole_text_ucs_2(char):
    assert encoding_of(f"Ciao {char}") == Encoding.UCS_2


def test_a_decomposed_accent_is_outside_gsm_7_and_the_composed_one_inside():
    decomposed = unicodedata.normalize("NFD", "è")
    assert (encoding_of(decomposed), encoding_of("è")) == (Encoding.UCS_2, Encoding.GSM_7)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("]" * 80, 1),
        ("]" * 81, 2),
        ("]" * 152, 2),
        ("]" * 153, 3),
        ("€" * 153, 3),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 66 + "😀" + "a" * 66, 3),
        ("a" * 69 + "È", 1),
        ("a" * 70 + "È", 2),
        ("a" * 159 + "’", 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_the_number_of_segments(text, parts):
    assert count(text) == parts


def test_a_character_of_two_units_moves_to_the_next_segment_whole():
    assert split("a" * 152 + "€" + "a" * 152) == ["a" * 152, "€" + "a" * 151, "a"]


def test_what_a_character_costs_depends_on_the_encoding():
    assert cost_of("€", Encoding.GSM_7) == 2
    assert cost_of("€", Encoding.UCS_2) == 1
    assert cost_of("😀", Encoding.UCS_2) == 2


@given(GSM_TEXTS | MIXED_TEXTS | st.text(max_size=300))
def test_joined_segments_give_the_text(text):
    assert "".join(split(text)) == text


@given(GSM_TEXTS | MIXED_TEXTS)
def test_no_segment_exceeds_its_size_and_none_could_hold_more(text):
    segments = split(text)
    gsm = encoding_of(text) == Encoding.GSM_7
    alone, chained = (160, 153) if gsm else (70, 67)
    whole = units if gsm else lambda part: len(part.encode("utf-16-le")) // 2
    assert (len(segments) <= 1) == (whole(text) <= alone)
    if len(segments) > 1:
        assert all(whole(segment) <= chained for segment in segments)
        for segment, following in pairwise(segments):
            assert whole(segment + following[0]) > chained


@given(MIXED_TEXTS)
def test_no_segment_holds_half_a_character(text):
    for segment in split(text):
        assert segment.encode("utf-16-le").decode("utf-16-le") == segment
