"""Makes text that a visitor typed safe to insert into a message."""

import unicodedata

# Control characters, unpaired surrogates, line separators; below, direction characters.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Invisible: a name of nothing else is empty, and one between two spaces would leave both.
_INVISIBLE = frozenset("\u00ad\u115f\u1160\u180e\u200b\u200c\u2060\u2800\u3164\ufeff\uffa0")
_JOINING = frozenset("\u200d\ufe0e\ufe0f")  # join several characters into one, mostly emoji


def sanitize(text: str) -> str:
    """Return the text on one line, without control or invisible characters or doubled spaces."""
    if is_blank(text):
        return ""
    chars = (" " if _is_unprintable(char) else char for char in text if char not in _INVISIBLE)
    return " ".join("".join(chars).split())


def is_blank(text: str) -> bool:
    """Whether `sanitize` leaves nothing, as no character is visible."""
    return all(
        char.isspace() or char in _INVISIBLE or char in _JOINING or _is_unprintable(char)
        for char in text
    )


def _is_unprintable(char: str) -> bool:
    return unicodedata.category(char) in _UNPRINTABLE or char in _DIRECTION
