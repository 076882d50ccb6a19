"""One version: of the project, of the package, and of the newest part of the changelog."""

import re
import tomllib
from pathlib import Path

from openvoip_sms import __version__

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
HEADINGS = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)


def version(heading, form):
    """Return the version in a heading of this form, as numbers that can be compared."""
    number = r"(0|[1-9]\d*)"
    found = re.fullmatch(form.replace("VERSION", rf"{number}\.{number}\.{number}"), heading)
    assert found, f"the heading is not of the form {form}: {heading}"
    return tuple(int(part) for part in found.groups())


def versions():
    """Return every version of the changelog; only the newest may be unreleased."""
    unreleased = HEADINGS[0].startswith("Unreleased")
    if unreleased:
        yield version(HEADINGS[0], "Unreleased, to be VERSION")
    for heading in HEADINGS[unreleased:]:
        yield version(heading, r"VERSION - 20\d\d-[01]\d-[0-3]\d")


def test_project_package_and_changelog_agree_on_the_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = ".".join(map(str, next(versions())))
    assert project == __version__ == newest


def test_the_changelog_goes_from_the_newest_version_to_the_oldest():
    assert list(versions()) == sorted(set(versions()), reverse=True)
