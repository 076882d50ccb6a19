"""YAML with the line of every key, so that mistakes can name it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where available


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The data, the line of each key and item, and the repeated keys."""

    data: Any
    lines: Mapping[Path, int]
    repeated: tuple[Path, ...]

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest parent that has one."""
        return next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self), 1)

    def __contains__(self, path: object) -> bool:
        return path in self.lines


class NotYaml(ValueError):
    """Not YAML."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def load_yaml(text: str) -> YamlDocument:
    """Read a document.

    Raises:
        NotYaml: with the line of the error.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, in C
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "cannot be read"
        raise NotYaml(mark.line + 1 if mark else 1, str(reason)) from None
    except ValueError as error:  # a date such as 2026-13-45
        raise NotYaml(1, str(error)) from None
    places = list(_places(root, ())) if root is not None else []
    lines: dict[Path, int] = {}
    repeated = []
    for path, line in places:
        if path in lines:
            repeated.append(path)
        lines[path] = line
    return YamlDocument(data, lines, tuple(repeated))


def _places(
    node: yaml.Node, path: Path, inside: tuple[yaml.Node, ...] = ()
) -> Iterator[tuple[Path, int]]:
    """Each key and item under `node`; an alias that contains itself is not followed."""
    if node in inside:
        return
    if isinstance(node, yaml.MappingNode):
        children = [(key.value, key, value) for key, value in node.value if _is_plain(key)]
    elif isinstance(node, yaml.SequenceNode):
        children = [(index, item, item) for index, item in enumerate(node.value)]
    else:
        return
    for name, key, value in children:
        yield (*path, name), key.start_mark.line + 1
        yield from _places(value, (*path, name), (*inside, node))


def _is_plain(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge"
