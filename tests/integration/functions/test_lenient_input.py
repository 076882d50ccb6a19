"""A byte order mark, what is null, and a `send_at` that has passed, on each way in."""

import base64
import json
from datetime import timedelta

import pytest

from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import api, core, sending
from tests.integration.functions.messages import MINIMAL, WITH_ID

NOTHING_SET = MINIMAL | {"sender": None, "id": None, "reference": None, "send_at": None}


def sns(inner):
    return {"Type": "Notification", "MessageId": "sns-1", "Message": json.dumps(inner)}


def test_a_byte_order_mark_counts_for_nothing_on_each_way_in(service):
    marked = '\ufeff{"to":"333 1234567","text":"ciao","id":"bom-1"}'
    assert service.post(marked).status == 201
    assert service.post(base64.b64encode(marked.encode()).decode(), base64=True).status == 201
    service.put(marked.replace("bom-1", "bom-2"))
    service.put(sns({}) | {"Message": marked.replace("bom-1", "bom-3")})
    assert service.run_sender() == []
    assert sorted(one.id for one in service.records()) == ["bom-1", "bom-2", "bom-3"]
    assert {one.status for one in service.records()} == {Status.SENT}
    assert service.dead_letters() == []


def test_null_counts_as_absent_on_each_way_in(service):
    first = service.post(NOTHING_SET)
    assert (first.status, first.body["sender"]) == (201, "Bottega")
    assert service.post(NOTHING_SET, Prefer="respond-async").status == 202
    keyed = service.post(NOTHING_SET, Idempotency_Key="m-1")
    assert (keyed.status, keyed.body["id"]) == (201, "m-1")
    assert service.post(MINIMAL, Idempotency_Key="m-1").headers["Idempotent-Replayed"] == "true"
    dry = service.post(NOTHING_SET | {"dry_run": True, "max_segments": None})
    assert dry.status == 200
    service.put(NOTHING_SET, sns(NOTHING_SET))
    assert service.run_sender() == []
    assert service.dead_letters() == []
    assert {one.status for one in service.records()} == {Status.SENT}
    assert len(service.gateway.accepted) == 5
    assert service.post(MINIMAL | {"to": None}).violations == [("to", "wrong_type")]
    assert service.post(MINIMAL | {"text": None}).violations == [("text", "wrong_type")]


@pytest.mark.parametrize("asynchronous", [{}, {"Prefer": "respond-async"}])
def test_a_send_at_that_has_passed_is_refused_and_a_known_id_answered_first(
    service, monkeypatch, asynchronous
):
    now = core.clock()
    soon = WITH_ID | {"send_at": (now + timedelta(minutes=1)).isoformat()}
    past = MINIMAL | {"id": "m-2", "send_at": (now - timedelta(minutes=6)).isoformat()}
    refused = service.post(past, **asynchronous)
    assert (refused.status, refused.violations) == (422, [("send_at", "in_the_past")])
    assert service.post(past | {"dry_run": True}).status == 422
    assert service.post(soon, **asynchronous).status == 202
    monkeypatch.setattr(core, "clock", lambda: now + timedelta(hours=1))
    for part in (core.enqueuer, sending.delivery, sending.api_intake):
        part.cache_clear()
    sending.manual_actions.cache_clear()
    api.messages_api.cache_clear()
    again = service.post(soon, **asynchronous)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (202, "true")
    other = service.post(soon | {"text": "Altro"}, **asynchronous)
    assert (other.status, other.reason) == (422, "id_in_use")
    assert [one.id for one in service.records()] == ["m-1"]


def test_the_queue_counts_from_the_moment_of_queueing(service):
    """What came in time and waited there is sent; what was late already is a rejected record."""
    now = core.clock()
    body = {"to": "333 1234567", "text": "x", "send_at": (now - timedelta(minutes=30)).isoformat()}

    def received(key, queued):
        sent = {"SentTimestamp": str(int(queued.timestamp() * 1000))}
        return {
            "messageId": f"sqs-{key}",
            "receiptHandle": "r",
            "body": json.dumps(body | {"id": key}),
            "attributes": {"ApproximateReceiveCount": "1"} | sent,
        }

    late, in_time = received("late", now), received("in-time", now - timedelta(minutes=31))
    odd = received("odd", now) | {
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "x"}
    }
    assert service.send_batch({"Records": [late, in_time, odd]}) == []
    assert {one.id: (str(one.status), one.reason) for one in service.records()} == {
        "late": ("rejected", "in_the_past"),
        "in-time": ("sent", None),
        "odd": ("rejected", "in_the_past"),
    }


def queued_at(moment, key, seconds):
    sent = {"SentTimestamp": str(int(moment.timestamp() * 1000))}
    return {
        "messageId": f"sqs-{key}",
        "receiptHandle": "r",
        "body": json.dumps({"to": "333 1234567", "text": key, "id": key, "valid_for": seconds}),
        "attributes": {"ApproximateReceiveCount": "1"} | sent,
    }


def test_a_time_of_queueing_that_no_queue_can_have_does_not_count(service):
    """Samples of events have one of years ago."""
    years_ago = core.clock() - timedelta(days=1000)
    assert service.send_batch({"Records": [queued_at(years_ago, "sample", 600)]}) == []
    assert [str(one.status) for one in service.records()] == ["sent"]


def test_the_validity_of_a_queue_message_counts_from_the_moment_of_queueing(service):
    """A sender that was stopped for 45 seconds sends no one-time code of ten."""
    queued = core.clock() - timedelta(seconds=45)
    batch = [queued_at(queued, "code", 10), queued_at(queued, "reminder", 600)]
    assert service.send_batch({"Records": batch}) == []
    found = {one.id: one for one in service.records()}
    assert (found["code"].status, found["code"].reason) == ("expired", "too_late")
    assert found["reminder"].status == "sent"
    assert found["reminder"].expires_at == queued + timedelta(seconds=600)
    assert [call.text for call in service.gateway.calls] == ["reminder"]
