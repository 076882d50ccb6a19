"""From each way in to the phone, on the deployed template."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local.processes import ROOT
from openvoip_sms.adapters.schedule import EventBridgeSchedule
from tests.e2e.conftest import event


def test_a_shopify_webhook_delivered_twice_makes_one_sms(deployment):
    order = event("webhook_shopify_orders_fulfilled")
    status, _, body = deployment.webhook(order)
    assert status == 202
    again, _, repeated = deployment.webhook(order)
    assert (again, repeated["reason"]) == (200, "duplicate")
    record = deployment.wait_for(body["messages"][0]["id"], "sent")
    text = "Ciao Anna, il tuo ordine #1042 è in viaggio. https://corriere.example/t/CN0042"
    assert record["source"] == "webhook:shopify"
    assert [sms.to for sms in deployment.accepted(text)] == ["+393331234567"]


def test_a_forged_webhook_is_refused(deployment):
    order = event("webhook_shopify_orders_fulfilled")
    order["body"] = order["body"].replace("Anna", "Eva")
    status, headers, body = deployment.webhook(order)
    assert (status, body["reason"]) == (401, "signature_wrong")
    assert headers["Content-Type"] == "application/problem+json"


def test_an_api_call_waits_for_the_gateway_and_a_repeat_sends_nothing(deployment):
    message = {"to": "333 1234501", "text": "Il referto è pronto", "id": "referto-1"}
    status, headers, body = deployment.call("POST", "/messages", message)
    assert (status, body["status"]) == (201, "sent")
    assert headers["Location"] == "/v1/messages/referto-1"
    status, headers, _ = deployment.call("POST", "/messages", message)
    assert (status, headers["Idempotent-Replayed"]) == (201, "true")
    other = deployment.call("POST", "/messages", message | {"text": "Un altro testo"})
    assert (other[0], other[2]["reason"]) == (422, "id_in_use")
    assert len(deployment.accepted("Il referto è pronto")) == 1


def test_messages_need_the_api_key_and_health_does_not(deployment):
    assert deployment.call("GET", "/messages/x", x_api_key="wrong")[0] == 403
    assert deployment.call("GET", "/health", x_api_key="")[2]["status"] == "ok"


def test_an_async_call_is_answered_before_it_is_sent(deployment):
    message = {"to": "3331234502", "text": "Evento in sala B", "id": "evento-1"}
    status, _, body = deployment.call("POST", "/messages", message, Prefer="respond-async")
    assert (status, body["status"]) == (202, "queued")
    deployment.wait_for("evento-1", "sent")
    assert len(deployment.accepted("Evento in sala B")) == 1


def test_a_queue_message_without_an_id_is_stored_under_its_sqs_id(deployment):
    sqs_id = deployment.queue({"to": "3331234503", "text": "Dalla coda"})
    record = deployment.wait_for(sqs_id, "sent")
    assert record["source"] == "queue"


def test_an_invalid_message_is_dead_lettered_with_its_reason(deployment):
    deployment.queue("non è JSON")
    deployment.queue({"to": "3331234504", "testo": "campo scritto male"})
    landline = deployment.queue({"to": "06 1234567", "text": "a un numero fisso"})
    reasons = deployment.dead_letters(2)
    assert reasons["non è JSON"] == "not_json"
    assert any("testo: unknown_field" in reason for reason in reasons.values())
    assert deployment.wait_for(landline, "rejected")["reason"] == "landline"


def test_a_message_waits_while_the_gateway_is_busy_and_is_then_sent_once(deployment):
    deployment.gateway.fail_next(1, "http_503", to="+393331234505")
    message = {"to": "3331234505", "text": "Dopo l'attesa", "id": "attesa-1"}
    status, _, body = deployment.call("POST", "/messages", message)
    assert (status, body["status"], body["reason"]) == (202, "queued", "gateway_busy")
    assert deployment.wait_for("attesa-1", "sent")["attempts"] == 2
    assert len(deployment.accepted("Dopo l'attesa")) == 1


def test_a_cut_connection_is_unknown_until_a_person_confirms(deployment):
    deployment.gateway.fail_next(1, "cut_after", to="+393331234506")
    message = {"to": "3331234506", "text": "Chissà", "id": "dubbio-1"}
    status, _, body = deployment.call("POST", "/messages", message)
    assert (status, body["status"]) == (202, "unknown")
    listed = deployment.call("GET", "/messages?status=unknown")[2]["messages"]
    assert "dubbio-1" in [one["id"] for one in listed]
    assert deployment.call("POST", "/messages/dubbio-1/confirm")[2]["status"] == "sent"
    assert deployment.call("POST", "/messages/dubbio-1/confirm")[0] == 409


def test_a_person_resends_an_unknown_message_once_however_often_they_click(deployment):
    deployment.gateway.fail_next(1, "cut", to="+393331234507")
    message = {"to": "3331234507", "text": "Rimandato", "id": "dubbio-2"}
    assert deployment.call("POST", "/messages", message)[0] == 202
    clicks = [deployment.call("POST", "/messages/dubbio-2/resend")[0] for _ in range(3)]
    assert clicks == [202, 409, 409]
    deployment.wait_for("dubbio-2", "sent")
    assert len(deployment.accepted("Rimandato")) == 1


def test_the_doubts_of_an_outage_are_decided_at_once(deployment):
    began = datetime.now(UTC)
    for n in range(3):
        deployment.gateway.fail_next(1, "cut", to=f"+39333123452{n}")
        message = {"to": f"333123452{n}", "text": f"Dopo il guasto {n}", "id": f"guasto-{n}"}
        assert deployment.call("POST", "/messages", message)[0] == 202
    period = {"since": began.isoformat(), "until": datetime.now(UTC).isoformat()}
    asked = {"id": "guasto", **period, "decision": "resend", "messages": 4, "by": "Anna Bianchi"}
    status, _, body = deployment.call("POST", "/resolutions", asked)
    assert (status, body["found"]) == (409, 3)
    asked["messages"] = 3
    answers = [deployment.call("POST", "/resolutions", asked)[2] for _ in range(2)]
    assert [(one["done"], one["remaining"]) for one in answers] == [(3, 0)] * 2
    for n in range(3):
        assert deployment.wait_for(f"guasto-{n}", "sent")["decided_by"] == "Anna Bianchi"
        assert len(deployment.accepted(f"Dopo il guasto {n}")) == 1


def test_a_scheduled_message_can_be_cancelled_together_with_its_schedule(deployment):
    at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    message = {"to": "3331234508", "text": "Fra un mese", "id": "poi-1", "send_at": at}
    status, _, body = deployment.call("POST", "/messages", message)
    assert (status, body["status"]) == (202, "scheduled")
    scheduler = deployment.stack.client("scheduler")
    group = "openvoip-sms-messages"
    assert len(scheduler.list_schedules(GroupName=group)["Schedules"]) == 1
    assert deployment.call("POST", "/messages/poi-1/cancel")[2]["status"] == "cancelled"
    assert scheduler.list_schedules(GroupName=group)["Schedules"] == []


def test_a_schedule_queues_a_stored_message(deployment):
    soon = datetime.now(UTC) + timedelta(seconds=4)
    message = {"to": "3331234509", "text": "Fra poco", "id": "poi-2", "send_at": soon.isoformat()}
    assert deployment.call("POST", "/messages", message)[0] == 202
    configuration = deployment.stack.client("lambda").get_function_configuration(
        FunctionName=deployment.stack.functions["api"]
    )
    names = configuration["Environment"]["Variables"]
    schedule = EventBridgeSchedule(
        deployment.stack.client("scheduler"),
        group=names["SCHEDULE_GROUP"],
        role_arn=names["SCHEDULE_ROLE_ARN"],
        queue_arn=names["QUEUE_ARN"],
    )
    schedule.put("poi-2", soon)  # in addition to the queue's own delay: still one SMS
    record = deployment.wait_for("poi-2", "sent")
    assert record["sent_at"] >= record["send_at"]
    assert len(deployment.accepted("Fra poco")) == 1
    schedule.remove("poi-2")


def test_shopify_over_eventbridge_needs_no_signature_and_makes_one_sms(deployment):
    order = event("webhook_shopify_eventbridge")
    first = deployment.stack.invoke("webhooks", order)
    again = deployment.stack.invoke("webhooks", order)
    assert again["reason"] == "duplicate"
    deployment.wait_for(first["messages"][0]["id"], "sent")
    text = "Ciao Anna, il tuo ordine #1043 è in viaggio. https://corriere.example/t/CN0042"
    assert len(deployment.accepted(text)) == 1


def test_what_was_stored_and_never_queued_is_queued_by_the_reconciler(deployment):
    """As if its function had been killed between storing and queueing, 15 minutes ago."""
    at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    message = {"to": "3331234510", "text": "Ritrovato", "id": "perso-1", "send_at": at}
    assert deployment.call("POST", "/messages", message)[0] == 202
    past = {"S": "2026-01-01T00:00:00.000Z"}
    deployment.stack.client("dynamodb").update_item(
        TableName=deployment.stack.outputs["MessageTableName"],
        Key={"id": {"S": "perso-1"}},
        UpdateExpression="SET check_at = :past, send_at = :past",
        ExpressionAttributeValues={":past": past},
    )
    assert deployment.stack.invoke("reconciler", event("reconciler_scheduled"))["queued"] == 1
    deployment.wait_for("perso-1", "sent")
    assert len(deployment.accepted("Ritrovato")) == 1
    assert deployment.stack.invoke("reconciler", event("reconciler_scheduled"))["queued"] == 0


def test_a_message_waits_for_an_unset_secret_and_is_sent_once_it_is_set(deployment):
    secrets = deployment.stack.client("secretsmanager")
    arn = deployment.stack.outputs["GatewaySecretArn"]
    secrets.put_secret_value(
        SecretId=arn, SecretString='{"id_call_gr": "SET-ME", "secret": "SET-ME"}'
    )
    deployment.gateway.rotate_secret("another-local-secret")
    message = {"to": "3331234512", "text": "Aspetta il segreto", "id": "segreto-1"}
    status, _, body = deployment.call("POST", "/messages", message)
    assert (status, body["reason"]) == (202, "secret_not_set")
    secrets.put_secret_value(
        SecretId=arn, SecretString='{"id_call_gr": "9999", "secret": "another-local-secret"}'
    )
    deployment.wait_for("segreto-1", "sent")
    assert len(deployment.accepted("Aspetta il segreto")) == 1


def test_a_form_flooded_by_concurrent_calls_stops_at_its_limit(deployment):
    """Forty neighbours at the same time; the source's limit for one range is twenty an hour."""

    def post(n):
        form = {"telefono": f"333 777 {n:04d}", "nome": "Anna", "giro": n}
        return deployment.call(
            "POST", "/webhooks/modulo", form, X_Webhook_Token="local-modulo-token"
        )

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(post, range(40)))
    assert [status for status, _, _ in answers].count(202) == 20
    ids = [body["messages"][0]["id"] for status, _, body in answers if status == 200]
    suppressed = [deployment.record(one) for one in ids]
    assert {one["status"] for one in suppressed} == {"suppressed"}
    assert {one["reason"] for one in suppressed} <= {"range_limit", "source_paused"}


@pytest.mark.usefixtures("deployment")
def test_the_layer_that_was_built_carries_amazons_authorities():
    file = ROOT / ".aws-sam/build/Layer/python/amazon_roots.pem"
    assert file.read_text("utf-8").count("BEGIN CERTIFICATE") == 5
