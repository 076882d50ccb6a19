"""What is wrong with an expression that can be parsed, but does not mean what was meant.

Double quotes are the usual case: in JMESPath they make the name of a field, so that
`status == "completed"` compares two fields, and is silently false.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from openvoip_sms.templates.italian import DATE_FORMS
from openvoip_sms.templates.jmespath_parser import QUOTED

type Node = Mapping[str, Any]

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # a name that needs no quotes
_KEY = re.compile(r"(?=.*[-\[\].:/_0-9])\S+")  # what no text reads like: `your-tel`, `1.3`
_PHONE = re.compile(r"\+?[0-9][0-9 ./-]{6,}[0-9]")
# Of other template languages; a field of such a name is written with a dot.
_FILTERS = (
    "upper lower upcase downcase uppercase lowercase capitalize trim strip escape safe default"
    " money currency format number truncate nl2br raw e h"
).split()
_FIELDS = ("field", "subexpression", "index_expression")
# Functions whose argument at that position is a text, hardly ever a field.
_TEXT_ARGUMENT = {"contains": 1, "starts_with": 1, "ends_with": 1, "join": 0, "at": 1}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an expression cannot be used; `proposal` may suggest a correction."""

    reason: str
    proposal: str = ""


def faults_of(tree: Node, functions: Mapping[str, Any]) -> list[Fault]:
    """Return all faults; `functions` are the signatures that exist, by name."""
    return list(dict.fromkeys(_faults(tree, functions)))


def _faults(node: object, functions: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(node, Mapping):
        return
    match node["type"]:
        case "function_expression":
            yield from _of_call(node, functions)
        case "comparator":
            yield from _of_comparison(*node["children"])
        case "or_expression" | "and_expression":
            yield from _of_default(node["children"][-1])
        case "pipe":
            yield from _of_filter(node["children"][-1], functions)
        case "field":
            yield from _of_field(node)
    for child in node.get("children", ()):
        yield from _faults(child, functions)


def _of_call(call: Node, functions: Mapping[str, Any]) -> Iterator[Fault]:
    name, arguments = call["value"], call["children"]
    if name not in functions:
        yield Fault(f"no function {name}()", _closest(name, functions))
        return
    wanted = functions[name]["signature"]
    variadic = bool(wanted and wanted[-1].get("variadic"))
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not variadic):
        yield Fault(f"{name}() takes {len(wanted)} argument(s), not {len(arguments)}")
        return
    if name == "date" and len(arguments) > 1:
        yield from _of_date_form(arguments[1:])
    position = _TEXT_ARGUMENT.get(name)
    if position is not None and _is_quoted(arguments[position]):
        yield _is_no_text(arguments[position]["value"])
    if name == "contains" and arguments[0]["type"] == "multi_select_list":
        yield from (
            _is_no_text(one["value"]) for one in arguments[0]["children"] if _is_quoted(one)
        )
    if name == "not_null":
        yield from _of_default(arguments[-1])


def _of_date_form(forms: list[Node]) -> Iterator[Fault]:
    if len(forms) > 1 or forms[0].get("value") not in DATE_FORMS or _is_quoted(forms[0]):
        yield Fault(
            "date() takes a form as second argument",
            f"It is one of {', '.join(DATE_FORMS)}, in single quotes.",
        )


def _of_comparison(left: Node, right: Node) -> Iterator[Fault]:
    for one, other in ((right, left), (left, right)):
        if not _is_quoted(one) or other["type"] == "literal":
            continue
        if one is right or other["type"] in _FIELDS or _BARE.fullmatch(one["value"]):
            yield _is_no_text(one["value"])
            return


def _of_default(last: Node) -> Iterator[Fault]:
    """The last of `x || "y"`, `x && "y"` is a text; `your-tel` may be one more place to look."""
    if _is_quoted(last) and not _is_key(last["value"]):
        yield _is_no_text(last["value"])


def _of_filter(taken: Node, functions: Mapping[str, Any]) -> Iterator[Fault]:
    """`nome | upper` takes a field of that name, as `nome.upper` does: there is none in a text."""
    name = taken.get("value")
    if taken["type"] != "field" or _is_quoted(taken) or name not in (*functions, *_FILTERS):
        return
    call = (
        f"Write | {name}(@) for the function" if name in functions else "There is no such function"
    )
    yield Fault(f"| {name} takes a field of that name", f"{call}; write .{name} for the field.")


def _of_field(field: Node) -> Iterator[Fault]:
    name = field["value"]
    if _is_quoted(field) and _PHONE.fullmatch(name):
        yield _is_no_text(name)
    if name in ("true", "false") and not _is_quoted(field):
        yield Fault(f"{name} is the name of a field here", f"Write `{name}` in backticks.")


def _is_quoted(node: Node) -> bool:
    return node.get(QUOTED, False) is True


def _is_key(name: str) -> bool:
    return _BARE.fullmatch(name) is None and _KEY.fullmatch(name) is not None


def _is_no_text(name: str) -> Fault:
    text = name.replace("'", "\\'")
    return Fault(
        f'"{name}" in double quotes is the name of a field, not a text',
        f"""Write '{text}' in single quotes for the text, @."{name}" for the field.""",
    )


def _closest(name: str, functions: Collection[str]) -> str:
    close = get_close_matches(name, functions, n=1)
    return f"Did you mean {close[0]}()?" if close else ""
