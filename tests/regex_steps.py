"""Counts the steps of a regular expression, which one call of `re` hides: it may take hours.

It matches by backtracking as `re` does, over the tree that `re` itself has parsed.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from re import _constants as op
from typing import Any

type After = Callable[[int], bool]  # whether the rest of the pattern matches from there
type Matcher = Callable[[int, After], bool]
type Char = Callable[[str], bool]

CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
OF_ONE_CHARACTER = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)


class TooManySteps(AssertionError):
    """The pattern takes more steps than allowed."""


def parsed(pattern: re.Pattern[Any]) -> tuple[Any, int]:
    source = pattern.pattern
    text = source if isinstance(source, str) else source.decode("latin-1")
    return re._parser.parse(text, pattern.flags & ~re.DEBUG), pattern.flags


class Steps:
    """Searches one text with one pattern, as `re` would."""

    def __init__(self, pattern: re.Pattern[Any], limit: int) -> None:
        self._tree, self._flags = parsed(pattern)
        self._limit, self.taken = limit, 0
        self._text, self._groups = "", dict[int, tuple[int, int]]()
        self._matcher = self._sequence(list(self._tree))

    def search(self, text: str) -> tuple[int, int] | None:
        """Return where it matches.

        Raises:
            TooManySteps
        """
        self._text, self.taken = text, 0
        for start in range(len(text) + 1):
            self._groups, ends = {}, list[int]()
            if self._matcher(start, lambda at, ends=ends: ends.append(at) or True):  # type: ignore[misc]
                return start, ends[0]
        return None

    def fullmatch(self, text: str) -> bool:
        """Return whether it matches the whole text.

        Raises:
            TooManySteps
        """
        self._text, self.taken, self._groups = text, 0, {}
        return self._matcher(0, lambda at: at == len(text))

    def _sequence(self, nodes: list[Any]) -> Matcher:
        matchers = [self._node(*node) for node in nodes]

        def run(at: int, after: After, n: int = 0) -> bool:
            if n == len(matchers):
                return after(at)
            return matchers[n](at, lambda end: run(end, after, n + 1))

        return run

    def _node(self, kind: Any, given: Any) -> Matcher:  # noqa: PLR0911 - as the parser's
        if kind in OF_ONE_CHARACTER:
            return partial(self._character, character(kind, given, self._flags))
        if kind in REPEATS:
            low, high, body = given
            matcher = self._sequence(list(body))
            if kind is op.POSSESSIVE_REPEAT:
                return partial(self._atomic, partial(self._greedy, matcher, low, high, 0))
            repeat = self._greedy if kind is op.MAX_REPEAT else self._lazy
            return partial(repeat, matcher, low, high, 0)
        if kind is op.SUBPATTERN:
            return partial(self._group, given[0], self._sequence(list(given[3])))
        if kind is op.BRANCH:
            branches = [self._sequence(list(one)) for one in given[1]]
            return lambda at, after: any(branch(at, after) for branch in branches)
        if kind is op.ATOMIC_GROUP:
            return partial(self._atomic, self._sequence(list(given)))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            direction, body = given
            back = body.getwidth()[0] if direction < 0 else 0
            look = partial(self._look, self._sequence(list(body)), back)
            return lambda at, after: look(at) is (kind is op.ASSERT) and after(at)
        if kind is op.GROUPREF:
            return partial(self._repeated_group, given)
        return lambda at, after: self._is_at(given, at) and after(at)

    def _step(self) -> None:
        self.taken += 1
        if self.taken > self._limit:
            raise TooManySteps(self._text)

    def _character(self, fits: Char, at: int, after: After) -> bool:
        self._step()
        return at < len(self._text) and fits(self._text[at]) and after(at + 1)

    def _greedy(  # noqa: PLR0917 - given by `partial`
        self, body: Matcher, low: int, high: Any, done: int, at: int, after: After
    ) -> bool:
        def more(end: int) -> bool:
            return (end > at or done < low) and self._greedy(body, low, high, done + 1, end, after)

        return (done < high and body(at, more)) or (done >= low and after(at))

    def _lazy(  # noqa: PLR0917 - given by `partial`
        self, body: Matcher, low: int, high: Any, done: int, at: int, after: After
    ) -> bool:
        def more(end: int) -> bool:
            return (end > at or done < low) and self._lazy(body, low, high, done + 1, end, after)

        return (done >= low and after(at)) or (done < high and body(at, more))

    def _atomic(self, body: Matcher, at: int, after: After) -> bool:
        ends: list[int] = []
        return body(at, lambda end: ends.append(end) or True) and after(ends[0])  # type: ignore[func-returns-value]

    def _group(self, number: int | None, body: Matcher, at: int, after: After) -> bool:
        def keep(end: int) -> bool:
            if number is not None:
                self._groups[number] = at, end
            return after(end)

        return body(at, keep)

    def _repeated_group(self, number: int, at: int, after: After) -> bool:
        start, end = self._groups.get(number, (0, -1))
        again = self._text[start:end] if end >= 0 else None
        return again is not None and self._text.startswith(again, at) and after(at + len(again))

    def _look(self, body: Matcher, back: int, at: int) -> bool:
        return at >= back and body(at - back, lambda _end: True)

    def _is_at(self, place: Any, at: int) -> bool:
        text = self._text
        if place in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return at == 0
        if place is op.AT_END_STRING:
            return at == len(text)
        if place is op.AT_END:
            return at == len(text) or (at == len(text) - 1 and text[at] == "\n")
        boundary = re.compile(r"\b" if place is op.AT_BOUNDARY else r"\B", self._flags & re.ASCII)
        return boundary.match(text, at) is not None


def character(kind: Any, given: Any, flags: int) -> Char:
    """Whether an operation on one character fits it."""
    if kind is op.ANY:
        return lambda char: bool(flags & re.DOTALL) or char != "\n"
    items = given if kind is op.IN else [(kind, given)]
    negated = items[0][0] in (op.NEGATE, op.NOT_LITERAL)
    tests = [_item(*item, flags) for item in items if item[0] is not op.NEGATE]

    def fits(char: str) -> bool:
        forms = {char, char.lower(), char.upper()} if flags & re.IGNORECASE else {char}
        return any(test(one) for test in tests for one in forms) is not negated

    return fits


def _item(kind: Any, given: Any, flags: int) -> Char:
    if kind is op.RANGE:
        return lambda char: len(char) == 1 and given[0] <= ord(char) <= given[1]
    if kind is op.CATEGORY:
        return re.compile(CATEGORIES[given], flags & re.ASCII).fullmatch  # type: ignore[return-value]
    return lambda char: char == chr(given)


def repeats(nodes: list[Any], before: str, flags: int) -> Iterator[str]:
    """Samples of what leads into each repetition without an end, or one of many."""
    for kind, given in nodes:
        for inside in _parts(kind, given):
            yield from repeats(inside, before, flags)
        if kind in REPEATS and given[1] > 9:
            yield before
        before += sample([(kind, given)], flags)


def sample(nodes: list[Any], flags: int) -> str:
    """A short text that fits, for what is no assertion."""
    text = ""
    for kind, given in nodes:
        if kind in OF_ONE_CHARACTER:
            fits = character(kind, given, flags)
            text += next((char for char in _characters([(kind, given)]) if fits(char)), "")
        elif kind in REPEATS:
            text += sample(list(given[2]), flags) * given[0]
        elif kind not in (op.ASSERT, op.ASSERT_NOT):
            text += sample(next(iter(_parts(kind, given)), []), flags)
    return text


def alphabet(pattern: re.Pattern[Any], at_most: int) -> list[str]:
    """One character for each kind that the pattern tells apart."""
    tree, flags = parsed(pattern)
    tests = [character(kind, given, flags) for kind, given in _of_one_character(list(tree))]
    kinds: dict[tuple[bool, ...], str] = {}
    for char in _characters(list(_of_one_character(list(tree)))):
        kinds.setdefault(tuple(bool(test(char)) for test in tests), char)
    return list(kinds.values())[:at_most]


def _characters(nodes: list[Any]) -> list[str]:
    """Characters of every usual kind, and those that the nodes name."""
    found = list("a1 -.!A_'è\n@/:")
    for kind, given in nodes:
        for item, value in given if kind is op.IN else [(kind, given)]:
            if item in (op.LITERAL, op.NOT_LITERAL):
                found.append(chr(value))
            if item is op.RANGE:
                found.append(chr(value[0]))
    return list(dict.fromkeys(found))


def _of_one_character(nodes: list[Any]) -> Iterator[Any]:
    for kind, given in nodes:
        if kind in OF_ONE_CHARACTER:
            yield kind, given
        for inside in _parts(kind, given):
            yield from _of_one_character(inside)


def _parts(kind: Any, given: Any) -> list[list[Any]]:
    if kind in REPEATS:
        return [list(given[2])]
    if kind is op.SUBPATTERN:
        return [list(given[3])]
    if kind is op.BRANCH:
        return [list(one) for one in given[1]]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [list(given[1])]
    return [list(given)] if kind is op.ATOMIC_GROUP else []
