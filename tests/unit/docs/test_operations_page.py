"""docs/operations.md is read at 3 a.m.: its commands must exist and its tables be complete."""

import re
import subprocess
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
    assert len(looked_up) >= 6
    assert looked_up == {name for name in looked_up if f"\n  {name}:\n" in template}


def test_each_link_within_the_page_has_its_heading():
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == anchors


def test_the_log_recipe_looks_into_the_logs_of_every_function():
    template = (ROOT / "template.yaml").read_text("utf-8")
    groups = re.findall(r"^  (\w+):\n    Type: AWS::Logs::LogGroup", template, re.MULTILINE)
    [recipe] = [
        block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "logs()" in block
    ]
    stubs = 'resource() { echo "$1"; }; aws() { printf "%s " "$@"; echo; }\n'
    ended = subprocess.run(
        ["/bin/bash", "-euc", stubs + recipe], capture_output=True, text=True, check=True
    )
    calls = ended.stdout.splitlines()
    asked = [(re.search(r"--log-group-name (\w+)", one)[1], "message_id" in one) for one in calls]
    assert sorted(asked) == sorted((group, by_id) for group in groups for by_id in (True, False))
    assert all(re.search(r"--start-time \d{13} ", one) for one in calls)


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md", "docs/webhooks.md"])
def test_each_make_target_that_a_page_names_exists(page):
    text = (ROOT / page).read_text("utf-8")
    targets = set(re.findall(r"(?:^|`|\| )make ([a-z][a-z0-9-]*)", text, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert targets
    assert targets == {one for one in targets if re.search(rf"^{one}:", makefile, re.MULTILINE)}


def test_no_page_shows_a_command_that_has_a_secret_in_it():
    for page in ("README.md", *(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md"))):
        assert "put-secret-value" not in (ROOT / page).read_text("utf-8"), page
