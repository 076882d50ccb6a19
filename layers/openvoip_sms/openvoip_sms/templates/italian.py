"""Values in Italian notation. What cannot be read with certainty is None, never a guess."""

import math
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from openvoip_sms.rules.rome_time import read_when

DATE_FORMS = ("weekday", "year", "short")

_MONTHS = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
).split()
_WEEKDAYS = "lunedì martedì mercoledì giovedì venerdì sabato domenica".split()
_MAX_AMOUNT = 40  # characters
_CURRENCY = r"(?:€|eur|euro|eur\.)"
_AMOUNT = re.compile(
    rf"(?P<sign>[-−]?) ?(?P<before>{_CURRENCY})? ?(?P<minus>[-−]?) ?(?P<number>[0-9][0-9., '’]*?)"
    rf" ?(?P<after>{_CURRENCY})?"
)
_MACHINE_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]+)?")
_ITALIAN_AMOUNT = re.compile(
    r"(?:[0-9]{1,12}|[0-9]{1,3}(?:([. ])[0-9]{3})(?:\1[0-9]{3}){0,2}),[0-9]{1,2}"
)
_SWISS_AMOUNT = re.compile(r"[0-9]{1,3}(?:['’][0-9]{3}){1,3}\.[0-9]{2}")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3}){2,3}")
_EITHER_AMOUNT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")  # 1.234: 1234, or 1.234
_CENTS = re.compile(r"-?[0-9]{1,14}")
_CENT = Decimal("0.01")
_MAX_EURO = 10**12


def euro(value: object) -> str | None:
    """`12,50 €`, `1.234,50 €`, from a number or from text as of shops (`12.50`) or people.

    The text may name euro (`EUR 12.50`, `12,50€`); another currency makes it no amount.
    """
    amount = _amount(value)
    if amount is None or abs(amount) >= _MAX_EURO:
        return None
    digits = f"{amount.quantize(_CENT, ROUND_HALF_UP):,.2f}"
    return digits.translate(str.maketrans(",.", ".,")) + " €"


def euro_cents(value: object) -> str | None:
    """The same from a whole number of cents, as payment services give amounts."""
    if isinstance(value, str) and _CENTS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _MAX_EURO * 100:
        return None
    return euro(str(Decimal(value) / 100))


def date_text(value: object, form: str = "") -> str | None:
    """`3 dicembre`; `weekday`: `giovedì 3 dicembre`; `year`: `3 dicembre 2026`; `short`: `3/12`."""
    day = read_when(value)
    if day is None:
        return None
    if form == "short":
        return f"{day.day}/{day.month}"
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return {
        "": text,
        "weekday": f"{_WEEKDAYS[day.weekday()]} {text}",
        "year": f"{text} {day.year}",
    }.get(form)


def time_text(value: object) -> str | None:
    """`9:30` in Rome; None for a date without a time."""
    moment: datetime | date | None = read_when(value)
    return f"{moment.hour}:{moment.minute:02}" if isinstance(moment, datetime) else None


def number_text(number: float) -> str | None:
    """Whole numbers exactly, others with a decimal comma; None if it is not finite."""
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        return None
    digits = f"{Decimal(repr(number)):f}".replace(".", ",")
    return digits.removesuffix(",0")


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Decimal(repr(value)) if abs(value) < _MAX_EURO else None
    return _parsed_amount(value) if isinstance(value, str) else None


def _parsed_amount(value: str) -> Decimal | None:
    text = value.strip()
    found = (
        _AMOUNT.fullmatch(re.sub(r"\s", " ", text.lower())) if len(text) <= _MAX_AMOUNT else None
    )
    if found is None or (found["before"] and found["after"]) or (found["sign"] and found["minus"]):
        return None
    number = _number(found["number"])
    is_negative = found["sign"] or found["minus"]
    return -number if number is not None and is_negative else number


def _number(text: str) -> Decimal | None:
    if _EITHER_AMOUNT.fullmatch(text):
        return None
    if _MACHINE_AMOUNT.fullmatch(text):
        return Decimal(text)
    if _ITALIAN_AMOUNT.fullmatch(text):
        return Decimal(text.replace(".", "").replace(" ", "").replace(",", "."))
    if _SWISS_AMOUNT.fullmatch(text):
        return Decimal(text.replace("'", "").replace("’", ""))
    return Decimal(text.replace(".", "")) if _THOUSANDS.fullmatch(text) else None
