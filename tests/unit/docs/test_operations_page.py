"""docs/operations.md is read at 3 a.m.: its commands must exist and its tables be complete."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
GLOBAL_OPTIONS = {"query", "output"}


def commands():
    """Each AWS command of the page: service, operation, options."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    for found in re.finditer(r"\baws ([a-z0-9]+) ([a-z-]+)((?:(?!\baws ).)*)", text):
        service, operation, rest = found.groups()
        yield service, operation, frozenset(re.findall(r"--([a-z-]+)", rest))


@pytest.mark.parametrize(("service", "operation", "options"), sorted(set(commands()), key=str))
def test_each_command_and_its_options_are_known_to_aws(service, operation, options):
    model = botocore.session.get_session().get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(named[operation]).input_shape.members
    known = {xform_name(name, "-") for name in members} | GLOBAL_OPTIONS
    assert {option.removeprefix("no-") for option in options} <= known


def test_each_alarm_of_the_template_is_explained():
    template = (ROOT / "template.yaml").read_text("utf-8")
    alarms = re.findall(r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm", template, re.MULTILINE)
    assert set(re.findall(r"^\| `(\w+Alarm)` \|", PAGE, re.MULTILINE)) == set(alarms)


def test_each_name_that_the_commands_look_up_is_in_the_template():
    template = (ROOT / "template.yaml").read_text("utf-8")
    looked_up = set(re.findall(r"\$\((?:output|resource) (\w+)\)", PAGE))
    assert len(looked_up) >= 8
    assert looked_up == {name for name in looked_up if f"\n  {name}:\n" in template}


def test_each_link_within_the_page_has_its_heading():
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == anchors
