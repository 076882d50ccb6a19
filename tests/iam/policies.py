"""What a role's policies allow: AWS's policy language, as far as this stack uses it.

Whatever else a policy says is an error: to overlook a condition would allow what AWS denies. Rules:
"Policy evaluation logic" and "IAM JSON policy elements reference" in the IAM user guide.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

type Pairs = frozenset[tuple[str, str]]


class UnsupportedPolicy(Exception):
    """A policy uses something that this module cannot evaluate; the message names it."""


@dataclass(frozen=True)
class Use:
    """An action on a resource, with the condition keys that AWS adds."""

    action: str
    resource: str
    context: Pairs = frozenset()


@dataclass(frozen=True)
class Rule:
    """One action on one resource, allowed or denied; both may have wildcards.

    A statement with several of them says as much as one rule for each pair.
    """

    effect: str
    action: str
    resource: str
    conditions: Pairs = frozenset()  # all have to be equal

    def concerns(self, use: Use) -> bool:
        return (
            matches(self.action, use.action, ignore_case=True)
            and matches(self.resource, use.resource)
            and self.conditions <= use.context
        )


def rules(document: Mapping[str, Any]) -> list[Rule]:
    """Read a policy document.

    Raises:
        UnsupportedPolicy: it uses an element, a condition or a variable that is not supported here.
    """
    return [rule for one in _listed(document["Statement"]) for rule in _rules(one)]


def allowed(policy: Iterable[Rule], use: Use) -> bool:
    """A denial overrides every permission, and what no rule concerns is denied."""
    return {rule.effect for rule in policy if rule.concerns(use)} == {"Allow"}


def matches(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """`*` is any characters, also none and also `/` and `:`; `?` is exactly one."""
    wild = {"*": ".*", "?": "."}
    regex = "".join(wild.get(character) or re.escape(character) for character in pattern)
    return bool(re.fullmatch(regex, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)))


def _rules(statement: Mapping[str, Any]) -> Iterator[Rule]:
    known = {"Effect", "Action", "Resource"}
    if not known <= statement.keys() <= known | {"Sid", "Condition"}:
        raise UnsupportedPolicy(f"a statement made of {sorted(statement)}")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise UnsupportedPolicy(f"the effect {statement['Effect']!r}")
    conditions = frozenset(_conditions(statement.get("Condition", {})))
    for action, resource in product(_strings(statement["Action"]), _strings(statement["Resource"])):
        yield Rule(statement["Effect"], action, resource, conditions)


def _conditions(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for operator, tests in given.items():
        if operator != "StringEquals":
            raise UnsupportedPolicy(f"the condition operator {operator}")
        for key, value in tests.items():
            if not isinstance(value, str):
                raise UnsupportedPolicy(f"the condition {key} with several values")
            yield key, value


def _strings(value: object) -> list[str]:
    found = _listed(value)
    if not found or any(not isinstance(one, str) or "${" in one for one in found):
        raise UnsupportedPolicy(f"{value!r}, where one or several plain strings are expected")
    return found


def _listed(value: Any) -> list[Any]:
    """A policy may have one or a list nearly everywhere."""
    return value if isinstance(value, list) else [value]
