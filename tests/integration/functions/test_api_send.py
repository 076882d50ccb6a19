"""Sending over the API: answers, records and what the gateway received."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from local.gateway import Fault, LocalGateway
from openvoip_sms.rules.message import fingerprint
from openvoip_sms.wiring import core
from tests.integration.functions.messages import CANARY, MINIMAL, WITH_ID, texts
from tests.records import sending

# The same id again


def test_the_same_call_again_is_answered_as_before_and_sends_nothing(service):
    first, second = service.post(WITH_ID), service.post(WITH_ID)
    assert (first.status, second.status) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.body == first.body
    assert len(service.gateway.calls) == 1


def test_an_idempotency_key_is_an_id(service):
    for key in ("m-1", '"m-1"'):
        answer = service.post(MINIMAL, Idempotency_Key=key)
        assert (answer.status, answer.body["id"]) == (201, "m-1")
    assert len(service.gateway.calls) == 1


def test_id_and_idempotency_key_must_agree(service):
    assert service.post(WITH_ID, Idempotency_Key="m-1").status == 201
    answer = service.post(WITH_ID, Idempotency_Key="m-2")
    assert (answer.status, answer.violations) == (422, [("id", "ids_differ")])


def test_the_same_id_with_other_content_is_refused(service):
    service.post(WITH_ID)
    answer = service.post(WITH_ID | {"text": "Altro"})
    assert (answer.status, answer.reason) == (422, "id_in_use")
    assert len(service.gateway.calls) == 1


def test_a_message_that_is_being_sent_is_in_progress(service):
    until = core.clock() + timedelta(seconds=60)
    core.store().create(sending(claimed_until=until, fingerprint=fingerprint(WITH_ID)))
    answer = service.post(WITH_ID)
    assert (answer.status, answer.body["message"]["status"]) == (409, "sending")
    assert int(answer.headers["Retry-After"]) > 0
    assert service.gateway.calls == []


def test_a_repeated_call_for_a_message_with_an_expired_lease_is_answered_unknown(service):
    core.store().create(sending(fingerprint=fingerprint(WITH_ID), claimed_until=core.clock()))
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (202, "lease_expired")
    assert service.gateway.calls == []


@pytest.mark.parametrize("asynchronous", [{}, {"Prefer": "respond-async"}])
def test_double_clicks_at_the_same_moment_are_one_sms(service, asynchronous):
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda _: service.post(WITH_ID, **asynchronous), range(8)))
    assert {answer.status for answer in answers} <= {201, 202, 409}
    while service.stack.received():
        pass
    service.redeliver_waiting()
    service.run_sender()
    assert len(service.gateway.calls) == 1


# What the gateway says


@pytest.mark.parametrize(
    ("fault", "status", "reason", "record_status"),
    [
        ("refuse_020", 422, "bad_destination", "rejected"),
        ("cut_after", 202, "no_clear_answer", "unknown"),
        ("http_500", 202, "no_clear_answer", "unknown"),
        ("html", 202, "no_clear_answer", "unknown"),
        ("cut_inside", 202, "no_clear_answer", "unknown"),
        ("refuse_099", 202, "gateway_error", "queued"),
        ("http_503", 202, "gateway_busy", "queued"),
        ("http_302", 202, "gateway_misconfigured", "queued"),
    ],
)
def test_each_outcome_has_its_answer_and_its_record(service, fault, status, reason, record_status):
    service.gateway.fail_next(1, Fault(fault))
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (status, reason)
    shown = answer.body["message"] if status >= 400 else answer.body
    assert (shown["id"], shown["status"], shown["text"]) == ("m-1", record_status, CANARY)
    assert service.call("GET", "/messages/{id}", "m-1").body == shown
    again = service.post(WITH_ID)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (status, "true")
    assert len(service.gateway.calls) == 1


@pytest.mark.parametrize("fault", ["refuse_099", "http_503", "http_404"])
def test_what_was_not_sent_is_sent_by_the_queue(service, fault):
    service.gateway.fail_next(1, Fault(fault))
    service.post(WITH_ID)
    service.redeliver_waiting()
    assert service.run_sender() == []
    assert texts(service.gateway) == [("+393331234567", CANARY)]


def test_a_gateway_that_is_down_loses_nothing(deploy, stack):
    with LocalGateway(call_group="9999", secret="local-secret") as up:
        url, port = up.url, up._server.server_address[1]
    service = deploy(GatewayUrl=url)
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (202, "gateway_unreachable")
    assert answer.body["detail"]
    service.put({"to": "333 1234568", "text": "dalla coda", "id": "m-2"})
    assert len(service.run_sender()) == 1
    with LocalGateway(call_group="9999", secret="local-secret", port=port) as back:
        service.redeliver_waiting()
        assert service.run_sender() == []
        assert sorted(sms.to for sms in back.accepted) == ["+393331234567", "+393331234568"]
    assert stack.received("DeadLetterQueue") == []


def test_an_unset_secret_is_reported_and_loses_nothing(service):
    service.stack.set_account({"id_call_gr": "SET-ME", "secret": "SET-ME"})
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (202, "secret_not_set")
    assert "gateway secret" in answer.body["detail"]
    assert service.gateway.calls == []
    service.stack.set_account()
    service.redeliver_waiting()
    assert service.run_sender() == []
    assert len(service.gateway.accepted) == 1


def test_a_wrong_secret_is_reported_after_two_calls_and_loses_nothing(service):
    service.gateway.rotate_secret("another")
    answer = service.post(WITH_ID)
    assert (answer.status, answer.reason) == (202, "bad_credentials")
    assert len(service.gateway.calls) == 2


def test_a_rotated_secret_works_at_once(service):
    assert service.post(MINIMAL).status == 201
    service.gateway.rotate_secret("rotated")
    service.stack.set_account({"id_call_gr": "9999", "secret": "rotated"})
    assert service.post(MINIMAL).status == 201


def test_without_time_for_a_call_the_message_is_left_to_the_queue(service):
    answer = service.post(WITH_ID, seconds=5.0)
    assert (answer.status, answer.reason) == (202, "out_of_time")
    service.redeliver_waiting()
    service.run_sender()
    assert len(service.gateway.accepted) == 1


# Later, dry, suppressed


def test_a_message_for_later_is_scheduled_and_can_be_cancelled_twice(service):
    tomorrow = (core.clock() + timedelta(days=1)).isoformat()
    answer = service.post(WITH_ID | {"send_at": tomorrow})
    assert (answer.status, answer.body["status"]) == (202, "scheduled")
    group = service.stack["ScheduleGroup"]
    assert len(service.stack.scheduler.list_schedules(GroupName=group)["Schedules"]) == 1
    for _ in range(2):
        cancelled = service.call("POST", "/messages/{id}/cancel", "m-1")
        assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert service.stack.scheduler.list_schedules(GroupName=group)["Schedules"] == []


def test_a_dry_run_shows_what_would_be_sent_and_does_nothing(service):
    answer = service.post(WITH_ID | {"text": f"{CANARY}: è “pronto”…", "dry_run": True})
    assert answer.status == 200
    assert answer.body["text"] == f'{CANARY}: è "pronto"...'
    assert (answer.body["encoding"], answer.body["segments"]) == ("GSM-7", 1)
    assert answer.body["cost_eur"] == 0.09
    assert len(answer.body["replaced"]) == 3
    assert "status" not in answer.body
    assert service.records() == []
    assert service.gateway.calls == []
    assert service.stack.received() == []


def test_in_test_mode_only_the_test_recipients_get_an_sms(deploy):
    service = deploy(Mode="test", TestRecipients="333 1234568")
    held = service.post(WITH_ID)
    assert (held.status, held.body["status"], held.reason) == (200, "suppressed", "test_mode")
    assert service.post({"to": "3331234568", "text": "Prova"}).status == 201
    dry = service.post(MINIMAL | {"dry_run": True})
    assert dry.body["stopped_by"]["reason"] == "test_mode"
    assert [sms.to for sms in service.gateway.calls] == ["+393331234568"]
