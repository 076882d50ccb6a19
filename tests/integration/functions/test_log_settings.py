"""Whatever an operator sets while looking for a fault: nothing that must not be read is written.

Each function runs in a process of its own, as in Lambda: with the variables set before anything is
imported, and with Lambda's handler at the root logger.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.functions import ROOT

CANARIES = (
    "testo-canarino",
    "78831234",
    "local-secret",
    "shop-secret",
    "chiave-canarina",
    "verify=",
)
SETTINGS = {
    "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    "POWERTOOLS_LOGGER_SAMPLE_RATE": "1",
    "POWERTOOLS_DEV": "true",
    "POWERTOOLS_DEBUG": "true",
    "POWERTOOLS_LOG_LEVEL": "DEBUG",
    "LOG_LEVEL": "DEBUG",
    "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
}


def run(**settings):
    """What all functions write, on a call of each kind."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.integration.functions.every_call"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "layers/openvoip_sms"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "settings", [{name: value} for name, value in SETTINGS.items()] + [SETTINGS], ids=str
)
def test_no_setting_writes_a_number_a_text_or_a_secret(settings):
    written = run(**settings)
    assert [canary for canary in CANARIES if canary in written] == []
    assert "sms.sent" in written or settings.get("POWERTOOLS_LOG_LEVEL") == "ERROR"


def test_the_check_sees_what_a_library_would_write():
    """Or it would prove nothing."""
    written = run(**SETTINGS, LET_LIBRARIES_SPEAK="1")
    assert {"testo-canarino", "local-secret"} <= {one for one in CANARIES if one in written}


def test_each_line_is_json_under_all_settings_but_the_one_for_developers():
    for line in run(**SETTINGS | {"POWERTOOLS_DEV": "false"}).splitlines():
        assert isinstance(json.loads(line), dict)
