"""Redacts the signature and the secret from what the gateway answers.

An error page may repeat the called URL. Nothing in that URL makes its signature single-use: whoever
reads it may send the same message again. The page may write it in any way, so each layer of
encoding is undone, and what is found there is cut out of the original.
"""

import base64
import html
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

MARK = "[redacted]"
MAX_LAYERS = 60  # that are searched; each layer of encoding gives a few
MAX_DEPTH = 8  # of layers of encoding that are undone
FRAGMENT = 8  # hexadecimal digits of a signature that are no coincidence
_MIN_BARE = 4  # letters and digits of a secret that are looked for without what separates them

_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9a-f]{2})+)|(?P<entity>&#x[0-9a-f]{1,8};?|&#[0-9]{1,8};?|&[a-z][a-z0-9]{1,31};)"
    r"|\\u(?P<u>[0-9a-f]{4})|\\x(?P<x>[0-9a-f]{2})|(?P<break>\\[nrtbf])",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_NAMED = re.compile(rf"verify([0-9a-f]{{{FRAGMENT},64}})")
# MD5 and SHA-1 in hexadecimal: a gateway may print the signature that it expected.
_DIGEST = re.compile(
    r"(?<![0-9a-z])(?=[0-9]*[a-f])(?:[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}")  # the shortest run with 16 digits of a signature

type Span = tuple[int, int]


def redact(text: str, signature: str, secret: str) -> str:
    """Return the text with `MARK` in place of each secret part, in whatever encoding."""
    spans = (span for layer in _layers(text) for span in _found(layer, signature, secret))
    return _cut(text, spans)


@dataclass(frozen=True, slots=True)
class _Char:
    char: str
    start: int  # in the original
    end: int


@dataclass(frozen=True)
class _Layer:
    """The text after some decoding; each character knows where it comes from."""

    chars: tuple[_Char, ...]

    @cached_property
    def text(self) -> str:
        return "".join(one.char for one in self.chars)

    @cached_property
    def bare(self) -> "_Layer":
        """Letters and digits alone, in lower case."""
        return _Layer(tuple(_Char(b, c.start, c.end) for c in self.chars if (b := _bare(c.char))))

    def span(self, start: int, end: int) -> Span:
        return self.chars[start].start, self.chars[end - 1].end

    def without_tags(self) -> "_Layer":
        kept: list[_Char] = []
        position = 0
        for tag in _TAG.finditer(self.text):
            kept += self.chars[position : tag.start()]
            position = tag.end()
        return _Layer((*kept, *self.chars[position:]))

    def without_spaces(self) -> "_Layer":
        return _Layer(tuple(one for one in self.chars if not one.char.isspace()))

    def from_base64(self, offset: int) -> "_Layer":
        """What the runs of base64 hold, if it begins after so many of their digits."""
        chars: list[_Char] = []
        for run in _BASE64.finditer(self.text):
            start = run.start() + offset
            for n, byte in enumerate(_decoded(self.text[start : run.end()])):
                at = start + n * 4 // 3
                chars.append(_Char(chr(byte), *self.span(at, at + 2)))
        return _Layer(tuple(chars))

    def decoded(self) -> "_Layer":
        chars: list[_Char] = []
        position = 0
        for escape in _ESCAPE.finditer(self.text):
            chars += self.chars[position : escape.start()]
            chars += (_Char(char, *self.span(*part)) for char, part in _meant(escape))
            position = escape.end()
        return _Layer((*chars, *self.chars[position:]))


def _layers(text: str) -> Iterator[_Layer]:
    """The text itself, and what it may be once its encodings are undone, the likeliest first."""
    first = _Layer(tuple(_Char(char, n, n + 1) for n, char in enumerate(text)))
    waiting, seen = deque([(first, 0)]), {text}
    for _ in range(MAX_LAYERS):
        if not waiting:
            return
        layer, depth = waiting.popleft()
        yield layer
        for inner in _inner(layer) if depth < MAX_DEPTH else ():
            if inner.text not in seen:
                seen.add(inner.text)
                waiting.append((inner, depth + 1))


def _inner(layer: _Layer) -> Iterator[_Layer]:
    yield layer.decoded()
    if "<" in layer.text:
        yield layer.without_tags()
    joined = layer.without_spaces()
    for offset in range(4):
        yield joined.from_base64(offset)


def _decoded(digits: str) -> bytes:
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    padded = digits + "=" * (-len(digits) % 4)
    return base64.b64decode(padded, altchars=b"-_" if set(digits) & set("-_") else None)


def _meant(escape: re.Match[str]) -> Iterator[tuple[str, Span]]:
    """The characters that an escape sequence stands for, each with its part of the sequence."""
    if escape["percent"]:
        yield from _from_percent(escape["percent"], escape.start())
    elif escape["entity"]:
        yield from ((char, escape.span()) for char in html.unescape(escape["entity"]))
    elif code := escape["u"] or escape["x"]:
        yield chr(int(code, 16)), escape.span()


def _from_percent(run: str, start: int) -> Iterator[tuple[str, Span]]:
    raw = bytes.fromhex(run.replace("%", ""))
    try:
        chars, encoding = raw.decode(), "utf-8"
    except UnicodeDecodeError:
        chars, encoding = raw.decode("latin-1"), "latin-1"
    for char in chars:
        end = start + 3 * len(char.encode(encoding))
        yield char, (start, end)
        start = end


def _found(layer: _Layer, signature: str, secret: str) -> Iterator[Span]:
    bare = layer.bare
    yield from (bare.span(*one) for one in _fragments(bare.text, signature))
    yield from (bare.span(*one.span(1)) for one in _NAMED.finditer(bare.text))
    yield from (layer.span(*one.span()) for one in _DIGEST.finditer(layer.text))
    literal = _spaces_alike(layer.text)
    as_bytes = secret.encode("utf-8", "replace").decode("latin-1")  # as base64 gives it
    for written in {secret, as_bytes}:
        yield from (layer.span(*one) for one in _occurrences(literal, _spaces_alike(written)))
    letters = "".join(map(_bare, secret))
    if len(letters) >= _MIN_BARE:
        yield from (bare.span(*one) for one in _occurrences(bare.text, letters))


def _fragments(text: str, signature: str) -> Iterator[Span]:
    pieces = {signature[n : n + FRAGMENT] for n in range(len(signature) - FRAGMENT + 1)}
    for n in range(len(text) - FRAGMENT + 1):
        if text[n : n + FRAGMENT] in pieces:
            yield n, n + FRAGMENT


def _occurrences(text: str, wanted: str) -> Iterator[Span]:
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + len(wanted))


def _spaces_alike(text: str) -> str:
    """In lower case of the same length; a plus is how forms write a space."""
    return "".join(
        " " if char.isspace() or char == "+" else lower if len(lower := char.lower()) == 1 else char
        for char in text
    )


def _bare(char: str) -> str:
    """A letter or digit as ASCII in lower case, nothing for any other character."""
    if not char.isascii():
        char = unicodedata.normalize("NFKC", char)
    return char.lower() if len(char) == 1 and char.isascii() and char.isalnum() else ""


def _cut(text: str, spans: Iterable[Span]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in sorted(spans):
        if start > position or not pieces:
            pieces += [text[position:start], MARK]
        position = max(position, end)
    return "".join((*pieces, text[position:]))
