"""The procedures of docs/operations.md, on the deployed stack."""

import json

from tests.e2e.conftest import wait_until
from tests.e2e.faulty_table import FaultyTable
from tests.e2e.load import LoadGenerator
from tests.e2e.table_and_queue import make_due, queue_depth, records, sender_paused, table_through

SQS_ID = "5fea7756-0ea4-451a-a703-a558b933e274"


def redrive(deployment):
    """Do what `aws sqs start-message-move-task` does, which the local AWS does not know.

    Each message of the dead-letter queue, its body and attributes, becomes a new one in the queue.
    """
    sqs, source = deployment.stack.client("sqs"), deployment.stack.outputs["DeadLetterQueueUrl"]
    moved = 0
    while found := sqs.receive_message(
        QueueUrl=source, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for one in found:
            sqs.send_message(
                QueueUrl=deployment.stack.outputs["MessageQueueUrl"],
                MessageBody=one["Body"],
                MessageAttributes=one.get("MessageAttributes", {}),
            )
            sqs.delete_message(QueueUrl=source, ReceiptHandle=one["ReceiptHandle"])
            moved += 1
    return moved


def dead_letter(deployment, *bodies):
    """Put bodies into the dead-letter queue, as SQS does after too many receives."""
    for body in bodies:
        deployment.stack.client("sqs").send_message(
            QueueUrl=deployment.stack.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(body)
        )


def test_a_redrive_sends_what_was_never_sent_and_nothing_else(deployment):
    sent = {"id": "ripresa-1", "to": "3331234601", "text": "Già mandato"}
    unknown = {"id": "ripresa-2", "to": "3331234602", "text": "Forse mandato"}
    unsent = {"id": "ripresa-3", "to": "3331234603", "text": "Mai mandato"}
    deployment.gateway.fail_next(1, "cut_after", to="+393331234602")
    assert deployment.call("POST", "/messages", sent)[0] == 201
    assert deployment.call("POST", "/messages", unknown)[0] == 202
    pointers = [{"stored_message": one["id"]} for one in (sent, unknown)]
    dead_letter(deployment, sent, unknown, unsent, *pointers)
    before = queue_depth(deployment.stack)
    assert redrive(deployment) == 5
    deployment.wait_for("ripresa-3", "sent")
    wait_until(lambda: queue_depth(deployment.stack) <= before, "the end of the redrive")
    assert deployment.record("ripresa-2")["status"] == "unknown"
    for one in (sent, unknown, unsent):
        assert len(deployment.accepted(one["text"])) == 1


def test_a_message_without_an_id_keeps_the_one_it_was_sent_under_through_a_redrive(deployment):
    """Sent, and then a policy that lacks a statement keeps the sender from recording it."""
    body = json.dumps({"to": "3331234604", "text": "Senza id, mandato"})
    sender = LoadGenerator(deployment, "senza-id", {})
    with (
        FaultyTable(deployment.recorder.url, 0) as table,
        table_through(deployment.stack, table, "sender"),
    ):
        table.deny(b"version = :old")
        assert sender.deliver([(SQS_ID, body)], received=5) == []
    (left,) = [one for one in records(deployment.stack) if one["id"] == SQS_ID]
    make_due(deployment.stack, [left])
    before = queue_depth(deployment.stack)
    assert redrive(deployment) == 1
    assert deployment.wait_for(SQS_ID, "unknown")["reason"] == "lease_expired"
    wait_until(lambda: queue_depth(deployment.stack) <= before, "the end of the redrive")
    assert len(deployment.accepted("Senza id, mandato")) == 1


def test_an_invalid_message_is_dead_lettered_again_after_a_redrive(deployment):
    deployment.queue("non è JSON")
    wait_until(lambda: redrive(deployment) == 1, "a dead letter")
    assert deployment.dead_letters(1) == {"non è JSON": "not_json"}


def test_nothing_is_sent_during_a_pause_and_everything_once_after_it(deployment):
    before = queue_depth(deployment.stack)
    with sender_paused(deployment.stack):
        message = {"id": "pausa-1", "to": "3331234605", "text": "Dopo la pausa"}
        assert deployment.call("POST", "/messages", message, Prefer="respond-async")[0] == 202
        queued = deployment.queue({"to": "3331234606", "text": "Dopo la pausa"})
        deployment.stack.invoke("reconciler", {})
        assert queue_depth(deployment.stack) == before + 2
        assert deployment.accepted("Dopo la pausa") == []
    deployment.wait_for("pausa-1", "sent")
    deployment.wait_for(queued, "sent")
    assert len(deployment.accepted("Dopo la pausa")) == 2
