"""Texts with expressions in braces: `Ciao {first_name(nome) || 'cliente'}, ...`.

`{{` and `}}` are literal braces, though not around words: `{{ nome }}` is another language's way to
insert a value, and is refused, as are `${nome}`, `[your-name]` and the like. A value is inserted as
data: it is never evaluated as an expression or a template. A value that is missing, or is no text,
rejects the message, unless its expression has a default; `|| ''` allows an empty one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.rules import links
from openvoip_sms.rules.text import NOT_UTF_8
from openvoip_sms.templates.expression_faults import Fault
from openvoip_sms.templates.expressions import (
    BadExpression,
    Expression,
    compile_expression,
    nearest_expression,
)
from openvoip_sms.templates.foreign import foreign_placeholders
from openvoip_sms.templates.italian import number_text
from openvoip_sms.templates.sanitize import capped, on_one_line

MAX_VALUE = 60  # characters, without links
MAX_LINK = 200  # of all links in a value: what is longer is left out, as a cut link is broken
_ELLIPSIS = "..."
_NOTHING = "\0"  # marks an empty value while the text is assembled
_BEFORE_PUNCTUATION = re.compile(r"[ \0]*\0([,.;:!?)])")
_INDIVISIBLE = re.compile(r"[./@:]")  # an address of a kind that is not known as one
_DOUBLED = re.compile(r"\{\{(?!\{)([^{}]*[^\W\d_][^{}]*)\}\}")  # `{{ nome }}`
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)


class BadTemplate(ValueError):
    """Cannot be compiled, for all of `faults`; `reason` and `proposal` are those of the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.faults = tuple(faults)
        self.reason, self.proposal = faults[0].reason, faults[0].proposal


@dataclass(frozen=True, slots=True)
class MissingValue:
    """The expression `field` found nothing, or spaces, and has no default."""

    field: str


@dataclass(frozen=True, slots=True)
class NotText:
    """The expression `field` found true, false, a list or an object."""

    field: str


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: literals and expressions, in their order."""

    pieces: tuple[str | Expression, ...]

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Expression))

    def at(self, now: datetime) -> "Template":
        """Return the text as it is at that moment, for `now()` in it."""
        moved = (piece if isinstance(piece, str) else piece.at(now) for piece in self.pieces)
        return Template(tuple(moved))


def compile_template(source: str) -> Template:
    """Compile.

    Raises:
        BadTemplate: braces are left open, alone or doubled around words, or an expression cannot be
            compiled; with every such fault.
    """
    pieces: list[str | Expression] = []
    faults: list[Fault] = []
    position = 0
    while position < len(source):
        try:
            piece, position = _piece(source, position)
        except _Unreadable as unreadable:
            faults += unreadable.faults
            position = unreadable.end
            continue
        pieces.append(piece)
    if faults:
        raise BadTemplate(faults)
    return Template(tuple(pieces))


class _Unreadable(Exception):
    """The part of a text up to `end` has faults."""

    def __init__(self, end: int, *faults: Fault) -> None:
        super().__init__()
        self.end, self.faults = end, faults


def _piece(source: str, start: int) -> tuple[str | Expression, int]:
    """The literal or expression that starts there, and where it ends."""
    if doubled := _DOUBLED.match(source, start):
        raise _Unreadable(doubled.end(), _doubled_fault(doubled))
    if source[start : start + 2] in ("{{", "}}"):
        return source[start], start + 2
    if source[start] == "{":
        end = _closing_brace(source, start)
        return _expression(source[start + 1 : end], end + 1), end + 1
    if source[start] == "}":
        fault = Fault("a } without its {", "Write }} for the character itself.")
        raise _Unreadable(start + 1, fault)
    end = next((n for n in range(start, len(source)) if source[n] in "{}"), len(source))
    before_brace = source[end : end + 1] == "{" != source[end + 1 : end + 2]
    if faults := tuple(foreign_placeholders(source[start:end], before_brace=before_brace)):
        raise _Unreadable(end, *faults)
    return source[start:end], end


def _doubled_fault(doubled: re.Match[str]) -> Fault:
    inside = doubled[1].strip()
    right = nearest_expression(inside)
    value = f"Write {{{right}}}" if right else "Write an expression"
    return Fault(
        f"{doubled[0]}: braces stand once around a value",
        f"{value}; for braces in the SMS {{'{{'}}{inside}{{'}}'}}.",
    )


def render(template: Template, data: object) -> str | MissingValue | NotText:
    """Return the text, with one line for each line of the template.

    Doubled spaces are removed, and the space that an empty value leaves before a comma.
    """
    parts: list[str] = []
    for piece in template.pieces:
        part = piece if isinstance(piece, str) else _shown(piece, data, _is_in_link(parts))
        if not isinstance(part, str):
            return part
        parts.append(part or _NOTHING)
    text = _BEFORE_PUNCTUATION.sub(r"\1", "".join(parts)).replace(_NOTHING, "")
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(lines).strip()


def _closing_brace(source: str, start: int) -> int:
    depth, position = 0, start
    while position < len(source):
        quoted = _QUOTED.match(source, position)
        if quoted:
            position = quoted.end()
            continue
        depth += {"{": 1, "}": -1}.get(source[position], 0)
        if depth == 0:
            return position
        position += 1
    fault = Fault("a { without its }", "Close it, or write {{ for the character itself.")
    raise _Unreadable(len(source), fault)


def _expression(source: str, end: int) -> Expression:
    if not source.strip():
        raise _Unreadable(end, Fault("nothing between { and }", "Name a field, as in {name}."))
    try:
        return compile_expression(source.strip())
    except BadExpression as error:
        faults = (Fault(f"{{{source}}}: {one.reason}", one.proposal) for one in error.faults)
        raise _Unreadable(end, *faults) from None


def _is_in_link(parts: list[str]) -> bool:
    """Whether the text so far ends inside a link, which the next value continues."""
    tail = "".join(parts)[-2 * MAX_LINK :].replace(_NOTHING, "")
    return links.is_open(re.split(r"\s", tail)[-1])


def _shown(
    expression: Expression,
    data: object,
    in_link: bool,  # noqa: FBT001 - one caller
) -> str | MissingValue | NotText:
    value = expression.of(data)
    if isinstance(value, bool | list | dict):
        return "" if expression.may_be_empty and not value else NotText(expression.source)
    text = number_text(value) if isinstance(value, int | float) else value
    clean = on_one_line(capped(text)).strip() if isinstance(text, str) else ""
    if NOT_UTF_8 in clean:  # neither cut off nor percent-encoded: the text is to be refused
        return NOT_UTF_8
    if in_link and clean:
        rest = links.encoded(clean[: MAX_LINK + 1])
        return rest if len(rest) <= MAX_LINK else MissingValue(expression.source)
    shown = _fitted(clean)
    return shown if shown or expression.may_be_empty else MissingValue(expression.source)


def _fitted(text: str) -> str:
    """Up to `MAX_VALUE` characters; links do not count, and are whole or left out."""
    words = list(_with_links_that_fit(links.words_of(text)))
    plain = " ".join(word for word, is_link in words if not is_link)
    shown = [word for word, _ in words] if len(plain) <= MAX_VALUE else _cut(words)
    return " ".join(shown)


def _with_links_that_fit(words: list[str]) -> Iterator[tuple[str, bool]]:
    """Each word, and whether it is a link."""
    room = MAX_LINK
    for word in words:
        is_link = links.is_address(word)
        if not is_link or len(word) <= room:
            yield word, is_link
        room -= len(word) if is_link and len(word) <= room else 0


def _cut(words: list[tuple[str, bool]]) -> list[str]:
    """The first words, and an ellipsis: at a link's end it stands apart, or it would be of it."""
    shown: list[str] = []
    room = MAX_VALUE - len(_ELLIPSIS)
    for word, is_link in words:
        if not is_link and len(word) > room:
            if room >= MAX_VALUE // 2 - len(_ELLIPSIS) and not _INDIVISIBLE.search(word):
                shown.append(word[:room])
            break
        shown.append(word)
        room -= 0 if is_link else len(word) + 1
    while shown and not links.is_address(shown[-1]):
        if last := shown.pop().rstrip(" .,;:-"):
            return [*shown, last + _ELLIPSIS]
    return [*shown, _ELLIPSIS] if shown else []
