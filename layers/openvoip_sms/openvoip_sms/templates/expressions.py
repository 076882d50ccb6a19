"""JMESPath expressions, with functions for Italian texts and dates.

They are compiled once, when the sources are read. Unknown functions, missing arguments and texts in
double quotes are found then too (JMESPath alone reports them at the first webhook, or never). A
function that cannot use its argument (null above all) returns null, so that `|| 'default'` applies.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from openvoip_sms.rules import rome_time
from openvoip_sms.rules.rome import ROME
from openvoip_sms.rules.strict_json import read_json
from openvoip_sms.templates import italian, names
from openvoip_sms.templates.comparisons import as_comparable, compare, have_no_order
from openvoip_sms.templates.expression_faults import Fault, faults_of
from openvoip_sms.templates.expression_fields import root_fields
from openvoip_sms.templates.jmespath_parser import parse
from openvoip_sms.templates.plain import plain
from openvoip_sms.templates.proposals import correction_of, proposal_for
from openvoip_sms.templates.sanitize import MAX_READ, is_blank

_ANY: Any = {"types": []}
_TEXT: Any = {"types": ["string"]}
_MAX_BITS = 4096  # of a whole number that a sum may reach: Python refuses to print longer ones
_UNUSABLE = (ValueError, TypeError, ArithmeticError, RecursionError)


class BadExpression(ValueError):
    """Cannot be compiled, for all of `faults`; `reason` and `proposal` are those of the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.faults = tuple(faults)
        self.reason, self.proposal = faults[0].reason, faults[0].proposal


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; equal to another with the same source.

    `now()` in it is the moment that `at` set, and null without one.
    """

    source: str
    tree: Any = field(compare=False, repr=False)
    now: datetime | None = field(default=None, compare=False, repr=False)

    def at(self, now: datetime) -> "Expression":
        """Return the expression as it is at that moment."""
        return replace(self, now=now)

    def of(self, data: Any) -> Any:  # noqa: ANN401 - JSON
        """Evaluate it; None if a step is missing or cannot be used."""
        try:
            return _Interpreter(self.now).visit(self.tree, data)
        except _UNUSABLE:
            return None

    @property
    def fields(self) -> frozenset[str]:
        """The outermost fields of a body that it reads."""
        return root_fields(self.tree)

    @property
    def reads_clock(self) -> bool:
        return _reads_clock(self.tree)

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
        BadExpression: it cannot be parsed, calls a function that does not exist, or cannot mean
            what was meant.
    """
    try:
        tree = parse(source)
    except JMESPathError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise BadExpression([Fault(reason, proposal_for(source, _is_valid))]) from None
    if faults := faults_of(tree, _Functions.FUNCTION_TABLE):
        raise BadExpression(faults)
    return Expression(source, tree)


def nearest_expression(source: str) -> str:
    """Return the source if it can be compiled, else a correction of it; empty if there is none."""
    return source if _is_valid(source) else correction_of(source, _is_valid)


def _is_valid(source: str) -> bool:
    try:
        return not faults_of(parse(source), _Functions.FUNCTION_TABLE)
    except JMESPathError:
        return False


def is_true(value: Any) -> bool:  # noqa: ANN401 - JSON
    """True as in JMESPath, but a text of spaces is false like an empty one."""
    return not _is_blank(value)


def _reads_clock(node: object) -> bool:
    if not isinstance(node, dict):
        return False
    is_now = node.get("type") == "function_expression" and node["value"] == "now"
    return is_now or any(map(_reads_clock, node.get("children", ())))


def _is_blank(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return is_blank(value.strip()[:MAX_READ])
    return value is None or value is False or value in ([], {})


class _Interpreter(TreeInterpreter):
    def __init__(self, now: datetime | None) -> None:
        super().__init__(Options(custom_functions=_Functions(now)))

    def visit_comparator(self, node: Any, value: Any) -> Any:  # noqa: ANN401
        left, right = (self.visit(child, value) for child in node["children"])
        comparable = as_comparable(node["value"], left, right)
        if comparable is not None:
            return compare(node["value"], *comparable)
        if have_no_order(node["value"], left, right):
            return False
        values: list[Any] = [{"type": "literal", "value": one} for one in (left, right)]
        evaluated: Any = {**node, "children": values}
        return super().visit_comparator(evaluated, value)

    def _is_false(self, value: Any) -> bool:  # noqa: ANN401 - JSON
        return _is_blank(value)


class _Functions(Functions):
    def __init__(self, now: datetime | None = None) -> None:
        self._now = now

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

    @signature()
    def _func_now(self) -> str | None:
        return None if self._now is None else _iso(self._now.astimezone(ROME))

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
