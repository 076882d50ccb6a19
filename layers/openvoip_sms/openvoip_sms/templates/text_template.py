"""Texts with expressions in braces: `Ciao {first_name(nome) || 'cliente'}, ...`.

`{{` and `}}` are literal braces. A value is inserted as data: it is never evaluated as an
expression or a template. A value that is missing, or is no text, rejects the message, unless its
expression has a default; `|| ''` allows an empty one.
"""

import re
from dataclasses import dataclass

from openvoip_sms.templates.expressions import BadExpression, Expression, compile_expression
from openvoip_sms.templates.italian import number_text
from openvoip_sms.templates.sanitize import sanitize

MAX_VALUE = 60  # characters
MAX_LINK = 200  # a link that is cut would be broken: longer ones are left out
_MAX_READ = 2000  # characters read of a value: the rest would be cut anyway
_ELLIPSIS = "..."
_NOTHING = "\0"  # marks an empty value while the text is assembled
_BEFORE_PUNCTUATION = re.compile(r"[ \0]*\0([,.;:!?)])")
_LINK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)


class BadTemplate(ValueError):
    """Cannot be compiled. `proposal` says how to correct it."""

    def __init__(self, reason: str, proposal: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.proposal = proposal


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


def compile_template(source: str) -> Template:
    """Compile.

    Raises:
        BadTemplate: a brace is left open or alone, or an expression cannot be compiled.
    """
    pieces: list[str | Expression] = []
    position = 0
    while position < len(source):
        char = source[position]
        if source[position : position + 2] in ("{{", "}}"):
            pieces.append(char)
            position += 2
        elif char == "{":
            end = _closing_brace(source, position)
            pieces.append(_expression(source[position + 1 : end]))
            position = end + 1
        elif char == "}":
            raise BadTemplate("a } without its {", "Write }} for the character itself.")
        else:
            literal = re.compile(r"[^{}]+").match(source, position)
            pieces.append(literal[0] if literal else "")
            position += len(pieces[-1])  # type: ignore[arg-type] # a text was just appended
    return Template(tuple(pieces))


def render(template: Template, data: object) -> str | MissingValue | NotText:
    """Return the text, with one line for each line of the template.

    Doubled spaces are removed, and the space that an empty value leaves before a comma.
    """
    parts: list[str] = []
    for piece in template.pieces:
        part = piece if isinstance(piece, str) else _shown(piece, data)
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
    raise BadTemplate("a { without its }", "Close it, or write {{ for the character itself.")


def _expression(source: str) -> Expression:
    if not source.strip():
        raise BadTemplate("nothing between { and }", "Name a field, as in {name}.")
    try:
        return compile_expression(source.strip())
    except BadExpression as error:
        raise BadTemplate(f"{{{source}}}: {error.reason}", error.proposal) from None


def _shown(expression: Expression, data: object) -> str | MissingValue | NotText:
    value = expression.of(data)
    if isinstance(value, bool | list | dict):
        return "" if expression.may_be_empty and not value else NotText(expression.source)
    text = number_text(value) if isinstance(value, int | float) else value
    shown = _fitted(sanitize(text[:_MAX_READ])) if isinstance(text, str) else ""
    return shown if shown or expression.may_be_empty else MissingValue(expression.source)


def _fitted(text: str) -> str:
    if len(text) <= MAX_VALUE:
        return text
    if _LINK.fullmatch(text):
        return text if len(text) <= MAX_LINK else ""
    kept = text[: MAX_VALUE - len(_ELLIPSIS)]
    if text[len(kept)] != " " and " " in kept[MAX_VALUE // 2 :]:
        kept = kept.rpartition(" ")[0]
    return kept.rstrip(" .,;:-") + _ELLIPSIS
