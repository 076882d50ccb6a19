"""Numbers in every spelling. Real prefixes, invented numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.phone import InvalidNumber, italian_mobile, mask
from tests.function_calls import count_calls

MOBILE = "+393331234567"

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ALMOST_NUMBERS = st.text(alphabet="0123456789+39 ./-(),;e#x'٣３\u200b\u00a0\n", max_size=30)


def reason_for(raw):
    with pytest.raises(InvalidNumber) as refused:
        italian_mobile(raw)
    return refused.value.reason


@pytest.mark.parametrize(
    "raw",
    [
        "3331234567",
        "+393331234567",
        "00393331234567",
        "393331234567",
        "333 1234567",
        "333.123.45.67",
        "3.331.234.567",
        "333/1234567",
        "333-123-4567",
        "(333) 1234567",
        "(+39) 333 1234567",
        "+39 (0) 333 1234567",
        "0039 (0)333 1234567",
        "39 (0) 333 1234567",
        "+39\u2009333\u2009123\u200945\u200967",  # thin spaces
        "+39\u00a0333\u00a01234567",
        "+39\u2011333\u20111234567",  # non-breaking hyphens
        "３３３１２３４５６７",
        "＋３９ ３３３１２３４５６７",
        "٣٣٣١٢٣٤٥٦٧",
        "۳۳۳۱۲۳۴۵۶۷",
        "\ufeff3331234567",
        "333\u200b1234567",
        "\u202a+39 333 1234567\u202c",  # as address books paste it
        "\u200e3331234567\u200f",
        "'3331234567",
        "’3331234567",
        "tel:+39-333-1234567",
        "TEL: 3331234567",
        " 393331234567",  # the plus of an urlencoded body, lost
        "\t3331234567\r\n",
    ],
)
def test_every_common_spelling_is_the_same_number(raw):
    assert italian_mobile(raw) == MOBILE


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("3931234567", "+393931234567"),  # prefix 393
        ("393931234567", "+393931234567"),
        ("393 1234567", "+393931234567"),
        ("3101234567", "+393101234567"),
        ("3131234567", "+393131234567"),
        ("333123456", "+39333123456"),  # an old number, still in use
        ("+39 333 123456", "+39333123456"),
        ("3906123456", "+393906123456"),  # prefix 390: nothing says otherwise
        ("390 6123456", "+393906123456"),
        ("390 61 23 456", "+393906123456"),
        ("+39 390 6123456", "+393906123456"),
        ("+393906123456", "+393906123456"),
        ("+39 39 31 23 45 67", "+393931234567"),  # in pairs, after its country code
        (" 3931234567", "+393931234567"),  # after +39 it would be no number
        ("\t3906123456", "+393906123456"),  # a tab was never a plus
    ],
)
def test_the_length_decides_between_prefix_and_country(raw, number):
    assert italian_mobile(raw) == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("39 333 1234567", MOBILE),
        ("39-333-1234567", MOBILE),
        ("(39) 333/1234567", MOBILE),
        ("39.333.1234567", MOBILE),
        ("39 333 123456", "+39333123456"),
        ("39 393 1234567", "+393931234567"),
        ("39 390 6123456", "+393906123456"),
        ("( 39) 333 1234567", MOBILE),  # the plus of (+39), lost
    ],
)
def test_39_set_apart_is_the_country_code(written, number):
    assert italian_mobile(written) == number


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("39 06 123456", "landline"),
        ("(39) 02 345678", "landline"),
        ("39/02/345678", "landline"),
        ("39-011-12345", "landline"),
        ("39.0331.1234", "landline"),
        ("39 (06) 123456", "landline"),
        ("(39)06123456", "landline"),
        (" 39 06 123456", "landline"),  # a form body's plus, lost
        ("( 39) 06 123456", "landline"),
        ("\uff13\uff19 06 123456", "landline"),
        ("39\u00a006\u00a0123456", "landline"),
        ("39\u201106\u2011123456", "landline"),
        ("39 0 6 123456", "landline"),
        ("39 0333 1234567", "landline"),
        ("39 338 1234", "too_short"),
        ("39-338-12345", "too_short"),
        ("39 31 23 45 67", "too_short"),
        ("39 3381234", "too_short"),
        ("39 55 123456", "not_mobile"),  # a landline without its zero
        ("39 81 1234567", "not_mobile"),
        ("39 39 06 123456", "prefix"),
        ("+39 39 06 123456", "prefix"),
        ("+3939 06 123456", "prefix"),
        ("0039 39 06 123456", "prefix"),
        ("+39 (39) 338 1234", "prefix"),
        ("+39 39 338 12345", "prefix"),
        (" 3906123456", "ambiguous_prefix"),  # +3906123456 in a form body
        ("  3906123456", "ambiguous_prefix"),
        ("tel: 3906123456", "ambiguous_prefix"),
        ("' 3906123456", "ambiguous_prefix"),
        (" 3906 123456", "ambiguous_prefix"),
        (" 390331 1234", "ambiguous_prefix"),
        (" 393381234", "ambiguous_prefix"),
        ("3906 123456", "ambiguous_prefix"),
        ("3902/345678", "ambiguous_prefix"),
        ("(3906) 123456", "ambiguous_prefix"),
        ("39011-12345", "ambiguous_prefix"),
        ("390331.1234", "ambiguous_prefix"),
        ("390 6 123456", "ambiguous_prefix"),
        ("39338 1234", "ambiguous_prefix"),
        ("390 612345", "ambiguous_prefix"),
        ("393 381234", "ambiguous_prefix"),
        ("393381234", "ambiguous_prefix"),  # 39 and a mobile cut short
    ],
)
def test_a_country_code_is_never_read_as_the_start_of_a_mobile(written, reason):
    assert reason_for(written) == reason


@pytest.mark.parametrize(
    "written",
    [
        "32 2 234 56 78",  # Belgium
        "(32) 81 234567",
        "36 66 123 456",  # Hungary
        " 32 2 2345678",  # a form body's plus, lost
        " 354 611 1234",  # Iceland
        " 3546111234",
        "( 354) 611 1234",
        " 372 512 3456",  # Estonia
        "376 312 345",  # Andorra
        " 376312345",
        "378 886377",  # San Marino
        "(378) 886377",
    ],
)
def test_another_country_s_code_is_never_read_as_the_start_of_a_mobile(written):
    assert reason_for(written) == "ambiguous_prefix"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("320 1234567", "+393201234567"),
        (" 328 1234567", "+393281234567"),
        (" 3661234567", "+393661234567"),
        ("366 1234567", "+393661234567"),
        (" 333 1234567", MOBILE),
        ("33 31 23 45 67", MOBILE),  # too short for France
        ("34 71 23 45 67", "+393471234567"),
        (" 351 1234567", "+393511234567"),  # too short for Portugal
        (" 380 1234567", "+393801234567"),
        ("+39 354 6111234", "+393546111234"),
        ("354 6111234", "+393546111234"),  # as mobiles are written, and nothing says otherwise
    ],
)
def test_an_italian_mobile_is_not_taken_for_another_country_s(written, number):
    assert italian_mobile(written) == number


AREAS = st.sampled_from(["02", "06", "010", "011", "039", "055", "081", "0331", "0390", "0933"])
BETWEEN = st.sampled_from([" ", "-", "/", ".", "\u00a0", "\u2011", " - ", ") "])


@given(
    st.sampled_from(["39", " 39", "(39", "( 39", "+39", "0039", "+39 39", "39 39"]),
    BETWEEN,
    AREAS,
    st.sampled_from(["", " ", "/", "-"]),
    st.from_regex(r"[1-9][0-9]{3,7}", fullmatch=True),
)
def test_a_landline_after_a_country_code_set_apart_never_becomes_a_mobile(
    code, between, area, inner, subscriber
):
    reason_for(f"{code}{between}{area}{inner}{subscriber}")


@given(AREAS, st.from_regex(r"[1-9][0-9]{3,7}", fullmatch=True))
def test_a_landline_whose_plus_became_a_space_never_becomes_a_mobile(area, subscriber):
    reason_for(f" 39{area}{subscriber}")
    reason_for(f" 39{area} {subscriber}")
    reason_for(f"39{area} {subscriber}")


@given(
    st.from_regex(r"39[0-9]{8}", fullmatch=True),
    st.sampled_from(["", "+39", "+39 ", "0039 ", "39", "39 ", " 39"]),
    st.sampled_from(["", " ", "-", "/"]),
)
def test_a_mobile_of_a_prefix_that_begins_with_39_keeps_its_usual_writings(
    national, prefix, separator
):
    written = f"{prefix}{national[:3]}{separator}{national[3:]}"
    assert italian_mobile(written) == f"+39{national}"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (3331234567, "not_text"),
        (3331234567.0, "not_text"),
        (True, "not_text"),
        (["3331234567"], "not_text"),
        ({"full": "3331234567"}, "not_text"),
        (b"3331234567", "not_text"),
        (None, "empty"),
        ("", "empty"),
        ("   ", "empty"),
        ("-", "empty"),
        ("+", "empty"),
        ("\u200b\ufeff", "empty"),
        ("n/a", "letters"),
        ("Mario 3331234567", "letters"),
        ("333-CIAO-123", "letters"),
        ("3331234567 (casa)", "letters"),
        ("333l234567", "letters"),
        ("3331234567.0", "decimal"),
        ("3331234567,0", "decimal"),
        ("393331234567.00", "decimal"),
        ("3.331234567E9", "decimal"),
        ("3,33123E+09", "decimal"),
        ("3e9", "decimal"),
        ("3331234567;3347654321", "two_numbers"),
        ("3331234567,3347654321", "two_numbers"),
        ("3331234567/3347654321", "two_numbers"),
        ("3331234567 3347654321", "two_numbers"),
        ("3331234567\n3347654321", "two_numbers"),
        ("333\n1234567", "two_numbers"),
        ("3331234567 int. 5", "extension"),
        ("3331234567 ext 12", "extension"),
        ("3331234567x5", "extension"),
        ("3331234567#5", "extension"),
        ("3331234567/8", "extension"),
        ("333123456/7", "extension"),  # an old number and another's end, or a new one
        ("333123456 (7)", "extension"),
        ("333_1234567", "unexpected_character"),
        ("3331234567\x00", "unexpected_character"),
        ("²3331234567", "unexpected_character"),
        ("\ud8003331234567", "unexpected_character"),
        ("\u202e7654321333", "unexpected_character"),  # is shown as 3331234567
        ("+39 39 333 1234567", "prefix"),
        ("3939 333 1234567", "prefix"),
        ("0039+393331234567", "prefix"),
        ("0039 0039 333 1234567", "prefix"),
        ("+0039 333 1234567", "prefix"),
        ("++393331234567", "prefix"),
        ("333+1234567", "prefix"),
        ("0393331234567", "prefix"),
        ("+378 66661212", "foreign"),  # San Marino
        ("+44 7911 123456", "foreign"),
        ("0044 7911 123456", "foreign"),
        ("+333 1234567", "foreign"),
        ("03331234567", "landline"),
        ("06 12345678", "landline"),
        ("+39 02 12345678", "landline"),
        ("07911 123456", "landline"),
        ("+39 (0)331 234567", "landline"),  # a landline's zero, not an optional one
        ("39 (0) 12345678", "landline"),
        ("(0)333 1234567", "landline"),
        ("447911123456", "not_mobile"),
        ("800 123456", "not_mobile"),
        ("+39 4391234567", "not_mobile"),
        ("118", "not_mobile"),
        ("333 1234", "too_short"),
        ("+39", "too_short"),
        ("33312345678", "too_long"),  # a voicemail box
        ("+39 333 12345678", "too_long"),
        ("39333123456", "too_long"),  # 39 and an old number, or a slip
        ("3001234567", "impossible"),
    ],
)
def test_what_is_not_certainly_one_italian_mobile_is_refused_with_its_reason(raw, reason):
    assert reason_for(raw) == reason


def test_a_refusal_is_a_sentence_that_does_not_repeat_the_number():
    with pytest.raises(InvalidNumber) as refused:
        italian_mobile("03331234567")
    assert str(refused.value) == refused.value.detail
    assert "landline" in refused.value.detail
    assert "333" not in repr(refused.value)


def test_a_megabyte_is_refused_before_it_is_read():
    hostile = "3" * 1_000_000
    assert reason_for(hostile) == "too_long"
    assert count_calls(lambda: reason_for(hostile)) <= 2 * count_calls(lambda: reason_for("3" * 65))


@given(JSON_VALUES | ALMOST_NUMBERS)
def test_every_value_is_either_a_mobile_or_invalid(raw):
    try:
        number = italian_mobile(raw)
    except InvalidNumber:
        return
    assert re.fullmatch(r"\+393[0-9]{8,9}", number)
    assert italian_mobile(number) == number


@given(
    st.from_regex(r"3[3478][03-9][0-9]{7}", fullmatch=True),  # else they count, see above
    st.sampled_from(["", "+39", "0039", "39", " 39", "+39 (0)"]),
    st.lists(st.sampled_from(["", " ", ".", "-", "/", "\u2009", "\u200b"]), min_size=7, max_size=7),
)
def test_separators_never_change_the_number(national, prefix, separators):
    grouped = [*separators, "", "", ""]  # a separator before the last one or two is a decimal's
    raw = prefix + "".join(map("".join, zip(national, grouped, strict=True)))
    assert italian_mobile(raw) == f"+39{national}"


@given(st.from_regex(r"[0-9]{6,12}", fullmatch=True))
def test_a_refusal_never_contains_the_number(digits):
    with pytest.raises(InvalidNumber) as refused:
        italian_mobile(f"{digits} casa")
    assert digits not in repr(refused.value)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+393331234567", "+39333*****67"),
        ("+39333123456", "+39333****56"),
        ("3331234567", "********67"),
        ("+447911123456", "***********56"),
        ("12345", "*****"),
        ("Mario Rossi", "***********"),
        ("", ""),
    ],
)
def test_a_masked_number_can_be_recognised_and_not_called(number, masked):
    assert mask(number) == masked


def test_a_mask_does_not_grow_with_hostile_input():
    assert len(mask("x" * 1_000_000)) < 100
