"""Text that a stranger typed, as it may stand within a line."""

import unicodedata

# Control signs, halves of pairs, line separators, and marks that turn the reading direction.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Nobody sees them: a name of nothing else is none, and one between two blanks makes them two.
_INVISIBLE = frozenset("\u00ad\u115f\u1160\u180e\u200b\u200c\u2060\u2800\u3164\ufeff\uffa0")
_JOINING = frozenset("\u200d\ufe0e\ufe0f")  # make one sign of several, an emoji above all


def one_line(text: str) -> str:
    """On one line, without control and invisible signs and doubled blanks."""
    if is_blank(text):
        return ""
    signs = (" " if _is_unprintable(sign) else sign for sign in text if sign not in _INVISIBLE)
    return " ".join("".join(signs).split())


def is_blank(text: str) -> bool:
    """Whether `one_line` leaves nothing, as there is nothing to see."""
    return all(
        sign.isspace() or sign in _INVISIBLE or sign in _JOINING or _is_unprintable(sign)
        for sign in text
    )


def _is_unprintable(sign: str) -> bool:
    return unicodedata.category(sign) in _UNPRINTABLE or sign in _DIRECTION
