"""An Italian mobile number, from any usual format: never guessed.

The phone library decides what is assigned. But it also reads letters as keypad digits, a
spreadsheet's `3331231234.0` as a longer number, and drops a second number. So everything but the
usual formats is refused here, with a sentence that says what to correct. The writer's grouping
counts: `39 06 123456` is a landline after its country code, and no mobile of prefix 390.
"""

import re
import unicodedata
from typing import NoReturn

import phonenumbers

from openvoip_sms.rules.country_code import is_ambiguous, stands_apart
from openvoip_sms.rules.invalid import Invalid

_DIGITS = re.compile(r"\d(?:[\W_]*\d){6,}")  # as many as a phone number has, in any script
MAX_INPUT = 64  # characters: prefix, separators and invisible characters included

_SENTENCES = {
    "not_text": 'The number is not a text: write it in quotes, as in "+39333...".',
    "empty": "There is no digit in the number: give an Italian mobile number.",
    "letters": "The number holds letters: write digits only, with no name or remark.",
    "decimal": (
        "The number looks like a decimal of a spreadsheet, which may have lost digits: "
        "format the cell as text and write the number again."
    ),
    "two_numbers": "There seem to be two numbers in one field: give one number only.",
    "extension": "The number ends with an extension or a loose digit: give the number alone.",
    "unexpected_character": (
        "The number holds a character that no phone number has: "
        "write digits only, with a plus in front if you like."
    ),
    "prefix": "The prefix is wrong or repeated: write +39 once, in front, then the number.",
    "ambiguous_prefix": (
        "The first digits may be a country code or the start of a mobile number: "
        "write +39 in front of an Italian number."
    ),
    "foreign": "The number is not Italian: only +39 mobiles are served.",
    "landline": (
        "An Italian number that starts with 0 is a landline and gets no SMS: "
        "give a mobile, or leave the 0 out if this is one."
    ),
    "not_mobile": (
        "This is not an Italian mobile, which starts with 3; foreign numbers are not served."
    ),
    "too_short": "The number is too short: an Italian mobile has 10 digits after +39.",
    "too_long": "The number is too long: an Italian mobile has 10 digits after +39.",
    "impossible": "No Italian mobile starts with these digits: check the number.",
}

_FULL_WIDTH = str.maketrans("＋．／（）−", "+./()-")
_LINE_BREAKS = "\r\n"
_RIGHT_TO_LEFT_OVERRIDE = "\u202e"  # shows digits in another order than they are stored

_AFTER_SPACE = re.compile(r"\D* \d")  # a plus that a form body turned into a space, perhaps
_LEAD_IN = re.compile(r"['’‘]? *(?:tel: *)?", re.IGNORECASE)
_ITALY_THEN_ZERO = re.compile(r"\(? *(?:\+|00)? *39 *\)?[ ./-]*\( *0 *\)")

_FAULTS = (  # the first match gives the reason
    ("decimal", re.compile(r"^\+?\d+(?:[.,]\d+)?e[+-]?\d+$", re.IGNORECASE)),
    ("decimal", re.compile(r"^\+?\d{7,}[.,]\d{1,2}$|\d[.,] *\d$")),
    (
        "extension",
        re.compile(r"\d[^a-z\d]*(?:interno|int|ext|est|x|#)[^a-z\d]*\d+$", re.IGNORECASE),
    ),
    ("letters", re.compile("[A-Za-zÀ-ÖØ-öø-ɏ]")),
    ("two_numbers", re.compile(rf"[,;|&{_LINE_BREAKS}]|(?:\d\D*){{19}}")),
    ("unexpected_character", re.compile(r"[^0-9 +./()\-]")),
    ("empty", re.compile(r"^[^0-9]*$")),
    ("extension", re.compile(r"[-/(] *\d *\)?$")),
    ("prefix", re.compile(r"[\d+][^+]*\+")),
)


class InvalidNumber(Invalid):
    """Not the number of one Italian mobile."""


def italian_mobile(raw: object) -> str:
    """Return the number as `+39` and 9 or 10 digits (E.164).

    Raises:
        InvalidNumber: it is not one Italian mobile, or it could be read in two ways.
    """
    if raw is None:
        _refuse("empty")
    if not isinstance(raw, str):
        _refuse("not_text")
    if len(raw) > MAX_INPUT:
        _refuse("too_long")
    normalized = _plain(raw)
    _refuse_faults(normalized)
    national = _national(normalized, after_space=_AFTER_SPACE.match(raw) is not None)
    _refuse_other_than_mobile(national)
    return f"+39{national}"


def refused_as_decimal() -> InvalidNumber:
    """Why a number that a sender gave as a decimal (JSON's `3331234567.0`) is not read."""
    return InvalidNumber("decimal", _SENTENCES["decimal"])


def mask(number: str) -> str:
    """Mask a number for logs: `+39333*****67`; anything else shows two last digits at most."""
    if re.fullmatch(r"\+39[0-9]{8,11}", number):
        return f"{number[:6]}{'*' * (len(number) - 8)}{number[-2:]}"
    hidden = "*" * min(len(number), MAX_INPUT)
    if re.search(r"^.{8,}[0-9]{2}$", number, re.DOTALL):
        return f"{hidden[:-2]}{number[-2:]}"
    return hidden


def mask_within(text: str) -> str:
    """Mask whatever may be a phone number inside a sentence, for logs."""
    return _DIGITS.sub(lambda found: f"{'*' * (len(found[0]) - 2)}{found[0][-2:]}", text)


def _plain(raw: str) -> str:
    """Normalize characters to ASCII where they have an equivalent, and drop a lead-in."""
    normalized = "".join(map(_ascii_char, raw)).strip()
    return normalized[_LEAD_IN.match(normalized).end() :]  # type: ignore[union-attr]  # matches ""


def _ascii_char(char: str) -> str:
    if char.isascii():
        return " " if char == "\t" else char
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Cf" if char != _RIGHT_TO_LEFT_OVERRIDE:  # zero-width and direction characters, BOM
            return ""
    return char.translate(_FULL_WIDTH)


def _refuse_faults(normalized: str) -> None:
    for reason, fault in _FAULTS:
        if fault.search(normalized):
            _refuse(reason)


def _national(normalized: str, *, after_space: bool) -> str:
    """The digits after +39.

    Without `+` or `00` a 39 that stands apart is the country code. Otherwise the length decides, as
    393 is a mobile prefix too, unless the grouping or a lost plus contradicts it. So does that of
    another country: `32 2 234 56 78` is no mobile of prefix 322.
    """
    if zero := _ITALY_THEN_ZERO.match(normalized):
        return _after_optional_zero(_digits(normalized[zero.end() :]))
    groups = re.findall("[0-9]+", normalized)
    digits = "".join(groups)
    if "+" in normalized:
        return _after_country(groups)
    if digits.startswith("00"):
        return _after_country(_without(groups, 2))
    if stands_apart(groups):
        return _after_country(groups)
    if digits.startswith("039") and len(digits) > 11:  # noqa: PLR2004 - Monza's 039 is shorter
        _refuse("prefix")
    if digits.startswith("39") and len(digits) == 12:  # noqa: PLR2004 - 39 and a mobile's 10
        return digits[2:]
    if is_ambiguous(groups, after_space=after_space):
        _refuse("ambiguous_prefix")
    return digits


def _after_country(groups: list[str]) -> str:
    digits = "".join(groups)
    if digits.startswith("0"):
        _refuse("prefix")
    if not digits.startswith("39"):
        _refuse("foreign")
    national = _without(groups, 2)
    in_pairs = all(len(group) == 2 for group in national)  # noqa: PLR2004 - a pair
    if stands_apart(national) and (national[1].startswith("0") or not in_pairs):
        _refuse("prefix")
    return digits[2:]


def _without(groups: list[str], count: int) -> list[str]:
    """The groups less their first `count` digits."""
    if not groups:
        return []
    kept, more = groups[0][count:], count - len(groups[0])
    return [kept, *groups[1:]] if kept else _without(groups[1:], max(0, more))


def _after_optional_zero(digits: str) -> str:
    """The digits after `+39 (0)`: fewer than a mobile's 10 mean that the 0 is a landline's."""
    if len(digits) < 10:  # noqa: PLR2004 - said above
        _refuse("landline")
    return digits


def _refuse_other_than_mobile(national: str) -> None:
    if re.match("00|39(?:39)?3[0-9]{9}$", national):
        _refuse("prefix")
    if national.startswith("0"):
        _refuse("landline")
    if national and not national.startswith("3"):
        _refuse("not_mobile")
    if len(national) < 9:  # noqa: PLR2004 - old numbers have 9 digits and still work
        _refuse("too_short")
    if len(national) > 10:  # noqa: PLR2004 - with 11 it is a voicemail box
        _refuse("too_long")
    if not _is_assigned(national):
        _refuse("impossible")


def _is_assigned(national: str) -> bool:
    number = phonenumbers.PhoneNumber(country_code=39, national_number=int(national))
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def _digits(normalized: str) -> str:
    return re.sub("[^0-9]", "", normalized)


def _refuse(reason: str) -> NoReturn:
    raise InvalidNumber(reason, _SENTENCES[reason])
