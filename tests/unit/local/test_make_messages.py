"""What `make` says when something is missing: what it is, and what to do."""

import os
import shutil
import subprocess
import sys

import pytest

from local import find_message, set_secret, switch
from local.invoke import mistake_in
from tests.functions import ROOT

MAKE = shutil.which("make") or ""


def make(*arguments, **variables):
    command = [MAKE, "--no-print-directory", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def venv(tmp_path):
    return f"VENV={tmp_path}/venv"


def test_another_python_is_said_with_what_to_do(venv):
    ended = make("setup", venv, "PYTHON=/bin/false")
    assert ended.returncode != 0
    assert "Python 3.13 is needed; set its path: make PYTHON=" in ended.stderr


def test_a_network_that_is_missing_is_said_with_what_to_do(venv):
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    ended = make("setup", venv, f"PYTHON={sys.executable}", **unreachable)
    assert ended.returncode != 0
    assert "Is there a network" in ended.stderr
    assert "HTTPS_PROXY=" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_variable_is_named_with_an_example(capsys):
    assert mistake_in("", "").startswith("FUNCTION= is missing: one of api, ")
    assert "EVENT= is missing" in mistake_in("api", "")
    assert "FUNCTION=apo: there are api, " in mistake_in("apo", "x")
    assert set_secret.main("") == 2
    assert set_secret.main("il mio negozio") == 2
    assert find_message.main() == 2
    assert switch.main() == 2
    said = capsys.readouterr().err
    assert "NAME= is missing. make secret NAME=gateway" in said
    assert "NAME=il mio negozio is no name of a secret. make secret" in said
    assert "make log-id ID=" in said
    assert "make resume" in said


@pytest.mark.parametrize(
    ("target", "module"),
    [
        ("secret", "set_secret"),
        ("pause", "switch"),
        ("resume", "switch"),
        ("log-id", "find_message"),
        ("find-message", "find_message"),
    ],
)
def test_each_command_for_operators_is_a_target_with_a_help_line(target, module):
    rule = (ROOT / "Makefile").read_text().split(f"\n{target}: ")[1]
    assert " ## " in rule.split("\n")[0]
    assert f"local.{module} " in rule.split("\n\n")[0]
    assert target in make("help").stdout
