"""Whatever is set for the real AWS on this machine, tests and local tools do not see it."""

import os
import subprocess
import sys

from local.processes import ROOT

FOREIGN = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_PROFILE": "nobody",
    "AWS_DEFAULT_PROFILE": "nobody",
    "AWS_REGION": "nowhere-1",
    "AWS_CA_BUNDLE": "/nowhere/bundle.pem",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_LAMBDA_FUNCTION_NAME": "other",
    "AWS_SOMETHING_NEW": "x",
}
PROBE = """
import os, local
print([name for name in os.environ if name.startswith("AWS_")])
"""
TESTS = [
    "tests/integration/adapters/test_secret_reader.py::test_an_account_is_read_once_for_many_messages",
    "tests/integration/test_bad_settings.py",
]


def run(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(os.environ) | FOREIGN,
        capture_output=True,
        text=True,
        check=False,
    )


def test_local_tools_remove_them_before_anything_starts():
    assert run("-c", PROBE).stdout.strip() == "[]"


def test_tests_pass_with_all_of_them_set():
    ended = run("-m", "pytest", "-p", "no:cacheprovider", *TESTS)
    assert ended.returncode == 0, ended.stdout
