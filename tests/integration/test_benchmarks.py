"""`make bench` still measures both ways: nothing else would notice when the client changes."""

import os
import subprocess
import sys

from tests.functions import ROOT


def test_the_benchmarks_run_and_print_their_ratios():
    ended = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--runs", "1"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "layers/openvoip_sms")},
        capture_output=True,
        text=True,
        check=False,
    )
    # Its exit code says whether the ratio is good, which no test may depend on.
    assert ended.stdout.count("former / now = ") == 3, ended.stderr
