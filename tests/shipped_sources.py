"""The sources that come with the project: the active ones and the examples, in one file."""

from local.check_sources import EXAMPLES, SOURCES
from local.processes import ROOT


def shipped_sources():
    return "\n".join((ROOT / file).read_text("utf-8") for file in (SOURCES, EXAMPLES))


def shipped_file(folder):
    file = folder / "sources.yaml"
    file.write_text(shipped_sources(), "utf-8")
    return file
