"""Replaces characters outside GSM-7 as an Italian writer would.

One typographic apostrophe makes a whole text UCS-2, which more than halves what fits into an SMS. A
text is changed only if all of it then fits GSM-7 and takes no more segments. `È` becomes `E'` and
never `E`, which would turn "is" into "and". In a link a character is percent-encoded, as another
one would lead elsewhere.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from openvoip_sms.rules import links
from openvoip_sms.rules.segments import GSM_7, count
from openvoip_sms.rules.text import UNSEEN

# Those of the public lists of Twilio, Sinch and Telnyx, and what an Italian keyboard, Word or a PDF
# adds. What Unicode calls compatible (full width, ligatures, fonts) needs no entry: `_compatible`.
_REPLACEMENTS = {
    char: by
    for by, chars in {
        "'": "’‘‚‛‹›ʼʻʽˈʹˊˋ′‵´`❛❜❟ʾʿ՚ꞌ΄᾽᾿῾\u0313\u0314",
        '"': "“”„‟«»″‶ʺˮ˝¨❝❞〝〞〟⹂",
        "-": "‐‑‒–—―−⁃˗⎼⎽─━•·‣◦∙⋅▪●■►",
        "...": "…⋯",
        "A'": "À",
        "E'": "È",
        "I'": "Ì",
        "O'": "Ò",
        "U'": "Ù",
        "a": "ª",
        "c": "¢",
        "d": "đð",
        "D": "ĐÐ",
        "f": "ƒ",
        "h": "ħ",
        "H": "Ħ",
        "i": "ı",
        "j": "ȷ",
        "l": "łŀ",
        "L": "ŁĿ",
        "ng": "ŋ",
        "oe": "œ",
        "OE": "Œ",
        "SS": "ẞ",
        "t": "ŧ",
        "T": "Ŧ",
        "th": "þ",
        "Th": "Þ",
        "u": "µμ",
        "fi": "ﬁ",
        "fl": "ﬂ",
        "n.": "№",
        "x": "×✕✖",
        "/": "÷⁄∕⧸\u0337\u0338",
        "\\": "∖⧵⧹\u20e5",
        "|": "¦∣❘ǀ│⎸⎹⎜⎟⏐\u20d2\u20d3",
        "||": "‖∥",
        "_": "‗ˍ\u0332",
        "~": "˜˷∼〜≈\u0330\u0334",
        "^": "ˆ˄\u1dcd",
        "!": "ǃ",
        ".": "。",
        ",": "、¸\u0326",
        ";": "⁏",
        ":": "ː˸⦂꞉∶",
        "(": "❨❪⟮⦅",
        ")": "❩❫⟯⦆",
        "[": "【〔⟦",
        "]": "】〕⟧",
        "{": "❴",
        "}": "❵",
        "<": "˂❮⟨〈",
        ">": "˃❯⟩〉",
        "*": "⁎∗⊛★☆✢✣✤✥✱✲✳✺✻✼✽❃❉❊❋⧆",
        "+": "˖",
        "=": "꞊\u0347",
        "+/-": "±",
        "<=": "≤⩽",
        ">=": "≥⩾",
        "->": "→➔➜⟶",
        "<-": "←⟵",
        "=>": "⇒",
        "£": "₤",
        "(C)": "©",
        "(R)": "®",
        "(TM)": "™",
        "(SM)": "℠",
        "C": "℃",
        "F": "℉",
        "\n": "\u2028\u2029",
        " ": "\u2800",
    }.items()
    for char in chars
}
_REPLACEMENTS |= dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "ABCDEFGHIJKLMNOPRSTUVWYZ", strict=True))
# Greek and Cyrillic letters that no phone shows otherwise than the Latin ones.
_REPLACEMENTS |= dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))
_REPLACEMENTS |= dict(zip("АВЕКМНОРСТХЅІЈаеорсухѕіј", "ABEKMHOPCTXSIJaeopcyxsij", strict=True))

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

_DEGREE = "°º˚"
_OF_DEGREES = "℃℉"
_RAISED_AFTER_A_DIGIT = re.compile(r"[0-9n+=()-]")  # 10², 10⁻³, but 3ᵉ
_VISIBLE_FORMATS = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2]")
_LATIN_WITHOUT_MARK = "æøÆØ"
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
    if not outside:
        return SmartText(composed)
    part_of_link = _parts_of_links(composed)
    if not all(map(_can_be_replaced, outside)) and not all(
        _can_be_replaced(found[0]) or part_of_link(found.start()) is _Part.PATH
        for found in _OUTSIDE.finditer(composed)
    ):
        return SmartText(composed)
    rewritten = _replaced(composed, part_of_link)
    is_worth_it = GSM_7.issuperset(rewritten.text) and count(rewritten.text) <= count(composed)
    return rewritten if is_worth_it else SmartText(composed)


class _Part(Enum):
    HOST = "host"
    PATH = "path"


def _parts_of_links(text: str) -> Callable[[int], _Part | None]:
    """Return what tells in which part of a link a position is; None outside links."""
    spans = links.spans(text)
    starts = [start for start, _ in spans]
    host_ends = [links.host_end(text, *span) for span in spans]

    def part_at(at: int) -> _Part | None:
        nearest = bisect_right(starts, at) - 1
        if nearest < 0 or at >= spans[nearest][1]:
            return None
        return _Part.HOST if at < host_ends[nearest] else _Part.PATH

    return part_at


def _replaced(text: str, part_of_link: Callable[[int], _Part | None]) -> SmartText:
    replaced: Counter[tuple[str, str]] = Counter()

    def note(found: re.Match[str]) -> str:
        part = part_of_link(found.start()) if _plain(found[0]) != "" else None
        if part is _Part.HOST:
            return found[0]  # leaves the text outside GSM-7
        by = _replacement(found) if part is None else links.encoded(found[0])
        replaced[found[0], by] += 1
        return by

    rewritten = _OUTSIDE.sub(note, text)
    return SmartText(
        rewritten, tuple(Replacement(*pair, times) for pair, times in replaced.items())
    )


def _can_be_replaced(char: str) -> bool:
    return char in _DEGREE or _plain(char) is not None


def _replacement(found: re.Match[str]) -> str:
    char, at = found[0], found.start()
    before, after = found.string[max(0, at - _CONTEXT) : at], found.string[at + 1 : at + 4]
    if char in _DEGREE:
        return _degree(before, after)
    if char in _AT_WORD_END and not after[:1].isalpha():
        return _AT_WORD_END[char]
    by = _plain(char) or ""
    if char in _OF_DEGREES:
        return f" {by}" if before[-1:].isdecimal() else by
    return _joint(char, by) + by if before[-1:].isdecimal() else by


def _joint(char: str, by: str) -> str:
    """What parts a number from its exponent, base or fraction: 10^2, 10_2, 1 1/2."""
    kind = unicodedata.decomposition(char).partition(" ")[0]
    if kind == "<sub>":
        return "_"
    if kind == "<fraction>":
        return " "
    return "^" if kind == "<super>" and _RAISED_AFTER_A_DIGIT.fullmatch(by) else ""


@lru_cache(maxsize=4096)
def _plain(char: str) -> str | None:
    """The character in GSM-7, whatever stands beside it; None if it has no equivalent."""
    if char in _REPLACEMENTS:
        return _REPLACEMENTS[char]
    if _is_invisible(char):
        return ""
    if unicodedata.category(char) == "Zs":
        return " "
    return _base_letter(char) or _compatible(char)


def _is_invisible(char: str) -> bool:
    if UNSEEN.match(char):
        return True
    return unicodedata.category(char) == "Cf" and not _VISIBLE_FORMATS.match(char)


def _compatible(char: str) -> str | None:
    """Unicode's compatible characters: full width, ligatures, fonts, fractions, numerals."""
    parts = unicodedata.normalize("NFKC", char)
    if parts == char:
        return None
    plain = [part if part in GSM_7 else _plain(part) for part in parts]
    text = "".join(part or "" for part in plain)
    if None in plain or not text.strip():
        return None
    return f"({text})" if unicodedata.decomposition(char).startswith("<circle>") else text


def _degree(before: str, after: str) -> str:
    """`25°C` is 25 C and `36,5°` is 36,5, but `n°5` is no5 and `1° piano` 1o piano."""
    if before.rstrip()[-1:].isdecimal() and _TEMPERATURE_UNIT.match(after):
        return "" if before[-1].isspace() or after[0].isspace() else " "
    return "" if _DECIMAL.search(before) else "o"


def _base_letter(char: str) -> str:
    """`š` without its diacritic, as in names: `s`; empty if it is no Latin letter with one."""
    letter, *diacritics = list(unicodedata.normalize("NFD", char))
    is_latin = letter.isascii() or letter in _LATIN_WITHOUT_MARK
    is_accented = diacritics and is_latin and all(map(unicodedata.combining, diacritics))
    return letter if is_accented and letter.isalpha() else ""
