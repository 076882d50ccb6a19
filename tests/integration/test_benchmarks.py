"""The benchmarks still measure what they print: nothing else would notice a change."""

import os
import subprocess
import sys

from tests.functions import ROOT


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "layers/openvoip_sms")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_benchmarks_run_and_print_their_ratios():
    ended = run("tests.benchmarks", "--runs", "1")
    # Its exit code says whether the ratio is good, which no test may depend on.
    assert ended.stdout.count("former / now = ") == 3, ended.stderr


def test_the_documented_costs_at_the_table_are_those_that_are_printed():
    ended = run("tests.benchmarks.write_units", "--messages", "10")
    page = (ROOT / "docs/delivery.md").read_text("utf-8")
    costs, rates = ended.stdout.split("| key |")
    printed = [line for line in costs.splitlines() if line.startswith("| ")]
    assert len(printed) == 13, ended.stderr
    assert [line for line in printed if line not in page] == []
    assert "| the day's counter | 1.00 | 1 | 1,000 |" in rates
    assert "| `by_check` | 4.00 |" in rates
