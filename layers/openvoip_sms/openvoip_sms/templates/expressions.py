"""JMESPath expressions, with functions for Italian texts and dates.

They are compiled once, when the sources are read. Unknown functions and missing arguments are found
then too (JMESPath alone reports them at the first webhook). A function that cannot use its argument
(null above all) returns null, so that `|| 'default'` applies.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from openvoip_sms.rules import rome_time
from openvoip_sms.rules.strict_json import read_json
from openvoip_sms.templates import italian, names
from openvoip_sms.templates.plain import plain
from openvoip_sms.templates.sanitize import is_blank

_ANY: Any = {"types": []}
_TEXT: Any = {"types": ["string"]}
_MAX_BITS = 4096  # of a whole number that a sum may reach: Python refuses to print longer ones
_UNUSABLE = (ValueError, TypeError, ArithmeticError, RecursionError)


class BadExpression(ValueError):
    """Cannot be compiled. `proposal` may suggest a correction."""

    def __init__(self, reason: str, proposal: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.proposal = proposal


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; equal to another with the same source."""

    source: str
    tree: Any = field(compare=False, repr=False)

    def of(self, data: Any) -> Any:  # noqa: ANN401 - JSON
        """Evaluate it; None if a step is missing or cannot be used."""
        try:
            return _Interpreter(_OPTIONS).visit(self.tree, data)
        except _UNUSABLE:
            return None

    @property
    def may_be_empty(self) -> bool:
        """Whether it ends in `|| ''`: an empty value is intended."""
        node = self.tree
        while node["type"] == "pipe":
            node = node["children"][-1]
        last = node["children"][-1] if node["type"] == "or_expression" else {}
        return last.get("type") == "literal" and last.get("value") == ""


def compile_expression(source: str) -> Expression:
    """Compile.

    Raises:
        BadExpression: it cannot be parsed, or calls a function that does not exist.
    """
    try:
        tree = jmespath.compile(source).parsed
    except JMESPathError as error:
        raise BadExpression(str(error).splitlines()[0].rstrip(":")) from None
    for call in _calls(tree):
        _check_call(call)
    return Expression(source, tree)


def is_true(value: Any) -> bool:  # noqa: ANN401 - JSON
    """True as in JMESPath, but a text of spaces is false like an empty one."""
    return not _is_blank(value)


def _calls(node: object) -> Iterator[dict[str, Any]]:
    if not isinstance(node, dict):
        return
    if node.get("type") == "function_expression":
        yield node
    for child in node.get("children", ()):
        yield from _calls(child)


def _check_call(call: dict[str, Any]) -> None:
    name, arguments = call["value"], call["children"]
    known = _Functions.FUNCTION_TABLE
    if name not in known:
        close = get_close_matches(name, known, n=1)
        raise BadExpression(f"no function {name}()", f"Did you mean {close[0]}()?" if close else "")
    wanted = known[name]["signature"]
    variadic = bool(wanted and wanted[-1].get("variadic"))
    if len(arguments) < len(wanted) or (len(arguments) > len(wanted) and not variadic):
        raise BadExpression(f"{name}() takes {len(wanted)} argument(s), not {len(arguments)}")
    if name == "date" and len(arguments) > 1:
        _check_date_form(arguments[1:])


def _check_date_form(forms: list[dict[str, Any]]) -> None:
    if len(forms) > 1 or forms[0].get("value") not in italian.DATE_FORMS:
        raise BadExpression(
            "date() takes a form as second argument",
            f"It is one of {', '.join(italian.DATE_FORMS)}.",
        )


def _is_blank(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return is_blank(value)
    return value is None or value is False or value in ([], {})


class _Interpreter(TreeInterpreter):
    def _is_false(self, value: Any) -> bool:  # noqa: ANN401 - JSON
        return _is_blank(value)


class _Functions(Functions):
    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:  # noqa: ANN401
        try:
            result = super().call_function(function_name, resolved_args)
        except _UNUSABLE:
            return None
        return None if isinstance(result, int) and result.bit_length() > _MAX_BITS else result

    @signature(_ANY)
    def _func_to_string(self, value: object) -> str | None:
        """Text and numbers only: JMESPath's own returns `null` and JSON, which must not be sent."""
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return json.dumps(value)

    @signature(_TEXT)
    def _func_powertools_json(self, value: str) -> Any:  # noqa: ANN401 - JSON
        return read_json(value, duplicate_keys="last")

    @signature(_TEXT)
    def _func_powertools_base64(self, value: str) -> str:
        return base64.b64decode(value).decode()

    @signature(_ANY)
    def _func_euro(self, value: object) -> str | None:
        return italian.euro(value)

    @signature(_ANY)
    def _func_euro_cents(self, value: object) -> str | None:
        return italian.euro_cents(value)

    @signature({"types": [], "variadic": True})
    def _func_date(self, value: object, form: str = "") -> str | None:
        return italian.date_text(value, form)

    @signature(_ANY)
    def _func_time(self, value: object) -> str | None:
        return italian.time_text(value)

    @signature(_ANY)
    def _func_title(self, value: object) -> str | None:
        return names.title(value)

    @signature(_ANY)
    def _func_first_name(self, value: object) -> str | None:
        return names.first_name(value)

    @signature(_TEXT)
    def _func_plain(self, value: str) -> str:
        return plain(value)

    @signature(_ANY, {"types": ["number"]})
    def _func_days_before(self, value: object, days: int) -> str | None:
        return _iso(rome_time.shifted(value, -int(days)))

    @signature(_ANY, {"types": ["number"]})
    def _func_days_after(self, value: object, days: int) -> str | None:
        return _iso(rome_time.shifted(value, int(days)))

    @signature(_ANY, _TEXT)
    def _func_at(self, value: object, clock: str) -> str | None:
        return _iso(rome_time.at_clock(value, clock))


def _iso(found: datetime | date | None) -> str | None:
    return None if found is None else found.isoformat()


_OPTIONS = Options(custom_functions=_Functions())
