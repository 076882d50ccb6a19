"""A setting with a mistake, as a typing error in a deployment makes one."""

import pytest

from openvoip_sms.adapters.telemetry import logger
from tests.integration.service import Kept, counted, forget

MESSAGE = {"id": "m-1", "to": "333 1234567", "text": "Ciao"}


@pytest.fixture
def service(deploy, monkeypatch):
    running = deploy()
    monkeypatch.setenv("TEST_RECIPIENTS", "333 12")
    forget()
    kept = Kept(running.logged)
    logger.addHandler(kept)
    yield running
    logger.removeHandler(kept)


def test_a_bad_setting_keeps_messages_in_the_queue_and_counts_for_the_alarm(
    service, monkeypatch, capsys
):
    service.put(MESSAGE)
    assert len(service.work(receive_count=900)) == 1
    assert service.dead_letters() == []
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 1
    assert any("TEST_RECIPIENTS" in line for line in service.logged)
    monkeypatch.setenv("TEST_RECIPIENTS", "")
    forget()
    service.put(MESSAGE)
    assert service.work() == []
    assert len(service.gateway.calls) == 1


def test_a_bad_setting_is_reported_to_the_caller_and_counts_for_the_alarm(service, capsys):
    answer = service.post(MESSAGE)
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 1
