"""Names as people and devices write them, and what is no name."""

import re
import unicodedata

from openvoip_sms.rules.links import is_address
from openvoip_sms.rules.text import NOT_UTF_8
from openvoip_sms.templates.plain import plain
from openvoip_sms.templates.sanitize import capped, sanitize

_APOSTROPHES = "'’‘‛ʼʻʽʾʿˈʹˊˋ′‵´`＇՚ꞌ\u0374\u1fbd\u1fbf"
_HYPHENS = "-‐‑‒–—―−⁃˗﹘﹣－"
_PLAIN_SIGNS = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_HYPHENS, "-"),
)
_HONORIFICS = frozenset(
    "sig sigra sig.ra sigrna sig.na signor signora signorina egr gent.mo gent.ma gent.le spett.le"
    " dott dottssa dott.ssa dottor dottore dottoressa dr drssa dr.ssa avv avv.to ing arch geom rag"
    " prof profssa prof.ssa mr mrs ms".split()
)
_WRAPPING = '"“”„«»()[]*_~-'
_SYMBOLS = ("So", "Sk")  # emoji and their skin tones
# Joins Indic letters; the selectors choose between an emoji and a character.
_STRAY_JOINERS = re.compile("(?<![\u0900-\u0dff])\u200d|[\ufe00-\ufe0f]")
# By category: L a letter, M a mark on it (accents, vowel signs), as many as a script needs.
_NAME = re.compile(r"'?(?:LM{0,4}J?)+(?:(?:'*[-·׳־]'*|'+)(?:LM{0,4}J?)+)*['׳]*")
_INITIALS = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])+\.?")
_INITIAL_AND_NAME = re.compile(r"([^\W\d_])\.([^\W\d_]{3,}['-]?[^\W\d_]*'?)")
_DOTTED_HONORIFIC = re.compile(
    r"((?:dott|dr|prof)\.ssa|sig\.r?na|sig\.ra|[^\W\d_]+)\.(?=[^\W\d_]{3,})", re.IGNORECASE
)
_SPACE_AFTER_APOSTROPHE = re.compile(r"\b([dlo]|d[ae]ll|sant)' +(?=[^\W\d_])", re.IGNORECASE)
_INITIAL = r"[^\W\d_]\."
_SPACE_AFTER_INITIAL = re.compile(rf"({_INITIAL}) (?={_INITIAL}(?: |\Z)|[^\W\d_]{{3,}} \w)")
_SPACES = re.compile(r"(\s+)")
_PARTS = re.compile(rf"([{re.escape(_APOSTROPHES + _HYPHENS)}])")
_MAX_NAME = 30  # letters
_MAX_READ = 200  # characters


def title(value: object) -> str | None:
    """`MARIO D'ANGELO` and `mario d'angelo` become `Mario D'Angelo`; `McDonald` stays."""
    if not isinstance(value, str):
        return None
    words = _SPACES.split(capped(value))
    return "".join(word if is_address(word) else _capitalized(word) for word in words)


def first_name(value: object) -> str | None:
    """The first name of a full one, without honorifics, in title case.

    None when it is no name: what a visitor types may be a link, which must not be sent. A name that
    was not UTF-8 is returned as U+FFFD, so that the text with it is refused.
    """
    words = _plain_words(value) if isinstance(value, str) else []
    name = next((word for word in words if not _is_honorific(word)), "").rstrip(".,")
    if NOT_UTF_8 in name:
        return NOT_UTF_8
    if _INITIALS.fullmatch(name):
        return f"{name.upper()}."
    if is_address(name):
        return None
    if initial := _INITIAL_AND_NAME.fullmatch(name):
        return f"{initial[1].upper()}. {_capitalized(initial[2])}"
    return _capitalized(name) if _is_name(name) else None


def _plain_words(value: str) -> list[str]:
    """The words without what is around a name: quotation marks, emoji, invisible characters."""
    text = sanitize(plain(capped(value))[:_MAX_READ])
    text = unicodedata.normalize("NFC", _STRAY_JOINERS.sub("", text).translate(_PLAIN_SIGNS))
    latin = "".join(map(_latin, text)).replace(",", ", ")
    joined = _SPACE_AFTER_INITIAL.sub(r"\1", _SPACE_AFTER_APOSTROPHE.sub(r"\1'", latin))
    words = map(_unwrapped, joined.split())
    return [word for word in words if any(char.isalnum() or char == NOT_UTF_8 for char in word)]


def _latin(char: str) -> str:
    """Full-width, bold or joined Latin letters as plain ones; other scripts would be harmed."""
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if compatible.isascii() else char


def _unwrapped(word: str) -> str:
    symbols = {char for char in word if unicodedata.category(char) in _SYMBOLS} - {NOT_UTF_8}
    word = word.strip(_WRAPPING + "".join(symbols))
    if word.startswith("'") and word.rstrip(".,").endswith("'"):
        word = word.strip("'")
    without = _DOTTED_HONORIFIC.match(word)
    is_joined = without and _is_honorific(without[1]) and not _is_honorific(word)
    if without and is_joined and not is_address(word):
        word = word[without.end() :]
    return re.sub("''+", "'", word)


def _is_honorific(word: str) -> bool:
    return word.lower().rstrip(".") in _HONORIFICS


def _is_name(word: str) -> bool:
    letters = sum(unicodedata.category(char)[0] == "L" for char in word)
    return letters <= _MAX_NAME and _NAME.fullmatch("".join(map(_shape, word))) is not None


def _shape(char: str) -> str:
    if char == "\u200d":
        return "J"
    category = unicodedata.category(char)[0]
    if char in "'-·׳־":
        return char
    return category if category in "LM" else "?"


def _capitalized(word: str) -> str:
    if _INITIALS.fullmatch(word):
        return word.upper()
    return "".join(map(_titled, _PARTS.split(word)))


def _titled(part: str) -> str:
    """Python writes the small form of the Turkish İ as two characters."""
    if not (part.isupper() or part.islower()):
        return part
    return part.capitalize().replace("i\u0307", "i")
