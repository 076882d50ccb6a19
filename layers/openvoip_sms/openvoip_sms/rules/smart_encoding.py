"""Replaces characters outside GSM-7 as an Italian writer would.

One typographic apostrophe makes a whole text UCS-2, which more than halves what fits into an SMS. A
text is changed only if all of it then fits GSM-7 and takes no more segments. `È` becomes `E'` and
never `E`, which would turn "is" into "and".
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from openvoip_sms.rules.segments import GSM_7, count

_REPLACEMENTS = {
    char: by
    for by, chars in {
        "'": "’‘‚‛‹›ʼ′´`",
        '"': "“”„‟«»″",
        "-": "‐‑‒–—―−•·",
        "...": "…",
        "A'": "À",
        "E'": "È",
        "I'": "Ì",
        "O'": "Ò",
        "U'": "Ù",
        "a": "ª",
        "d": "đð",
        "D": "ĐÐ",
        "i": "ı",
        "l": "ł",
        "L": "Ł",
        "oe": "œ",
        "OE": "Œ",
        "SS": "ẞ",
        "fi": "ﬁ",
        "fl": "ﬂ",
        "n.": "№",
        "x": "×",
        "/": "÷",
        "+/-": "±",
        "<=": "≤",
        ">=": "≥",
        "->": "→",
        "(C)": "©",
        "(R)": "®",
        "(TM)": "™",
        "1": "¹",
        "2": "²",
        "3": "³",
        "1/2": "½",
        "1/4": "¼",
        "3/4": "¾",
        " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
        "\u202f\u205f\u3000",
        "\n": "\u2028\u2029",
        # soft hyphen, zero-width characters, direction marks, variation selectors, byte order mark
        "": "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060"
        "\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff",
    }.items()
    for char in chars
}

_AFTER_A_DIGIT = {"¹": "^1", "²": "^2", "³": "^3", "½": " 1/2", "¼": " 1/4", "¾": " 3/4"}  # 10², 1½

_AT_WORD_END = {  # cittá, cosí, virtú: acute accents that mean grave ones
    "á": "à",
    "í": "ì",
    "ó": "ò",
    "ú": "ù",
    "Á": "A'",
    "Í": "I'",
    "Ó": "O'",
    "Ú": "U'",
}

_DEGREE = "°º"
_TEMPERATURE_UNIT = re.compile(r"\s?[CF]\b")
_DECIMAL = re.compile(r"\d[.,]\d+$")
_CONTEXT = 8  # characters before one that are considered

_OUTSIDE = re.compile(f"[^{re.escape(''.join(sorted(GSM_7)))}]")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A character that was replaced, and how many times."""

    char: str
    by: str
    count: int


@dataclass(frozen=True, slots=True)
class SmartText:
    """The text to send, and its replacements: none where they would not be enough."""

    text: str
    replaced: tuple[Replacement, ...] = ()


def smart(text: str) -> SmartText:
    """Return the text composed (NFC), and in GSM-7 where replacing some characters suffices."""
    composed = unicodedata.normalize("NFC", text)
    outside = set(composed) - GSM_7
    if not outside or not all(map(_can_be_replaced, outside)):
        return SmartText(composed)
    rewritten = _replaced(composed)
    return rewritten if count(rewritten.text) <= count(composed) else SmartText(composed)


def _replaced(text: str) -> SmartText:
    replaced: Counter[tuple[str, str]] = Counter()

    def note(found: re.Match[str]) -> str:
        by = _replacement(found)
        replaced[found[0], by] += 1
        return by

    rewritten = _OUTSIDE.sub(note, text)
    return SmartText(
        rewritten, tuple(Replacement(*pair, times) for pair, times in replaced.items())
    )


def _can_be_replaced(char: str) -> bool:
    return char in _DEGREE or char in _REPLACEMENTS or _base_letter(char) != ""


def _replacement(found: re.Match[str]) -> str:
    char, at = found[0], found.start()
    before, after = found.string[max(0, at - _CONTEXT) : at], found.string[at + 1 : at + 4]
    if char in _DEGREE:
        return _degree(before, after)
    if char in _AFTER_A_DIGIT and before[-1:].isdecimal():
        return _AFTER_A_DIGIT[char]
    if char in _AT_WORD_END and not after[:1].isalpha():
        return _AT_WORD_END[char]
    return _REPLACEMENTS[char] if char in _REPLACEMENTS else _base_letter(char)


def _degree(before: str, after: str) -> str:
    """`25°C` is 25 C and `36,5°` is 36,5, but `n°5` is no5 and `1° piano` 1o piano."""
    if before.rstrip()[-1:].isdecimal() and _TEMPERATURE_UNIT.match(after):
        return "" if before[-1].isspace() or after[0].isspace() else " "
    return "" if _DECIMAL.search(before) else "o"


def _base_letter(char: str) -> str:
    """`š` without its diacritic, as in names: `s`; empty if it is no ASCII letter with one."""
    letter, *diacritics = list(unicodedata.normalize("NFD", char))
    is_accented = diacritics and letter.isascii() and all(map(unicodedata.combining, diacritics))
    return letter if is_accented and letter.isalpha() else ""
