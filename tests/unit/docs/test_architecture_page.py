"""docs/architecture.md: what it names is there, and it shows every subpackage."""

import re

import pytest

from tests.unit.test_architecture import MAY_IMPORT, PACKAGE, ROOT

PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|yaml|md)|(?:[\w-]+/)+)`", PAGE)))
FROM_THE_TOP = ("functions/", "tests/", "docs/", "events/", "layers/", "template.yaml")


@pytest.mark.parametrize("name", NAMED)
def test_each_file_and_folder_that_is_named_exists(name):
    folder = ROOT if name.startswith(FROM_THE_TOP) else PACKAGE
    assert (folder / name).exists()


def test_enough_is_named():
    assert len(NAMED) > 20


@pytest.mark.parametrize("subpackage", [subpackage for subpackage in MAY_IMPORT if subpackage])
def test_every_subpackage_is_in_the_diagram(subpackage):
    assert f"{subpackage}/" in PAGE.split("```")[1]


def test_each_recipe_has_five_steps_at_most():
    recipes = re.split(r"^\*\*", PAGE.split("## How to add")[1], flags=re.MULTILINE)[1:]
    assert [recipe.split("**")[0] for recipe in recipes] == [
        "A way in",
        "A rule that holds messages back",
        "A gateway",
        "A sender's preset",
        "A metric",
    ]
    assert all(1 <= len(re.findall(r"^\d\.", one, re.MULTILINE)) <= 5 for one in recipes)
