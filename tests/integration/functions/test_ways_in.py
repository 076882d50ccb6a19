"""A message over each way in, and the reconciler."""

import json
from datetime import timedelta

from openvoip_sms.wiring import core
from tests.integration.functions.messages import texts
from tests.integration.service import event
from tests.records import waiting


def test_a_call_to_the_api_is_an_sms(service):
    answer = service.http(event("api_send"))
    assert (answer.status, answer.body["status"]) == (201, "sent")
    assert answer.headers["Location"] == "/v1/messages/referto-2041"
    assert answer.body["reference"] == "pratica 2041"
    [sms] = service.gateway.accepted
    assert (sms.to, sms.sender) == ("+393331234567", "Studio")
    assert sms.text == "Gentile Anna, il referto è pronto: può ritirarlo da oggi."


def test_an_asynchronous_call_is_queued_and_then_an_sms(service):
    answer = service.http(event("api_send_async"))
    assert (answer.status, answer.body["status"]) == (202, "queued")
    assert answer.body["id"] == "f24-2026-12-0007"
    assert service.gateway.calls == []
    assert service.run_sender() == []
    assert [sms.to for sms in service.gateway.accepted] == ["+393331234568"]


def test_a_batch_from_the_queue_is_sent_recorded_or_dead_lettered(service):
    batch = event("sender_batch")
    assert service.send_batch(batch) == []
    assert sorted(sms.to for sms in service.gateway.accepted) == ["+393331234567", "+393331234568"]
    records = {one.id: (one.status, one.reason) for one in service.records()}
    assert records == {
        "visita-77": ("sent", None),
        "evento-5": ("sent", None),
        batch["Records"][1]["messageId"]: ("rejected", "landline"),
    }
    assert sorted(service.dead_letters()) == sorted(
        [
            (batch["Records"][2]["body"], "not_json"),
            (batch["Records"][4]["body"], "testo: unknown_field, text: missing"),
        ]
    )


def test_a_repeated_webhook_is_one_sms(service):
    answers = [service.webhook(event("webhook_shopify_orders_fulfilled")) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 200]
    assert service.gateway.calls == []
    assert service.run_sender() == []
    assert texts(service.gateway) == [
        (
            "+393331234567",
            "Ciao Anna, il tuo ordine #1042 è in viaggio. https://corriere.example/t/CN0042",
        )
    ]


def test_a_repeated_event_over_eventbridge_is_one_sms(service):
    given = event("webhook_shopify_eventbridge")
    answers = [service.partner_event(given) for _ in range(2)]
    assert [one["status"] for one in answers[0]["messages"]] == ["queued"]
    assert service.run_sender() == []
    [sms] = service.gateway.accepted
    assert (sms.to, "#1043" in sms.text) == ("+393331234511", True)


def test_the_reconciler_queues_and_counts_what_was_never_queued(service, capsys):
    assert set(service.reconcile().values()) == {0}
    now = core.clock()
    core.store().create(waiting(check_at=now, created_at=now, expires_at=now + timedelta(hours=1)))
    assert service.reconcile()["queued"] == 1
    output = capsys.readouterr().out
    service.log_lines.append(output)  # the fixture searches it for what must not be logged
    counted = [json.loads(line) for line in output.splitlines() if '"Requeued"' in line]
    assert [(one["Requeued"], one["LeasesExpired"]) for one in counted] == [([1.0], [0.0])]
    assert service.run_sender() == []
    assert texts(service.gateway) == [("+393331234567", "Ciao")]
