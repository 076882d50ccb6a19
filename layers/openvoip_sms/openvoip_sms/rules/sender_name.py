"""The sender that a phone shows: a name, or a number."""

import re

from openvoip_sms.rules.invalid import Invalid, code_point

MAX_NAME = 11  # characters: GSM's limit for a name
MAX_NUMBER = 16  # digits

_NUMBER = re.compile(r"\+?[0-9]+")
_OTHER_CHARACTER = re.compile(r"[^A-Za-z0-9 .\-_&]")
_LETTER = re.compile("[A-Za-z]")


class InvalidSender(Invalid):
    """Not a sender that networks show unchanged."""


def check_sender(raw: str) -> str:
    """Return the sender unchanged if it is valid.

    Raises:
        InvalidSender: networks would cut, refuse or replace it.
    """
    if not raw:
        raise InvalidSender("empty", "The sender is empty: give a name or a number.")
    if _NUMBER.fullmatch(raw[: MAX_NUMBER + 2]):  # longer ones are too long in any case
        return _checked_number(raw)
    return _checked_name(raw)


def _checked_number(raw: str) -> str:
    if len(raw) - raw.startswith("+") > MAX_NUMBER:
        raise InvalidSender(
            "too_long", f"A sender that is a number has at most {MAX_NUMBER} digits."
        )
    return raw


def _checked_name(raw: str) -> str:
    if len(raw) > MAX_NAME:
        raise InvalidSender(
            "too_long",
            f"A sender's name has at most {MAX_NAME} characters, and networks would cut "
            f"this one, which has {len(raw)}: choose a shorter name.",
        )
    if raw != raw.strip():
        raise InvalidSender("space_at_end", "A sender's name has no space before or after it.")
    if other := _OTHER_CHARACTER.search(raw):
        raise InvalidSender(
            "unexpected_character",
            f"A sender's name is made of letters without accents, digits, spaces and .-_&, "
            f"but character {other.start() + 1} is {code_point(other[0])}.",
        )
    if not _LETTER.search(raw):
        raise InvalidSender(
            "no_letter", "A sender is a name with at least one letter, or digits alone."
        )
    return raw
