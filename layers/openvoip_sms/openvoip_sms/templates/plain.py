r"""Undoes what WordPress and its plugins do to a value: backslashes and HTML entities.

`D\'Angelo` and `D&#039;Angelo` are D'Angelo. For their values only: elsewhere a backslash or an
entity may be meant.
"""

import html
import re
import unicodedata
from html.entities import html5
from typing import Any

from openvoip_sms.rules.text import NOT_UTF_8
from openvoip_sms.templates.sanitize import MAX_READ

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NUMBER = "#([0-9]{5}|[xX][0-9A-Fa-f]{4})"
_HALVES = re.compile(f"&{_NUMBER};&{_NUMBER};")
_BREAK = re.compile(r"<br ?/?>|</?p>", re.IGNORECASE)
_ESCAPED = re.compile(r"""(?:[^\\]|\\[\\'"])*""")  # as PHP's addslashes writes it
_BEFORE_QUOTE = re.compile(r"""(?<!\\)\\+(?=['"])""")
_PAIR = re.compile(r"""\\([\\'"])""")
_JSON = re.compile(r"""\s*[\[{]\s*["\[{]""")


def plain(text: str) -> str:
    """The text as it was typed; beyond the part of it that is read, as it is."""
    head, rest = text[:MAX_READ], text[MAX_READ:]
    return _unescaped(head) + rest


def plain_values(data: Any) -> Any:  # noqa: ANN401 - JSON
    """The same for each text in `data`, but for one that is JSON, whose quotes must stay."""
    if isinstance(data, dict):
        return {key: plain_values(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain_values(value) for value in data]
    return plain(data) if isinstance(data, str) and not _JSON.match(data) else data


def _unescaped(text: str) -> str:
    if "<" in text:
        text = _BREAK.sub("\n", text)
    for _ in range(2):  # some plugins escape what is escaped already: &amp;egrave;
        text = _ENTITY.sub(_character, _HALVES.sub(_whole, text)) if "&" in text else text
    if "\\" not in text:
        return text
    if _ESCAPED.fullmatch(text):
        text = _PAIR.sub(r"\1", text)
    return _BEFORE_QUOTE.sub("", text)


def _whole(halves: re.Match[str]) -> str:
    """The emoji that JavaScript has escaped as a surrogate pair; other entities as they are."""
    pair = "".join(chr(_code(number)) for number in halves.groups())
    whole = pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole if len(whole) == 1 else halves[0]


def _character(entity: re.Match[str]) -> str:
    """What an entity stands for; the entity itself if it is none, or no character."""
    if entity[0][1] != "#":
        return html5.get(entity[0][1:], entity[0])
    character = html.unescape(entity[0])
    is_control = unicodedata.category(character or "\0") == "Cc" and not character.isspace()
    is_none = character == NOT_UTF_8 and _code(entity[0][2:-1]) != ord(NOT_UTF_8)
    return entity[0] if is_control or is_none else character


def _code(number: str) -> int:
    return int(number[1:], 16) if number[0] in "xX" else int(number)
