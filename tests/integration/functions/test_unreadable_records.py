"""A record that this version cannot read, in every function."""

import json
from datetime import timedelta

import pytest

from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.wiring import core
from tests.integration.functions.messages import MINIMAL
from tests.integration.service import metric_sum
from tests.records import waiting

UNREADABLE = MINIMAL | {"id": "m-9"}


@pytest.fixture
def change(service):
    """Sets one attribute of `m-9`, or removes it."""

    def changed(name, value=None):
        names = {"ExpressionAttributeNames": {"#name": name}}
        values = {"ExpressionAttributeValues": {":value": value}} if value else {}
        service.stack.dynamodb.update_item(
            TableName=service.stack["MessageTable"],
            Key={"id": {"S": "m-9"}},
            UpdateExpression="SET #name = :value" if value else "REMOVE #name",
            **names | values,
        )

    return changed


@pytest.fixture
def unreadable(service, change):
    """`m-9` has a status of a later version, `m-1` and `m-2` wait; returns the item of `m-9`."""
    now = core.clock()
    times = {"created_at": now, "expires_at": now + timedelta(hours=1), "check_at": now}
    for key in ("m-1", "m-9", "m-2"):
        core.store().create(waiting(id=key, **times))
    change("status", {"S": "held"})
    return lambda: service.stack.dynamodb.get_item(
        TableName=service.stack["MessageTable"], Key={"id": {"S": "m-9"}}
    )["Item"]


def test_it_stops_no_run_of_the_reconciler_and_is_alarmed(service, unreadable, capsys):
    before = unreadable()
    assert service.reconcile()["queued"] == 2
    written = capsys.readouterr().out
    service.log_lines.append(written)
    assert metric_sum(written, "UnreadableRecords") == 1
    lines = [json.loads(one) for one in service.log_lines if one.startswith('{"level":"ERROR"')]
    assert [(one["message"], one["message_id"], one["why"]) for one in lines] == [
        ("record.unreadable", "m-9", "status held")
    ]
    assert service.run_sender() == []
    assert len(service.gateway.accepted) == 2
    assert unreadable() == before


@pytest.mark.usefixtures("unreadable")
def test_it_stops_no_list_and_is_shown_as_unreadable(service):
    shown = service.call("GET", "/messages", to="3331234567").body["messages"]
    assert {one["id"]: one["status"] for one in shown} == {
        "m-1": "queued",
        "m-2": "queued",
        "m-9": "unreadable",
    }
    [unreadable] = [one for one in shown if one["id"] == "m-9"]
    assert unreadable.keys() == {"id", "status", "detail"}


@pytest.mark.usefixtures("unreadable")
@pytest.mark.parametrize(
    "call",
    [
        lambda service: service.call("GET", "/messages/{id}", "m-9"),
        lambda service: service.call("POST", "/messages/{id}/cancel", "m-9"),
        lambda service: service.call("POST", "/messages/{id}/resend", "m-9"),
        lambda service: service.call("POST", "/messages/{id}/confirm", "m-9"),
        lambda service: service.post(UNREADABLE),
        lambda service: service.post(UNREADABLE, Prefer="respond-async"),
        lambda service: service.post(UNREADABLE | {"send_at": "2026-01-01T00:00:00Z"}),
    ],
)
def test_each_call_for_it_is_answered_so_and_nothing_is_sent(service, call):
    answer = call(service)
    assert (answer.status, answer.reason) == (500, "record_unreadable")
    assert answer.body["message"]["id"] == "m-9"
    assert answer.body["message"]["status"] == "unreadable"
    assert service.gateway.calls == []


@pytest.mark.parametrize("receives", [1, 5, 949])
def test_its_queue_messages_are_retried_and_the_others_of_the_batch_are_sent(
    service, unreadable, capsys, receives
):
    """After 950 receives they are dead-lettered, with the id that was used for them."""
    before = unreadable()
    service.put({"stored_message": "m-9"}, UNREADABLE, {"stored_message": "m-1"})
    service.put({"stored_message": "m-2"}, UNREADABLE | {"send_at": "2026-01-01T00:00:00Z"})
    assert len(service.run_sender(receive_count=receives)) == 3
    assert service.dead_letters() == []
    assert len(service.gateway.accepted) == 2
    assert unreadable() == before
    written = capsys.readouterr().out
    assert metric_sum(written, "UnreadableRecords") == 3
    assert metric_sum(written, "Retried") == 0  # it has an alarm of its own


@pytest.mark.usefixtures("unreadable")
def test_its_queue_message_sends_it_once_it_can_be_read(service, change):
    service.put({"stored_message": "m-9"})
    [failed] = service.run_sender()
    change("status", {"S": "queued"})
    service.put({"stored_message": "m-9"}, UNREADABLE)
    assert failed not in service.run_sender()
    assert len(service.gateway.accepted) == 1
    assert core.store().get("m-9").status == "sent"


@pytest.mark.usefixtures("unreadable")
def test_a_record_that_becomes_unreadable_during_its_call_is_not_sent_twice(
    service, change, monkeypatch
):
    send = OpenvoipClient.send

    def send_while_it_changes(*given):
        result = send(*given)
        change("status", {"S": "held"})
        change("version", {"N": "9"})
        return result

    monkeypatch.setattr(OpenvoipClient, "send", send_while_it_changes)
    change("status", {"S": "queued"})
    for _ in range(3):
        service.put({"stored_message": "m-9"})
        assert len(service.run_sender()) == 1
    assert service.reconcile()["leases_expired"] == 0
    assert len(service.gateway.calls) == 1
    lines = [one for one in service.log_lines if "sms.outcome_not_recorded" in one]
    assert [json.loads(one)["status"] for one in lines] == ["sent"]


@pytest.mark.usefixtures("unreadable")
def test_a_record_that_has_lost_its_text_is_not_sent_empty(service, change):
    change("status", {"S": "queued"})
    change("text")
    service.put({"stored_message": "m-9"})
    assert len(service.run_sender()) == 1
    assert service.gateway.calls == []


def test_giving_it_up_as_the_operations_page_says_ends_it(service, unreadable, change):
    change("check_at")
    change("status", {"S": "cancelled"})
    service.put({"stored_message": "m-9"})
    assert service.run_sender() == []
    assert service.reconcile()["queued"] == 2
    assert unreadable()["status"] == {"S": "cancelled"}
    assert service.call("GET", "/messages/{id}", "m-9").body["status"] == "cancelled"
