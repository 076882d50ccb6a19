"""What a text costs, sign by sign, and how it could be written for less."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from openvoip_sms.rules.invalid import code_point
from openvoip_sms.rules.segments import (
    GSM_7,
    GSM_7_EXTENSION,
    Encoding,
    cost_of,
    count,
    encoding_of,
)
from openvoip_sms.rules.smart_encoding import smart

_ONE_SEPTET = dict(zip("[]{}\\~|", "()()/-/", strict=True))  # for signs of two; € has none
_LINK_OR_SIGN = re.compile(r"https?://\S+|[\[\]{}\\~|]", re.IGNORECASE)
_GAP = "\0"  # stands for signs left out while the text is put together
_SPARE_BLANK = re.compile(rf"^{_GAP}+ ?| ?{_GAP}+(?=[ ,.;:!?)\n]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CostlySign:
    """A sign that alone makes the whole text UCS-2, or that takes two septets.

    `units` are what each takes: UTF-16 units in UCS-2, septets in GSM-7.
    """

    sign: str
    name: str
    count: int
    units: int
    forces_ucs2: bool


@dataclass(frozen=True, slots=True)
class Writing:
    """A text and its price."""

    text: str = field(repr=False)
    encoding: str
    segments: int
    cost_eur: Decimal
    signs: tuple[CostlySign, ...] = field(repr=False)


def writing(text: str, price: Decimal) -> Writing:
    """`price` is that of a segment."""
    segments = count(text)
    return Writing(text, str(encoding_of(text)), segments, segments * price, _costly(text))


def _costly(text: str) -> tuple[CostlySign, ...]:
    encoding = encoding_of(text)
    forces = encoding is Encoding.UCS_2
    return tuple(
        CostlySign(sign, _name(sign), times, cost_of(sign, encoding), forces)
        for sign, times in Counter(text).items()
        if (sign not in GSM_7 if forces else sign in GSM_7_EXTENSION)
    )


def _name(sign: str) -> str:
    return f"{code_point(sign)} {unicodedata.name(sign, '')}".strip()


def cheaper(text: str) -> str | None:
    """Another text of fewer segments, for a person to judge; None if none is known.

    Signs that GSM-7 cannot write are left out, unless they are letters: without its letters a text
    says something else. Brackets and the like, outside links, are written with signs of one septet.
    """
    without = _left_out(unicodedata.normalize("NFC", text))
    if without is None:
        return None
    candidates = [smart(without).text, smart(_with_single_signs(without)).text]
    best = min((one for one in candidates if one), key=count, default=text)
    return best if count(best) < count(text) else None


def _left_out(text: str) -> str | None:
    outside = {sign for sign in set(text) - GSM_7 if not GSM_7.issuperset(smart(sign).text)}
    if any(unicodedata.category(sign)[0] == "L" for sign in outside):
        return None
    marked = "".join(_GAP if sign in outside else sign for sign in text)
    return _SPARE_BLANK.sub("", marked).replace(_GAP, "").strip()


def _with_single_signs(text: str) -> str:
    return _LINK_OR_SIGN.sub(lambda found: _ONE_SEPTET.get(found[0], found[0]), text)
