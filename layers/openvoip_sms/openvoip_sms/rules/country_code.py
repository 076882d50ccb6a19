"""Whether a number written without a plus may begin with a country code.

The writer's grouping counts, and a space in front: a form body may have turned a plus into it.
"""

from collections.abc import Sequence

import phonenumbers

_ITALY = "39"
_MOBILE_DIGITS = 10


def stands_apart(groups: Sequence[str]) -> bool:
    """Whether the first group is 39 alone, as nobody writes the start of a mobile number."""
    return len(groups) > 1 and groups[0] == _ITALY


def is_ambiguous(groups: Sequence[str], *, after_space: bool) -> bool:
    """Whether the first digits may be a country code, or the start of a mobile number."""
    if "".join(groups).startswith(_ITALY):
        return _may_be_italy(groups, after_space=after_space)
    return _may_be_another_country(groups, after_space=after_space)


def _may_be_italy(groups: Sequence[str], *, after_space: bool) -> bool:
    """Then a landline's zero follows, or the 7 digits of a mobile cut short.

    Old mobile numbers of 9 digits do not begin with 39.
    """
    first, digits = groups[0], "".join(groups)
    if len(digits) < _MOBILE_DIGITS:
        return len(digits) == _MOBILE_DIGITS - 1
    if after_space:
        return digits.startswith("390")
    if len(groups) == 1 or not first.startswith("390"):
        return False
    if first == "390":
        return groups[1] in ("2", "6")  # 02 and 06, the only codes with one digit after the zero
    return len(first) <= 6  # noqa: PLR2004 - 39 and a code of at most four digits


def _may_be_another_country(groups: Sequence[str], *, after_space: bool) -> bool:
    """Nobody writes two digits of a mobile apart. Three are usual, as the codes of others are."""
    if len(groups) == 1 and not after_space:
        return False
    digits = "".join(groups)
    code = _code_of_valid_number(digits)
    if len(code) == 3:  # noqa: PLR2004 - Iceland 354, San Marino 378, ...
        return after_space or (groups[0] == code and len(digits) < _MOBILE_DIGITS)
    return groups[0] == code  # Belgium 32, Hungary 36


def _code_of_valid_number(digits: str) -> str:
    """The country code, if the digits after a plus are somebody's number; else empty."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return ""
    return str(number.country_code) if phonenumbers.is_valid_number(number) else ""
