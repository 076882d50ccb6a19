"""The cost of a text by character, and a cheaper version of it."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from openvoip_sms.rules.invalid import code_point
from openvoip_sms.rules.record import Record
from openvoip_sms.rules.segments import (
    GSM_7,
    GSM_7_EXTENSION,
    Encoding,
    cost_of,
    count,
    encoding_of,
)
from openvoip_sms.rules.smart_encoding import smart

# For characters of two septets; € has none.
_ONE_SEPTET = dict(zip("[]{}\\~|", "()()/-/", strict=True))
_LINK_OR_CHARACTER = re.compile(r"https?://\S+|[\[\]{}\\~|]", re.IGNORECASE)
_GAP = "\0"  # marks removed characters while the text is assembled
_SPARE_SPACE = re.compile(rf"^{_GAP}+ ?| ?{_GAP}+(?=[ ,.;:!?)\n]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CostlyCharacter:
    """A character that alone makes the whole text UCS-2, or that takes two septets.

    `units` are what each takes: UTF-16 units in UCS-2, septets in GSM-7.
    """

    character: str
    name: str
    count: int
    units: int
    forces_ucs2: bool


@dataclass(frozen=True, slots=True)
class TextCost:
    """A text and its price."""

    text: str = field(repr=False)
    encoding: str
    segments: int
    cost_eur: Decimal
    characters: tuple[CostlyCharacter, ...] = field(repr=False)


def cost_on_record(record: Record) -> TextCost | None:
    """The cost on the service's record; None where the text was rejected."""
    text, encoding, segments, cost = record.text, record.encoding, record.segments, record.cost_eur
    if text is None or encoding is None or segments is None or cost is None:
        return None
    return TextCost(text, encoding, segments, cost, _costly(text))


def text_cost(text: str, price: Decimal) -> TextCost:
    """`price` is that of a segment."""
    segments = count(text)
    return TextCost(text, str(encoding_of(text)), segments, segments * price, _costly(text))


def _costly(text: str) -> tuple[CostlyCharacter, ...]:
    encoding = encoding_of(text)
    forces = encoding is Encoding.UCS_2
    return tuple(
        CostlyCharacter(char, _name(char), times, cost_of(char, encoding), forces)
        for char, times in Counter(text).items()
        if (char not in GSM_7 if forces else char in GSM_7_EXTENSION)
    )


def _name(char: str) -> str:
    return f"{code_point(char)} {unicodedata.name(char, '')}".strip()


def cheaper_text(text: str) -> str | None:
    """Return a version with fewer segments, for a person to judge; None if there is none.

    Characters that GSM-7 cannot represent are removed, unless they are letters, without which the
    meaning would change. Brackets and the like, outside links, are replaced by characters of
    one septet.
    """
    without = _left_out(unicodedata.normalize("NFC", text))
    if without is None:
        return None
    candidates = [smart(without).text, smart(_with_single_septets(without)).text]
    best = min((one for one in candidates if one), key=count, default=text)
    return best if count(best) < count(text) else None


def _left_out(text: str) -> str | None:
    outside = {char for char in set(text) - GSM_7 if not GSM_7.issuperset(smart(char).text)}
    if any(unicodedata.category(char)[0] == "L" for char in outside):
        return None
    marked = "".join(_GAP if char in outside else char for char in text)
    return _SPARE_SPACE.sub("", marked).replace(_GAP, "").strip()


def _with_single_septets(text: str) -> str:
    return _LINK_OR_CHARACTER.sub(lambda found: _ONE_SEPTET.get(found[0], found[0]), text)
