"""The sender's batches."""

import contextlib
import json
from operator import itemgetter
from threading import Barrier, current_thread

import pytest

from local.gateway import Fault
from openvoip_sms.delivery.ports import QueueUnavailable, StoreUnavailable
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.wiring import core
from openvoip_sms.wiring import sending as sending_parts
from tests.fakes import FakeClock
from tests.integration.functions.messages import CANARY, MINIMAL, WITH_ID
from tests.integration.service import clear_caches


def test_only_what_was_not_sent_is_redelivered_and_not_before_its_time(service, monkeypatch):
    service.gateway.fail(Fault("http_503", retry_after=120), to="+393331234568")
    delays = []
    monkeypatch.setattr(
        type(core.queue()), "delay_redelivery", lambda *given: delays.append(given[-1])
    )
    service.put(WITH_ID, {"to": "333 1234568", "text": "x", "id": "m-2"})
    assert len(service.run_sender()) == 1
    assert delays == [120.0]
    assert {one.id: one.status for one in service.records()} == {"m-1": "sent", "m-2": "queued"}


def test_the_messages_of_a_batch_are_sent_at_the_same_time(service, monkeypatch):
    all_ten, send = Barrier(10, timeout=60), OpenvoipClient.send

    def send_with_the_others(self, *sms):
        all_ten.wait()  # breaks when not all of them are being sent
        return send(self, *sms)

    monkeypatch.setattr(OpenvoipClient, "send", send_with_the_others)
    service.put(*({"to": f"333 12345{n:02}", "text": "x"} for n in range(10)))
    assert service.run_sender() == []
    assert len(service.gateway.calls) == 10


def test_the_clients_of_a_batch_are_made_before_its_threads_start(service, monkeypatch):
    """Each thread would build its own: seconds of a cold start, and no session allows it."""
    make, made = core.client, []

    def noted(name, *config):
        made.append((name, current_thread()))
        return make(name, *config)

    clear_caches()
    monkeypatch.setattr(core, "client", noted)
    service.put(*[WITH_ID] * 10)
    service.run_sender()
    names = ("dynamodb", "dynamodb", "scheduler", "secretsmanager", "sqs")
    assert sorted(made, key=itemgetter(0)) == [(name, current_thread()) for name in names]


def test_a_message_that_is_delivered_twice_in_one_batch_is_one_sms(service):
    service.put(*[WITH_ID] * 5)
    for _ in range(3):
        service.run_sender()
    assert len(service.gateway.calls) == 1


def test_a_message_with_an_unhandled_error_is_retried_and_finally_dead_lettered(
    service, monkeypatch
):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(sending_parts.queue_records().intake), "handle", fail)
    service.put("x")
    assert len(service.run_sender(receive_count=4)) == 1
    service.put("x")
    assert service.run_sender(receive_count=5) == []
    [(body, reason)] = service.dead_letters()
    assert (json.loads(body)["detail"], reason) == ("x", "unexpected: RuntimeError")
    [line, _] = [json.loads(one) for one in service.log_lines if "service.unhandled_error" in one]
    assert line["error"] == "RuntimeError"
    assert any("in fail" in frame for frame in line["where"])


def test_a_message_without_an_id_is_dead_lettered_with_the_id_it_was_sent_under(
    service, monkeypatch
):
    """A redrive would give it another SQS id, and a second SMS if the first call was made."""

    def fail_after_the_call(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(type(core.telemetry()), "status_changed", fail_after_the_call)
        service.put({"to": "333 1234567", "text": "Una volta sola"})
        service.run_sender(receive_count=5)
    [(body, reason)] = service.dead_letters()
    assert reason == "unexpected: RuntimeError"
    service.put(body)
    assert service.run_sender() == []
    assert len(service.gateway.calls) == 1


def test_a_message_with_an_unpaired_surrogate_can_be_dead_lettered(service, monkeypatch):
    """Nor U+FFFF, which a queue accepts only escaped; and the rest of the batch is not retried."""

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(type(sending_parts.queue_records().intake), "handle", fail)
    service.put(r"""{"to": "333 1234567", "text": "\ud83d \uffff"}""", WITH_ID)
    assert service.run_sender(receive_count=5) == []
    [body] = [body for body, _ in service.dead_letters() if "m-1" not in body]
    assert json.loads(json.loads(body)["detail"])["text"] == "\ud83d \uffff"
    assert body.isascii()


def test_a_table_that_does_not_answer_keeps_the_message_in_the_queue(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        service.put(WITH_ID)
        assert len(service.run_sender()) == 1
    assert service.gateway.calls == []
    service.put(WITH_ID)
    assert service.run_sender() == []
    assert len(service.gateway.calls) == 1


def test_a_dead_letter_queue_that_does_not_answer_keeps_the_message(service, monkeypatch):
    def down(*_):
        raise QueueUnavailable("ServiceUnavailable")

    monkeypatch.setattr(type(core.queue()), "dead_letter", down)
    service.put("questo non è JSON")
    assert len(service.run_sender()) == 1


def test_a_redrive_sends_nothing_twice(service):
    """A message with an id is recognised; one without is dead-lettered with its SQS id."""
    service.put(WITH_ID)
    service.run_sender()
    service.put(WITH_ID)  # another SQS id, as after a redrive
    service.run_sender()
    assert len(service.gateway.calls) == 1


def record(sqs_id, body, receives=1):
    return {
        "messageId": sqs_id,
        "receiptHandle": "none",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


@pytest.mark.parametrize("odd", [None, 7, {}, {"messageId": "x"}, {"messageId": "x", "body": 7}])
def test_a_record_of_any_shape_harms_no_other_of_its_batch(service, odd):
    good = [record(f"sqs-{n}", MINIMAL | {"id": f"m-{n}"}) for n in range(2)]
    assert service.send_batch({"Records": [good[0], odd, good[1]]}) == []
    assert len(service.gateway.calls) == 2
    [(body, reason)] = service.dead_letters()
    assert (json.loads(body), reason) == (odd, "malformed_record")


@pytest.mark.parametrize("odd", [{}, {"Records": None}, {"Records": {}}, {"key1": "value1"}])
def test_an_event_that_is_no_batch_is_reported_and_nothing_more(service, odd):
    assert service.send_batch(odd) == []
    assert [line for line in service.log_lines if "service.unhandled_error" in line]


def test_a_message_in_which_the_sender_dies_is_dead_lettered_and_the_others_are_sent(
    service, monkeypatch
):
    class Death(BaseException):
        pass

    clock = FakeClock(core.clock())
    monkeypatch.setattr(core, "clock", clock)
    clear_caches()
    intake = type(sending_parts.queue_records().intake)
    handle = intake.handle

    def dies(self, body, *more):
        if "m-1" in body:
            raise Death
        return handle(self, body, *more)

    monkeypatch.setattr(intake, "handle", dies)
    left = {f"sqs-{n}": MINIMAL | {"id": f"m-{n}"} for n in range(5)}
    for receives in range(1, 20):
        clock.advance(360)
        batch = [record(sqs_id, body, receives) for sqs_id, body in left.items()]
        with contextlib.suppress(Death):
            left = {sqs_id: left[sqs_id] for sqs_id in service.send_batch({"Records": batch})}
    assert left == {}
    assert len(service.gateway.calls) == 4
    [(body, reason)] = service.dead_letters()
    assert (json.loads(body)["id"], reason) == ("sqs-1", "interrupted")
    interrupted = [json.loads(line) for line in service.log_lines if "message.interrupted" in line]
    assert [line["deaths"] for line in interrupted if line["sqs_id"] == "sqs-1"] == [1, 2, 3, 4]


@pytest.mark.parametrize("field", ["to", "text", "sender", "id", "reference", "send_at"])
def test_a_mebibyte_in_a_field_stops_no_other_message_of_its_batch(service, field):
    bad = {"to": "333 1234567", "text": "x"} | {field: "1" * 1_000_000}
    good = [record(f"sqs-{n}", MINIMAL | {"id": f"m-{n}"}) for n in range(9)]
    assert service.send_batch({"Records": [record("sqs-9", bad), *good]}) == []
    assert len(service.gateway.accepted) == 9
    rejected = [one for one in service.records() if one.status == "rejected"]
    assert len(rejected) + len(service.dead_letters()) == 1
