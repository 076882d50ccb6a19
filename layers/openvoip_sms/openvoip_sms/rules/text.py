"""Which texts can be sent."""

import re
import unicodedata
from itertools import groupby

from openvoip_sms.rules.invalid import Invalid, code_point

MAX_CHARS = 163_200  # of any text: 255 segments in the longest form that becomes so many
CHARS_OF_A_SEGMENT = 640  # at most: 160 letters, each composed of four characters
MAX_COMBINING = 30  # marks on one letter (UAX 15, 13): to put longer runs in order is quadratic
# They do not count as combining, but are composed of characters that do.
_MADE_OF_COMBINING = frozenset("\u0f73\u0f75\u0f81")

# The two last code points of each of Unicode's 17 planes.
_LAST_OF_PLANES = "".join(
    chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)

# A carriage return is allowed: pasted texts contain it, and it becomes a newline. The two overrides
# show letters in another order than they are sent.
_FAULTS = (
    ("unpaired_surrogate", "half of a surrogate pair", re.compile("[\ud800-\udfff]")),
    (
        "control_character",
        "a control character",
        re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    ),
    (
        "bidi_override",
        "a character that shows letters in another order",
        re.compile("[\u202d\u202e]"),
    ),
    (
        "noncharacter",
        "no character",
        re.compile(f"[\ufdd0-\ufdef{_LAST_OF_PLANES}]"),
    ),
    (
        "private_use",
        "a private character of some font or phone, which others do not show",
        re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"),
    ),
    (
        "not_shown",
        "a mark for programs, which no phone shows",
        # of annotations, embedded objects, shorthand, musical notation, languages
        re.compile("[\ufff9-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001]"),
    ),
)
NOT_UTF_8 = "\ufffd"  # what AWS puts in place of bytes that are not UTF-8
_INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")
# Not of these categories: variation selectors, grapheme joiner, fillers.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_BRAILLE_BLANK = "\u2800"


class InvalidText(Invalid):
    """A text that a phone could not show as intended."""


def check_text(raw: str, max_chars: int = MAX_CHARS) -> str:
    """Return the text with its line breaks (CRLF, CR) as newlines.

    It can be normalized in a time that grows with its length, and no faster.

    Raises:
        InvalidText: it has no visible character, or one that cannot be sent, or too many.
    """
    if len(raw) > max_chars:
        raise InvalidText(
            "too_long",
            f"The text has {len(raw)} characters, and no text of more than {max_chars} fits into "
            "the allowed segments: shorten it.",
        )
    for reason, what, fault in _FAULTS:
        if found := fault.search(raw):
            raise InvalidText(
                reason,
                f"Character {found.start() + 1} of the text, {code_point(found[0])}, is {what}, "
                "which cannot be sent: remove it.",
            )
    check_utf_8(raw, "text")
    if _longest_run_of_marks(raw) > MAX_COMBINING:
        raise InvalidText(
            "combining_marks",
            f"The text has more than {MAX_COMBINING} combining marks on one letter: remove them.",
        )
    if all(map(_is_invisible, raw)):
        raise InvalidText("empty", "The text is empty: it has no visible character.")
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def check_utf_8(raw: str, what: str) -> None:
    """Refuse what has lost characters on its way.

    Raises:
        InvalidText: there is a U+FFFD, which stands for bytes that were not UTF-8.
    """
    if (at := raw.find(NOT_UTF_8)) >= 0:
        raise InvalidText(
            "not_utf8",
            f"Character {at + 1} of the {what} is U+FFFD, which stands for bytes that were not "
            "UTF-8: let the sending program encode its JSON or form in UTF-8.",
        )


def _is_invisible(char: str) -> bool:
    is_unseen = UNSEEN.match(char) is not None or char == _BRAILLE_BLANK
    return is_unseen or unicodedata.category(char) in _INVISIBLE


def _longest_run_of_marks(text: str) -> int:
    if text.isascii():
        return 0
    runs = groupby(text, _is_combining)
    return max((sum(1 for _ in run) for is_combining, run in runs if is_combining), default=0)


def _is_combining(char: str) -> bool:
    return unicodedata.combining(char) > 0 or char in _MADE_OF_COMBINING
