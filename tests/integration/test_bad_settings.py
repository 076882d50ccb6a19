"""A setting with a mistake, as a typing error in a deployment makes one."""

import pytest

from openvoip_sms.adapters.telemetry import logger
from tests.integration.service import LogCapture, clear_caches, metric_sum

MESSAGE = {"id": "m-1", "to": "333 1234567", "text": "Ciao"}


@pytest.fixture
def service(deploy, monkeypatch):
    running = deploy()
    monkeypatch.setenv("TEST_RECIPIENTS", "333 12")
    clear_caches()
    capture = LogCapture(running.log_lines)
    logger.addHandler(capture)
    yield running
    logger.removeHandler(capture)


def test_a_bad_setting_keeps_messages_in_the_queue_and_counts_for_the_alarm(
    service, monkeypatch, capsys
):
    service.put(MESSAGE)
    assert len(service.run_sender(receive_count=900)) == 1
    assert service.dead_letters() == []
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1
    assert any("TEST_RECIPIENTS" in line for line in service.log_lines)
    monkeypatch.setenv("TEST_RECIPIENTS", "")
    clear_caches()
    service.put(MESSAGE)
    assert service.run_sender() == []
    assert len(service.gateway.calls) == 1


def test_a_bad_setting_is_reported_to_the_caller_and_counts_for_the_alarm(service, capsys):
    answer = service.post(MESSAGE)
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1
