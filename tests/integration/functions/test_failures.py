"""Table, queue, settings or code fail."""

import json
import traceback
from dataclasses import replace

import pytest

from local.gateway import Fault
from openvoip_sms.delivery.ports import QueueUnavailable, StoreUnavailable
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core, webhooks
from openvoip_sms.wiring import sending as sending_parts
from tests.integration.functions.messages import CANARY, MINIMAL, WITH_ID
from tests.integration.service import clear_caches, event, metric_sum


def test_an_unavailable_table_is_reported_and_no_call_is_made(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    monkeypatch.setattr(type(core.store()), "create", down)
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert service.gateway.calls == []


def test_a_message_that_an_unavailable_table_delays_counts_as_retried(service, monkeypatch, capsys):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    service.put(WITH_ID)
    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        assert len(service.run_sender()) == 1
    assert metric_sum(capsys.readouterr().out, "Retried") == 1


def test_an_outcome_that_cannot_be_recorded_must_not_be_retried_by_the_caller(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    monkeypatch.setattr(type(core.store()), "replace", down)
    answer = service.post(MINIMAL)
    assert (answer.status, answer.reason) == (202, "outcome_unrecorded")
    [record] = service.records()
    assert (answer.body["id"], answer.body["status"]) == (record.id, "unknown")
    assert answer.headers["Location"] == f"/v1/messages/{record.id}"
    assert record.status is Status.SENDING  # the reconciler will find it


@pytest.mark.parametrize("asynchronous", [{}, {"Prefer": "wait=5, respond-async; x=y"}])
def test_a_message_that_cannot_be_queued_is_left_to_the_reconciler(
    service, monkeypatch, asynchronous
):
    def down(*_):
        raise QueueUnavailable("ServiceUnavailable")

    service.gateway.fail_next(1, Fault("http_503"))
    with monkeypatch.context() as broken:
        broken.setattr(type(core.queue()), "put", down)
        assert service.post(WITH_ID, **asynchronous).status == 202
    [record] = service.records()
    core.store().replace(record, replace(record, check_at=core.clock(), version=9))
    assert service.reconcile()["queued"] == 1


@pytest.mark.parametrize("name", ["TABLE_NAME", "GATEWAY_URL", "DEFAULT_SENDER", "MODE"])
def test_a_missing_setting_is_named_in_the_log_and_not_to_the_caller(service, monkeypatch, name):
    monkeypatch.delenv(name)
    clear_caches()
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert name not in json.dumps(answer.body)
    assert any(f"{name} is not set" in line for line in service.log_lines)
    monkeypatch.undo()


def test_an_unhandled_error_of_a_call_is_answered_with_a_sentence(service, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(sending_parts.delivery()), "send_new", fail)
    answer = service.post({"to": "333 1234567", "text": "Ciao"})
    assert answer.status == 500
    assert answer.body["reason"] == "internal_error"
    assert CANARY not in json.dumps(answer.body)
    assert not [line for line in service.log_lines if CANARY in line]


def test_an_unhandled_error_of_a_webhook_is_answered_and_shows_nothing(service, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(webhooks.intake()), "handle", fail)
    answer = service.webhook(event("webhook_shopify_orders_fulfilled"))
    assert (answer.status, answer.reason) == (500, "internal_error")
    [line] = [json.loads(one) for one in service.log_lines if "service.unhandled_error" in one]
    assert line["error"] == "RuntimeError"
    with pytest.raises(Exception, match=r"^RuntimeError$") as left:
        service.partner_event(event("webhook_shopify_eventbridge"))
    assert CANARY not in "".join(traceback.format_exception(left.value))
