"""JMESPath's parser, which keeps whether the name of a field was written in double quotes."""

import warnings
from typing import Any

from jmespath.parser import Parser

QUOTED = "quoted"  # a key of the nodes of such fields


class _Parser(Parser):
    _CACHE: dict[str, Any] = {}  # noqa: RUF012 - the library's own would mix up the trees

    def _token_nud_quoted_identifier(self, token: Any) -> dict[str, Any]:  # noqa: ANN401
        field = super()._token_nud_quoted_identifier(token)  # type: ignore[misc] # not in its stub
        return {**field, QUOTED: True}


def parse(source: str) -> Any:  # noqa: ANN401 - the library's nodes, dictionaries
    """Return the tree.

    Raises:
        JMESPathError: it is no expression.
    """
    with warnings.catch_warnings():  # a text in backticks is old style, and works
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return _Parser().parse(source).parsed
