"""How many SMS a text makes on the air (3GPP TS 23.038, TS 23.040), for display."""

from collections.abc import Iterable
from typing import NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
_LAST_SINGLE_UNIT = 0xFFFF  # what lies beyond takes a pair of UTF-16 units


class Size(NamedTuple):
    """The alphabet a text travels in, and the number of SMS it takes."""

    encoding: str
    segments: int


def size_of(text: str) -> Size:
    """160 signs alone or 153 in a chain in GSM-7; 70 or 67 UTF-16 units in UCS-2."""
    if _BASIC.union(_EXTENSION).issuperset(text):
        return Size("GSM-7", _pack((1 + (sign in _EXTENSION) for sign in text), 160, 153))
    return Size("UCS-2", _pack((1 + (ord(sign) > _LAST_SINGLE_UNIT) for sign in text), 70, 67))


def _pack(costs: Iterable[int], alone: int, chained: int) -> int:
    """A sign that takes two places is never split: it moves to the next segment whole."""
    places = list(costs)
    if sum(places) <= alone:
        return 1
    segments, used = 1, 0
    for cost in places:
        if used + cost > chained:
            segments, used = segments + 1, 0
        used += cost
    return segments
