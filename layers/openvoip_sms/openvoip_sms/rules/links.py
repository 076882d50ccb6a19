"""Links in a text, with or without their scheme: they are kept whole, as half a link is useless.

What an address may not contain as it is (spaces, accents) is percent-encoded, a host in IDNA.
"""

import re
import unicodedata
from urllib.parse import quote

# Without scheme and `www.` only a host of one of these, as `ore 9.30/10` is no address.
_TLD = (
    r"(?:com|net|org|edu|gov|eu|info|biz|mobi|io|app|dev|page|link|click|shop|store|online"
    r"|site|website|web|tech|cloud|news|live|email|example|it|sm|va|ch|at|de|fr|es|pt|uk|ie|nl|be|lu"
    r"|pl|cz|sk|si|hr|ro|bg|gr|mt|cy|hu|dk|fi|ee|lt|lv|us|ca|au|cn|jp|me|tv|cc|co|ly|gl|gd"
    r"|to|rs|ru|ua|tr)"
)
_HOST = rf"(?<![\w.@-])(?:[^\W_][\w-]*\.)+{_TLD}(?![\w-])"
_START = re.compile(rf"https?://|www\.(?=\w)|{_HOST}(?=[/?#]|:[0-9])", re.IGNORECASE)
_ADDRESS = re.compile(rf"://|www\.|{_HOST}|\w@\w|\w\.\w+/", re.IGNORECASE)
_OPEN = re.compile(rf"(?:https?://|www\.|{_HOST}[/?#])[^\s\"<>]*\Z", re.IGNORECASE)
_PARTS = re.compile(r"((?:https?://)?)([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_CLOSES = ".,;:!?'`´\"«»“”‘’…–—>"  # after a link, these are the sentence's
_QUOTED = {'"': '"', "<": ">", "'": "'", "«": "»", "“": "”", "`": "`"}
_SAFE = "-._~:/?#[]@!$&'()*+,;=%"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_HOST = 253  # RFC 1035, and the bound of the work for it
_DOTS = re.compile(r"(?:(?<!\.)\.{2,}|…)[)\]'\"»”’]*\Z")

# Words after a link that belong to it, as somebody forgot to encode its spaces.
_QUERY_GOES_ON = re.compile(r"[&?][\w.\[\]%-]+=|%[0-9A-Fa-f]{2}")
_PATH_GOES_ON = re.compile(r"/|\.(?:pdf|html?|php|aspx?|jsp)\b", re.IGNORECASE)
_NO_PATH = re.compile(r"[\d/.,:-]+|\w{1,4}/\w{1,4}")  # 3/12/2026, e/o
_CODE = re.compile(r"(?=[A-Z-]*[0-9])[A-Z0-9-]+|[A-Z]{1,4}")
_CODE_GOES_ON = re.compile(r"[?&][^=&#]+=[^&#]*[A-Z0-9]\Z|/[^/?#]*[0-9][^/?#]*\Z")
_PLACE = re.compile(
    r"(?:(?:nell|dell|sull|all|dall)['’])?[^\W\d_a-zà-ÿ][\w'’-]*"
    r"|d[aei]|del|della|degli|delle|in|nel|nella|sul|sulla|al"
)
_PLACE_GOES_ON = re.compile(r"[?&][^=&#]+=[^\W\d_]+\Z")
_MAX_SPACES = 70  # in one link


def is_address(word: str) -> bool:
    """Whether a word has something that leads nowhere when it is cut: a link, an e-mail address."""
    return _ADDRESS.search(word) is not None


def is_open(text: str) -> bool:
    """Whether the end of `text` is inside a link, which what follows continues."""
    return _OPEN.search(text) is not None and text[-1] not in ")'\"»”’;!"


def spans(text: str) -> list[tuple[int, int]]:
    """Where the links of a text begin and end, without the punctuation that follows them."""
    found, at = [], 0
    while start := _START.search(text, at):
        at = _end(text, start.start())
        found.append((start.start(), at))
        at = max(at, start.end())
    return found


def host_end(text: str, start: int, end: int) -> int:
    """Where the host of a link ends, whose span `spans` has returned."""
    parts = _PARTS.match(text, start, end)
    return parts.end(2) if parts else start


def encoded(text: str) -> str:
    """A part of a link, with what it may not contain percent-encoded."""
    stray = _STRAY_PERCENT.sub("%25", unicodedata.normalize("NFC", text))
    return quote(stray, safe=_SAFE, errors="replace")


def words_of(text: str) -> list[str]:
    """The words of a text of one line, each link being one of them, whole and encoded.

    A link that cannot be kept whole is left out: its host is impossible, or it was cut before.
    """
    words, result, at = text.strip().split(" "), [], 0
    while at < len(words):
        end = at + 1
        if _START.search(words[at]):
            end = _end_of_link(words, at)
            result.append(_encoded_word(" ".join(words[at:end])))
        else:
            result.append(words[at])
        at = end
    return [word for word in result if word]


def _end(text: str, start: int) -> int:
    """Where the link ends that begins at `start`."""
    closing = _QUOTED.get(text[start - 1 : start], "")
    stop = re.compile(rf"[\s{re.escape(closing)}]|[,;|](?=https?://|www\.)", re.IGNORECASE)
    found = stop.search(text, start)
    end = found.start() if found else len(text)
    unopened = {
        closes: text.count(closes, start, end) - text.count(opens, start, end)
        for opens, closes in ("()", "[]")
    }
    while end > start and (text[end - 1] in _CLOSES or unopened.get(text[end - 1], 0) > 0):
        end -= 1
        if text[end] in unopened:
            unopened[text[end]] -= 1
    return end


def _end_of_link(words: list[str], at: int) -> int:
    """The index after the last word of the link that begins in `words[at]`."""
    rest = words[at + 1 : at + 1 + _MAX_SPACES]
    after = next((n for n, word in enumerate(rest) if _START.search(word)), len(rest))
    rest = rest[:after]
    start = _START.search(words[at])
    if words[at][-1] in ".,;!" or start is None or not _path(words[at][start.start() :]):
        return at + 1
    queries = [n for n, word in enumerate(rest) if _QUERY_GOES_ON.search(word)]
    if queries:
        return at + 2 + queries[-1]
    is_whole_field = at == 0 and len(words) == 1 + len(rest) and _START.match(words[0]) is not None
    return len(words) if rest and is_whole_field and _all_belong(words[0], rest) else at + 1


def _all_belong(link: str, words: list[str]) -> bool:
    """Whether a field that begins with a link has nothing else."""
    rest = " ".join(words).rstrip(".,;").split()
    if not rest:
        return False
    if _PATH_GOES_ON.search(rest[-1]) and not _NO_PATH.fullmatch(rest[-1]):
        return True
    if _CODE_GOES_ON.search(link) and all(map(_CODE.fullmatch, rest)):
        return True
    return _PLACE_GOES_ON.search(link) is not None and all(map(_PLACE.fullmatch, rest))


def _encoded_word(word: str) -> str:
    """Encode the links in a word, spaces included; empty if one of them cannot be whole."""
    start = _START.search(word)
    if start is None:
        return word
    end = _end_with_spaces(word, start.start())
    if (dots := _DOTS.search(word)) is not None:
        if _path(word[start.start() : dots.start()]):
            return ""
        word = word[: dots.start()]
    link = _encoded_link(word[start.start() : end])
    if not link:
        return ""
    rest = word[end:]
    if not _START.search(rest):
        return word[: start.start()] + link + rest
    following = _encoded_word(rest)
    return word[: start.start()] + link + following if following else ""


def _end_with_spaces(word: str, start: int) -> int:
    """As `_end`, where the spaces are known to belong to the link."""
    return _end(word.replace(" ", "_"), start)


def _path(link: str) -> str:
    parts = _PARTS.match(link)
    return parts[3] if parts else ""


def _encoded_link(link: str) -> str:
    parts = _PARTS.match(link)
    scheme, host, rest = parts.groups() if parts else ("", "", link)
    if host.isascii():
        return scheme + encoded(host + rest)
    name, colon, port = host.partition(":")
    try:
        ascii_name = name.encode("idna").decode() if len(name) <= _MAX_HOST else ""
    except UnicodeError:
        ascii_name = ""
    return scheme + ascii_name + colon + port + encoded(rest) if ascii_name else ""
