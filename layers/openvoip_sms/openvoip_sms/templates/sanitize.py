"""Text that a stranger typed, as it may be put into a line."""

import unicodedata

# Control characters, halves of pairs, line separators, and marks that turn the reading direction.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Nobody sees them: a name of nothing else is none, and one between two spaces makes them two.
_INVISIBLE = frozenset("\u00ad\u115f\u1160\u180e\u200b\u200c\u2060\u2800\u3164\ufeff\uffa0")
_JOINING = frozenset("\u200d\ufe0e\ufe0f")  # make one character of several, an emoji above all


def sanitize(text: str) -> str:
    """On one line, without control and invisible characters and doubled spaces."""
    if is_blank(text):
        return ""
    chars = (" " if _is_unprintable(char) else char for char in text if char not in _INVISIBLE)
    return " ".join("".join(chars).split())


def is_blank(text: str) -> bool:
    """Whether `sanitize` leaves nothing, as there is nothing to see."""
    return all(
        char.isspace() or char in _INVISIBLE or char in _JOINING or _is_unprintable(char)
        for char in text
    )


def _is_unprintable(char: str) -> bool:
    return unicodedata.category(char) in _UNPRINTABLE or char in _DIRECTION
