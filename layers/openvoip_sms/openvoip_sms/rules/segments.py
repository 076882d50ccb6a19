"""Encoding of a text and its segments, which determine the price.

Alphabet and extension table: 3GPP TS 23.038. It has capital Ç and not small ç, which some mapping
tables show at position 0x09. How the gateway splits a text is not published, so the number of
segments is an estimate.
"""

from enum import StrEnum

GSM_7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENSION = frozenset("€[]{}\\^~|\f")  # an escape and a character: two septets
GSM_7 = GSM_7_BASIC | GSM_7_EXTENSION


class Encoding(StrEnum):
    """The encoding of a whole text: one character outside GSM-7 makes all of it UCS-2."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


_SINGLE = {Encoding.GSM_7: 160, Encoding.UCS_2: 70}  # septets, UTF-16 code units
_CONCATENATED = {Encoding.GSM_7: 153, Encoding.UCS_2: 67}  # less the concatenation header


def encoding_of(text: str) -> Encoding:
    return Encoding.GSM_7 if GSM_7.issuperset(text) else Encoding.UCS_2


def cost_of(char: str, encoding: Encoding) -> int:
    """1 or 2: septets of a character in GSM-7, UTF-16 code units in UCS-2."""
    double = char in GSM_7_EXTENSION if encoding is Encoding.GSM_7 else char > "\uffff"
    return 2 if double else 1


def count(text: str) -> int:
    """The number of segments; 0 for an empty text."""
    return len(split(text))


def split(text: str) -> list[str]:
    """The segments of a text, in order. A character of two units is never split."""
    encoding = encoding_of(text)
    costs = {char: cost_of(char, encoding) for char in set(text)}
    if sum(map(costs.__getitem__, text)) <= _SINGLE[encoding]:
        return [text] if text else []
    return _split(text, costs, _CONCATENATED[encoding])


def _split(text: str, costs: dict[str, int], limit: int) -> list[str]:
    segments, start, used = [], 0, 0
    for at, char in enumerate(text):
        used += costs[char]
        if used > limit:
            segments.append(text[start:at])
            start, used = at, costs[char]
    return [*segments, text[start:]]
