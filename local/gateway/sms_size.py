"""How many segments a text takes (3GPP TS 23.038, TS 23.040), for display."""

from collections.abc import Iterable
from typing import NamedTuple

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("^{}\\[~]|€\f")
_LAST_SINGLE_UNIT = 0xFFFF  # a character beyond it takes a surrogate pair


class SmsSize(NamedTuple):
    """The encoding of a text and the number of segments it takes."""

    encoding: str
    segments: int


def sms_size(text: str) -> SmsSize:
    """160 septets alone or 153 a segment in GSM-7; 70 or 67 UTF-16 units in UCS-2."""
    if _BASIC.union(_EXTENSION).issuperset(text):
        return SmsSize("GSM-7", _pack((1 + (char in _EXTENSION) for char in text), 160, 153))
    return SmsSize("UCS-2", _pack((1 + (ord(char) > _LAST_SINGLE_UNIT) for char in text), 70, 67))


def _pack(costs: Iterable[int], single: int, concatenated: int) -> int:
    """A character of two units is never split: it moves to the next segment whole."""
    units = list(costs)
    if sum(units) <= single:
        return 1
    segments, used = 1, 0
    for cost in units:
        if used + cost > concatenated:
            segments, used = segments + 1, 0
        used += cost
    return segments
