"""docs/decisions/: the index is complete, links lead somewhere, and tests that are named exist."""

import importlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/decisions"
PAGES = sorted(FOLDER.glob("*.md"))


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_the_index_names_each_page():
    named = re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text("utf-8"))
    assert sorted([*named, "README.md"]) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_file_and_its_heading(page):
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8"))
    for file, anchor in links:
        target = page.parent / file if file else page
        assert target.is_file(), file
        assert not anchor or anchor in anchors(target), anchor


@cache
def module_of(file):
    return importlib.import_module(file.removesuffix(".py").replace("/", "."))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_and_each_test_that_is_named_exists(page):
    text = page.read_text("utf-8")
    for file in re.findall(r"`((?:tests|local|functions|layers)/[\w/.]+\.\w+)`", text):
        assert (ROOT / file).is_file(), file
    for line in text.splitlines():
        files = re.findall(r"`(tests/[\w/]+\.py)`", line)
        for name in re.findall(r"`(test_\w+)`", line):
            assert any(hasattr(module_of(one), name) for one in files), name
