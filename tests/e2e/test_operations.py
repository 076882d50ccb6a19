"""What docs/operations.md tells a person to do, done to the deployed stack."""

import json

from tests.e2e.conftest import wait_until
from tests.e2e.faulty_table import FaultyTable
from tests.e2e.load import Traffic
from tests.e2e.table_and_queue import behind, let_time_pass, paused, records, waiting

SQS_ID = "5fea7756-0ea4-451a-a703-a558b933e274"


def redrive(house):
    """Do what `aws sqs start-message-move-task` does, which the local AWS does not know.

    Each message of the dead-letter queue, its body and attributes, becomes a new one in the queue.
    """
    sqs, source = house.stack.client("sqs"), house.stack.outputs["DeadLetterQueueUrl"]
    moved = 0
    while found := sqs.receive_message(
        QueueUrl=source, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for one in found:
            sqs.send_message(
                QueueUrl=house.stack.outputs["MessageQueueUrl"],
                MessageBody=one["Body"],
                MessageAttributes=one.get("MessageAttributes", {}),
            )
            sqs.delete_message(QueueUrl=source, ReceiptHandle=one["ReceiptHandle"])
            moved += 1
    return moved


def set_aside(house, *bodies):
    """Put bodies into the dead-letter queue, as SQS does after too many receives."""
    for body in bodies:
        house.stack.client("sqs").send_message(
            QueueUrl=house.stack.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(body)
        )


def test_a_redrive_sends_what_was_never_sent_and_nothing_else(house):
    sent = {"id": "ripresa-1", "to": "3331234601", "text": "Già mandato"}
    doubt = {"id": "ripresa-2", "to": "3331234602", "text": "Forse mandato"}
    fresh = {"id": "ripresa-3", "to": "3331234603", "text": "Mai mandato"}
    house.gateway.fail_next(1, "cut_after", to="+393331234602")
    assert house.call("POST", "/messages", sent)[0] == 201
    assert house.call("POST", "/messages", doubt)[0] == 504
    pointers = [{"stored_message": one["id"]} for one in (sent, doubt)]
    set_aside(house, sent, doubt, fresh, *pointers)
    before = waiting(house.stack)
    assert redrive(house) == 5
    house.wait_for("ripresa-3", "sent")
    wait_until(lambda: waiting(house.stack) <= before, "the end of the redrive")
    assert house.record("ripresa-2")["status"] == "unknown"
    for one in (sent, doubt, fresh):
        assert len(house.accepted(one["text"])) == 1


def test_a_message_without_an_id_keeps_the_one_it_was_sent_under_through_a_redrive(house):
    """Sent, and then a policy that lost a line keeps the sender from recording it."""
    body = json.dumps({"to": "3331234604", "text": "Senza id, mandato"})
    sender = Traffic(house, "senza-id", {})
    with FaultyTable(house.recorder.url, 0) as table, behind(house.stack, table, "sender"):
        table.deny(b"version = :old")
        assert sender.deliver([(SQS_ID, body)], received=5) == []
    (left,) = [one for one in records(house.stack) if one["id"] == SQS_ID]
    let_time_pass(house.stack, [left])
    before = waiting(house.stack)
    assert redrive(house) == 1
    assert house.wait_for(SQS_ID, "unknown")["reason"] == "lease_expired"
    wait_until(lambda: waiting(house.stack) <= before, "the end of the redrive")
    assert len(house.accepted("Senza id, mandato")) == 1


def test_an_invalid_message_is_dead_lettered_again_after_a_redrive(house):
    house.queue("non è JSON")
    wait_until(lambda: redrive(house) == 1, "a dead letter")
    assert house.dead_letters(1) == {"non è JSON": "not_json"}


def test_nothing_is_sent_during_a_pause_and_everything_once_after_it(house):
    before = waiting(house.stack)
    with paused(house.stack):
        message = {"id": "pausa-1", "to": "3331234605", "text": "Dopo la pausa"}
        assert house.call("POST", "/messages", message, Prefer="respond-async")[0] == 202
        queued = house.queue({"to": "3331234606", "text": "Dopo la pausa"})
        house.stack.invoke("reconciler", {})
        assert waiting(house.stack) == before + 2
        assert house.accepted("Dopo la pausa") == []
    house.wait_for("pausa-1", "sent")
    house.wait_for(queued, "sent")
    assert len(house.accepted("Dopo la pausa")) == 2
