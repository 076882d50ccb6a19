"""Placeholders of other template languages, which an SMS would show as they stand."""

import re
from collections.abc import Iterator

from openvoip_sms.templates.expression_faults import Fault

_PLACEHOLDERS = (
    r"<%[=-]?\s*([^%<>]+?)\s*-?%>",
    r"\*\|([A-Za-z0-9_:]+)\|\*",  # mailing lists: *|FNAME|*
    r"\[\[\s*([^\[\]]*?[^\W\d_][^\[\]]*?)\s*\]\]",
    r"\[((?:your-|_)[a-z0-9_-]+)\]",  # Contact Form 7: [your-name], [_date]
    r"(?<![%\w])%([A-Za-z_]{2,})%(?!\w)",
    r"(?<![\w$])\$([A-Za-z_]\w+)",
)
_FOREIGN = re.compile("|".join(_PLACEHOLDERS))
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def foreign_placeholders(literal: str, *, before_brace: bool) -> Iterator[Fault]:
    """Yield a fault for each in a part of a text; `before_brace`: an expression follows it."""
    for found in _FOREIGN.finditer(literal):
        name = next(filter(None, found.groups())).strip()
        value = name if _FIELD.fullmatch(name) else f'"{name}"'
        yield _fault(found[0], f"Write {{{value}}}")
    if before_brace and literal.endswith("$"):
        yield _fault("${", "Write the brace alone")


def _fault(shown: str, proposal: str) -> Fault:
    inside = shown.replace("'", "\\'")
    return Fault(
        f"{shown}: another language's way to insert a value",
        f"{proposal}; for the characters themselves {{'{inside}'}}.",
    )
