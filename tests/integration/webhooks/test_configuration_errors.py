"""Sources, secrets or settings with a mistake."""

import json

import pytest

from openvoip_sms.wiring import webhooks
from tests.integration.service import clear_caches, metric_sum
from tests.integration.webhooks.proxy_events import form, shopify
from tests.integration.webhooks.sources import SOURCES


@pytest.mark.parametrize(
    "content",
    [
        SOURCES.replace("preset: make", "preset: maek").encode(),
        b"\xff\xfe\x00",
        b"",
        b"shopify: [",
        None,
    ],
    ids=["mistake", "no text", "empty", "no yaml", "no file"],
)
def test_with_broken_sources_every_source_answers_500_with_one_error_and_an_alarm(
    service, tmp_path, capsys, content
):
    file = tmp_path / "sources.yaml"
    file.unlink() if content is None else file.write_bytes(content)
    for one in (form(), shopify(), form("nobody")):
        answer = service.webhook(one)
        assert (answer.status, answer.reason) == (500, "not_set_up")
    [line] = [json.loads(one) for one in service.log_lines if '"ERROR"' in one]
    assert line["message"] == "sources.invalid"
    assert line["mistakes"].startswith("sources.yaml:")
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 3
    assert service.records() == []


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"token": "SET-ME"}'])
def test_a_secret_that_is_not_set_alarms_and_asks_the_sender_to_retry(service, capsys, content):
    service.stack.secrets.put_secret_value(
        SecretId=service.stack["WebhookSecret"], SecretString=content
    )
    answer = service.webhook(form())
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1


@pytest.mark.parametrize("name", ["TABLE_NAME", "DEFAULT_SENDER", "RECIPIENT_HOURLY_LIMIT"])
def test_a_missing_setting_alarms_and_is_named_in_the_log_only(service, monkeypatch, capsys, name):
    monkeypatch.delenv(name)
    clear_caches()
    answer = service.webhook(form())
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert name not in json.dumps(answer.body)
    assert any(f"{name} is not set" in line for line in service.log_lines)
    assert metric_sum(capsys.readouterr().out, "ConfigurationErrors") == 1


def test_an_unhandled_error_is_answered_with_a_sentence_and_never_shows_a_body(
    service, monkeypatch
):
    def fail(_, planned, __):
        raise RuntimeError(planned.text)

    monkeypatch.setattr(type(webhooks.intake()), "handle", fail)
    answer = service.webhook(form(nome="testo-canarino"))
    assert (answer.status, answer.reason) == (500, "internal_error")
    assert any("service.unhandled_error" in line for line in service.log_lines)
    assert not [line for line in service.log_lines if "testo-canarino" in line]
