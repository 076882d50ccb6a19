"""Which fields of a body an expression reads."""

from collections.abc import Iterator, Mapping
from typing import Any

ANYTHING = "*"  # it reads the body as a whole, or an item of a list


def root_fields(tree: Mapping[str, Any]) -> frozenset[str]:
    """The names of the outermost fields, `ANYTHING` among them where there is no name."""
    return frozenset(_roots(tree))


def _roots(node: object) -> Iterator[str]:
    if not isinstance(node, Mapping):
        return
    match node["type"]:
        case "field":
            yield node["value"]
        case "current" | "identity":
            yield ANYTHING
        case "literal" | "index" | "slice" | "expref":
            return
        case "subexpression" if node["children"][0]["type"] == "current":  # @.nome
            yield from _roots(node["children"][1])
        case (
            "subexpression"
            | "index_expression"
            | "pipe"
            | "projection"
            | "value_projection"
            | "filter_projection"
            | "flatten"
        ):
            yield from _roots(node["children"][0])
        case _:
            for child in node["children"]:
                yield from _roots(child)
