"""Makes text that a visitor typed safe to insert into a message."""

import unicodedata

from openvoip_sms.rules.links import is_address, spans

# Control characters, unpaired surrogates, line separators.
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
# Invisible: a name of nothing else is empty, and one between two spaces would leave both. Most
# stand inside words, which they must not part; the second line gives the direction of letters.
_INVISIBLE = frozenset(
    "\u00ad\u034f\u115f\u1160\u180e\u200b\u200c\u2060\u2061\u2062\u2063\u2064\u2800\u3164\ufeff\uffa0"
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    "\u206a\u206b\u206c\u206d\u206e\u206f"
)
_JOINING = frozenset("\u200d\ufe0e\ufe0f")  # join several characters into one, mostly emoji
MAX_READ = 2000  # characters of a value that are read at all


def capped(text: str) -> str:
    """The beginning of a long value, without a word or a link that the end would cut."""
    if len(text) <= MAX_READ or len(text := text.strip()) <= MAX_READ:
        return text
    kept = text[:MAX_READ]
    last_link = max((start for start, _ in spans(kept)), default=0)
    if last_link > MAX_READ // 2:  # its spaces may go on behind the end
        return kept[:last_link]
    words = kept.rstrip() if text[MAX_READ].isspace() else kept.rsplit(maxsplit=1)[0]
    return words if len(words) < len(kept) or not is_address(kept) else ""


def sanitize(text: str) -> str:
    """Return the text on one line, without control or invisible characters or doubled spaces."""
    return " ".join(on_one_line(text).split())


def on_one_line(text: str) -> str:
    """The same with its doubled spaces, which inside a link must not be lost."""
    if is_blank(text):
        return ""
    return "".join(
        " " if char.isspace() or _is_unprintable(char) else char
        for char in text
        if char not in _INVISIBLE
    )


def is_blank(text: str) -> bool:
    """Whether `sanitize` leaves nothing, as no character is visible."""
    return all(
        char.isspace() or char in _INVISIBLE or char in _JOINING or _is_unprintable(char)
        for char in text
    )


def _is_unprintable(char: str) -> bool:
    return unicodedata.category(char) in _UNPRINTABLE
