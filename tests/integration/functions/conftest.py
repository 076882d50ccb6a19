"""The functions, with a check of everything that they log."""

import pytest

from openvoip_sms.adapters.telemetry import logger
from tests.integration.functions.messages import CANARY
from tests.integration.service import LogCapture


@pytest.fixture
def service(deploy, capsys):
    """A deployed service, none of whose lines shows a number, a text or a secret."""
    running = deploy()
    capture = LogCapture(running.log_lines)
    logger.addHandler(capture)
    yield running
    logger.removeHandler(capture)
    shown = "\n".join([*running.log_lines, capsys.readouterr().out])
    for canary in (CANARY, "3331234567", "local-secret", "local-shopify-secret", "verify="):
        assert canary not in shown
