"""Text that a stranger typed, as it may stand within a line."""

import unicodedata

# Control signs, halves of pairs, line separators, and marks that turn the reading direction.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """On one line, without control signs and doubled blanks."""
    signs = (" " if _is_unprintable(sign) else sign for sign in text)
    return " ".join("".join(signs).split())


def is_blank(text: str) -> bool:
    """Whether `one_line` would leave nothing."""
    return all(sign.isspace() or _is_unprintable(sign) for sign in text)


def _is_unprintable(sign: str) -> bool:
    return unicodedata.category(sign) in _UNPRINTABLE or sign in _DIRECTION
