"""No text makes a regular expression of the service take steps without end.

`re` holds the interpreter while it matches: one such text would stop all of a batch.
"""

import importlib
import pkgutil
import re
from itertools import product

import pytest

import openvoip_sms
from openvoip_sms.openvoip import replies
from openvoip_sms.rules import links
from openvoip_sms.templates import plain
from tests.regex_steps import Steps, alphabet, parsed, repeats

LENGTH = 20
MAX_STEPS = 2 * LENGTH**3  # more than any polynomial here, far fewer than 2 ** LENGTH
MAX_KINDS = 6  # of characters


def patterns_in(value):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for one in (*value.keys(), *value.values()):
            yield from patterns_in(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from patterns_in(one)


def patterns():
    found = {}
    for module in pkgutil.walk_packages(openvoip_sms.__path__, "openvoip_sms."):
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in patterns_in(value):
                found.setdefault(pattern, f"{module.name.removeprefix('openvoip_sms.')}.{name}")
    return [pytest.param(pattern, id=name) for pattern, name in found.items()]


def attacks(pattern):
    """Texts that lead into each repetition, feed it, and end with what does not fit."""
    tree, flags = parsed(pattern)
    kinds = alphabet(pattern, MAX_KINDS)
    units = [*kinds, *map("".join, product(kinds, repeat=2))]
    for before in dict.fromkeys(["", *kinds, *repeats(list(tree), "", flags)]):
        for unit in units:
            yield before + unit * (LENGTH // len(unit)) + "\0"


@pytest.mark.parametrize("pattern", patterns())
def test_no_text_causes_steps_without_end(pattern):
    steps = Steps(pattern, MAX_STEPS)
    for text in attacks(pattern):
        steps.search(text)
        steps.fullmatch(text)


@pytest.mark.parametrize(
    ("pattern", "run"), [(plain._BEFORE_QUOTE, "\\"), (links._DOTS, "."), (replies._TEXT, "ERR ")]
)
def test_a_long_run_takes_steps_in_proportion_to_its_length(pattern, run):
    """Values of 2,000 characters are read with these, as many as a body holds of them."""

    def taken(length):
        steps = Steps(pattern, MAX_STEPS)
        steps.search(run[:-1] + run[-1] * length + "!")
        return steps.taken

    assert taken(80) < 5 * taken(20)
