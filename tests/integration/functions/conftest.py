"""The functions, with a watch on everything that they log."""

import pytest

from openvoip_sms.adapters.telemetry import logger
from openvoip_sms.openvoip import connection
from tests.integration.functions.messages import CANARY
from tests.integration.service import Kept


@pytest.fixture
def service(deploy, capsys):
    """A deployed service, none of whose lines shows a number, a text or a secret."""
    running = deploy()
    kept = Kept(running.logged)
    logger.addHandler(kept)
    yield running
    logger.removeHandler(kept)
    shown = "\n".join([*running.logged, capsys.readouterr().out])
    for canary in (CANARY, "3331234567", "local-secret", "local-shopify-secret", "verify="):
        assert canary not in shown


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.25)
