"""Sender names and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.sender_name import InvalidSender, check_sender


def refusal_of(sender):
    with pytest.raises(InvalidSender) as refused:
        check_sender(sender)
    return refused.value


@pytest.mark.parametrize(
    "sender",
    ["Acme", "ACME srl", "Bar-2_b&c.i", "a", "12345678901", "+393331234567", "4" * 16, "24ore"],
)
def test_a_sender_that_networks_show_as_written(sender):
    assert check_sender(sender) == sender


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("", "empty"),
        ("Acme Italia1", "too_long"),
        ("4" * 17, "too_long"),
        ("+" + "4" * 17, "too_long"),
        (" Acme", "space_at_end"),
        ("Acme ", "space_at_end"),
        (" ", "space_at_end"),
        ("Caffè", "unexpected_character"),
        ("Acme!", "unexpected_character"),
        ("Ac\nme", "unexpected_character"),
        ("١٢٣٤", "unexpected_character"),
        ("12 34", "no_letter"),
        ("12-34", "no_letter"),
    ],
)
def test_a_sender_that_would_not_arrive_as_written(sender, reason):
    assert refusal_of(sender).reason == reason


def test_the_refusal_of_a_long_name_says_that_networks_would_cut_it():
    assert "cut" in refusal_of("www.sitoazienda.it").detail


def test_an_unexpected_character_is_named_with_its_place():
    assert "character 5 is U+00E8" in refusal_of("Caffè").detail


@given(st.text(alphabet="aZ09 .-_&+è\n", max_size=20) | st.text(max_size=20))
def test_every_text_is_a_short_ascii_sender_or_invalid(raw):
    try:
        sender = check_sender(raw)
    except InvalidSender:
        return
    assert sender == raw.strip()
    assert sender.isascii()
    assert len(sender) <= (17 if sender.removeprefix("+").isdecimal() else 11)
