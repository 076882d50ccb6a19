"""The functions with sources of their own."""

import json

import pytest

from openvoip_sms.adapters.telemetry import logger
from tests.integration.service import LogCapture
from tests.integration.webhooks.sources import SECRETS, SOURCES


@pytest.fixture
def service(deploy, stack, tmp_path, monkeypatch):
    running = deploy()
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    monkeypatch.setenv("SOURCES_FILE", str(tmp_path / "sources.yaml"))
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
    )
    capture = LogCapture(running.log_lines)
    logger.addHandler(capture)
    yield running
    logger.removeHandler(capture)
