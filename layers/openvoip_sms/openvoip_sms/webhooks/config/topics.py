"""Whether a sender has the topics that a source names; a misspelt one would never match a call."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

_SHOWN = 3  # topics named as examples


def unknown_topics(wanted: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each topic that none of the `known` patterns matches, with a proposal."""
    for topic in wanted:
        if not any(fnmatchcase(topic, pattern) for pattern in known):
            yield topic, _proposal(topic, known)


def _proposal(topic: str, known: Sequence[str]) -> str:
    """`ORDERS_FULFILLED`, `order.fulfilled`: the same words as `orders/fulfilled`, nearly."""
    by_words = {_words(one): one for one in reversed(known) if "*" not in one}
    close = get_close_matches(_words(topic), by_words, n=1)
    if close:
        return f"Did you mean {by_words[close[0]]}?"
    examples = ", ".join([one for one in known if "*" not in one][:_SHOWN])
    return f"It has {examples} …; one that is new goes into topics." if examples else ""


def _words(topic: str) -> str:
    return re.sub(r"[^a-z0-9]+", "/", topic.lower())
