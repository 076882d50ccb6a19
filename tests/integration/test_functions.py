"""Each way in through its handler: answers, records, the queue, and nothing lost."""

import base64
import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from threading import current_thread

import pytest

from local.gateway import Fault, LocalGateway
from openvoip_sms.adapters.telemetry import logger
from openvoip_sms.delivery.ports import QueueUnavailable, StoreUnavailable
from openvoip_sms.openvoip import connection
from openvoip_sms.rules.message import fingerprint
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core, webhooks
from openvoip_sms.wiring import sending as sending_parts
from tests.integration.service import Kept, counted, event, forget
from tests.records import sending, waiting

CANARY = "testo-canarino"
LEAST = {"to": "333 1234567", "text": CANARY}
NAMED = LEAST | {"id": "m-1"}


@pytest.fixture
def service(deploy, capsys):
    """A deployed service, none of whose lines shows a number, a text or a secret."""
    running = deploy()
    kept = Kept(running.logged)
    logger.addHandler(kept)
    yield running
    logger.removeHandler(kept)
    shown = "\n".join([*running.logged, capsys.readouterr().out])
    for canary in (CANARY, "3331234567", "local-secret", "local-shopify-secret", "verify="):
        assert canary not in shown


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.25)


def texts(gateway):
    return [(sms.to, sms.text) for sms in gateway.accepted]


# An event for each way in


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
    assert service.work() == []
    assert [sms.to for sms in service.gateway.accepted] == ["+393331234568"]


def test_a_batch_from_the_queue_is_sent_recorded_or_set_aside(service):
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
    assert service.work() == []
    assert texts(service.gateway) == [
        (
            "+393331234567",
            "Ciao Anna, il tuo ordine #1042 è in viaggio. https://corriere.example/t/CN0042",
        )
    ]


def test_a_shop_that_reports_through_event_bridge_is_one_sms(service):
    given = event("webhook_shopify_eventbridge")
    answers = [service.partner_event(given) for _ in range(2)]
    assert [one["status"] for one in answers[0]["messages"]] == ["queued"]
    assert service.work() == []
    [sms] = service.gateway.accepted
    assert (sms.to, "#1043" in sms.text) == ("+393331234511", True)


def test_the_reconciler_queues_and_counts_what_was_never_queued(service, capsys):
    assert set(service.reconcile().values()) == {0}
    now = core.clock()
    core.store().create(waiting(check_at=now, created_at=now, expires_at=now + timedelta(hours=1)))
    assert service.reconcile()["queued"] == 1
    written = capsys.readouterr().out
    service.logged.append(written)  # so that it is looked through for what must not be told
    counted = [json.loads(line) for line in written.splitlines() if '"Requeued"' in line]
    assert [(one["Requeued"], one["LeasesExpired"]) for one in counted] == [([1.0], [0.0])]
    assert service.work() == []
    assert texts(service.gateway) == [("+393331234567", "Ciao")]


# The same id again


def test_the_same_call_again_is_answered_as_before_and_sends_nothing(service):
    first, second = service.post(NAMED), service.post(NAMED)
    assert (first.status, second.status) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.body == first.body
    assert len(service.gateway.calls) == 1


def test_an_idempotency_key_is_an_id(service):
    for key in ("m-1", '"m-1"'):
        answer = service.post(LEAST, Idempotency_Key=key)
        assert (answer.status, answer.body["id"]) == (201, "m-1")
    assert len(service.gateway.calls) == 1


def test_id_and_idempotency_key_must_agree(service):
    assert service.post(NAMED, Idempotency_Key="m-1").status == 201
    answer = service.post(NAMED, Idempotency_Key="m-2")
    assert (answer.status, answer.violations) == (422, [("id", "ids_differ")])


def test_the_same_id_with_other_content_is_refused(service):
    service.post(NAMED)
    answer = service.post(NAMED | {"text": "Altro"})
    assert (answer.status, answer.reason) == (422, "id_in_use")
    assert len(service.gateway.calls) == 1


def test_a_message_that_is_being_sent_is_in_progress(service):
    until = core.clock() + timedelta(seconds=60)
    core.store().create(sending(claimed_until=until, fingerprint=fingerprint(NAMED)))
    answer = service.post(NAMED)
    assert (answer.status, answer.body["message"]["status"]) == (409, "sending")
    assert int(answer.headers["Retry-After"]) > 0
    assert service.gateway.calls == []


def test_a_message_whose_sender_died_is_unknown_to_who_asks_again(service):
    core.store().create(sending(fingerprint=fingerprint(NAMED), claimed_until=core.clock()))
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (504, "lease_expired")
    assert service.gateway.calls == []


@pytest.mark.parametrize("asynchronous", [{}, {"Prefer": "respond-async"}])
def test_double_clicks_at_the_same_moment_are_one_sms(service, asynchronous):
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda _: service.post(NAMED, **asynchronous), range(8)))
    assert {answer.status for answer in answers} <= {201, 202, 409}
    while service.stack.received():
        pass
    service.let_waiting_messages_come()
    service.work()
    assert len(service.gateway.calls) == 1


# What the gateway says


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "status", "reason", "stands"),
    [
        ("refuse_020", 422, "bad_destination", "rejected"),
        ("hang_after", 504, "no_clear_answer", "unknown"),
        ("http_500", 504, "no_clear_answer", "unknown"),
        ("html", 504, "no_clear_answer", "unknown"),
        ("cut_inside", 504, "no_clear_answer", "unknown"),
        ("refuse_099", 202, "gateway_error", "queued"),
        ("http_503", 202, "gateway_busy", "queued"),
        ("http_302", 202, "gateway_misconfigured", "queued"),
    ],
)
def test_each_outcome_has_its_answer_and_its_record(service, fault, status, reason, stands):
    service.gateway.fail_next(1, Fault(fault))
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (status, reason)
    shown = answer.body["message"] if status >= 400 else answer.body
    assert (shown["id"], shown["status"], shown["text"]) == ("m-1", stands, CANARY)
    assert service.call("GET", "/messages/{id}", "m-1").body == shown
    again = service.post(NAMED)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (status, "true")
    assert len(service.gateway.calls) == 1


@pytest.mark.parametrize("fault", ["refuse_099", "http_503", "http_404"])
def test_what_was_not_sent_is_sent_by_the_queue(service, fault):
    service.gateway.fail_next(1, Fault(fault))
    service.post(NAMED)
    service.let_waiting_messages_come()
    assert service.work() == []
    assert texts(service.gateway) == [("+393331234567", CANARY)]


def test_a_gateway_that_is_down_loses_nothing(deploy, stack):
    with LocalGateway(call_group="9999", secret="local-secret") as up:
        url, port = up.url, up._server.server_address[1]
    service = deploy(GatewayUrl=url)
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (202, "gateway_unreachable")
    assert answer.body["detail"]
    service.put({"to": "333 1234568", "text": "dalla coda", "id": "m-2"})
    assert len(service.work()) == 1
    with LocalGateway(call_group="9999", secret="local-secret", port=port) as back:
        service.let_waiting_messages_come()
        assert service.work() == []
        assert sorted(sms.to for sms in back.accepted) == ["+393331234567", "+393331234568"]
    assert stack.received("DeadLetterQueue") == []


def test_an_unset_secret_is_told_and_loses_nothing(service):
    service.stack.set_account({"id_call_gr": "SET-ME", "secret": "SET-ME"})
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (202, "secret_not_set")
    assert "gateway secret" in answer.body["detail"]
    assert service.gateway.calls == []
    service.stack.set_account()
    service.let_waiting_messages_come()
    assert service.work() == []
    assert len(service.gateway.accepted) == 1


def test_a_wrong_secret_is_told_after_two_calls_and_loses_nothing(service):
    service.gateway.rotate_secret("another")
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (202, "bad_credentials")
    assert len(service.gateway.calls) == 2


def test_a_rotated_secret_works_at_once(service):
    assert service.post(LEAST).status == 201
    service.gateway.rotate_secret("rotated")
    service.stack.set_account({"id_call_gr": "9999", "secret": "rotated"})
    assert service.post(LEAST).status == 201


def test_without_time_for_a_call_the_queue_takes_over(service):
    answer = service.post(NAMED, seconds=5.0)
    assert (answer.status, answer.reason) == (202, "out_of_time")
    service.let_waiting_messages_come()
    service.work()
    assert len(service.gateway.accepted) == 1


# Later, dry, suppressed


def test_a_message_for_later_is_scheduled_and_can_be_cancelled_twice(service):
    tomorrow = (core.clock() + timedelta(days=1)).isoformat()
    answer = service.post(NAMED | {"send_at": tomorrow})
    assert (answer.status, answer.body["status"]) == (202, "scheduled")
    group = service.stack["ScheduleGroup"]
    assert len(service.stack.scheduler.list_schedules(GroupName=group)["Schedules"]) == 1
    for _ in range(2):
        cancelled = service.call("DELETE", "/messages/{id}", "m-1")
        assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert service.stack.scheduler.list_schedules(GroupName=group)["Schedules"] == []


def test_a_dry_run_shows_what_would_be_sent_and_does_nothing(service):
    answer = service.post(NAMED | {"text": f"{CANARY}: è “pronto”…", "dry_run": True})
    assert answer.status == 200
    assert answer.body["text"] == f'{CANARY}: è "pronto"...'
    assert (answer.body["encoding"], answer.body["segments"]) == ("GSM-7", 1)
    assert answer.body["cost_eur"] == 0.09
    assert len(answer.body["replaced"]) == 3
    assert "status" not in answer.body
    assert service.records() == []
    assert service.gateway.calls == []
    assert service.stack.received() == []


def test_in_test_mode_only_the_firms_numbers_get_an_sms(deploy):
    service = deploy(Mode="test", TestRecipients="333 1234568")
    held = service.post(NAMED)
    assert (held.status, held.body["status"], held.reason) == (200, "suppressed", "test_mode")
    assert service.post({"to": "3331234568", "text": "Prova"}).status == 201
    dry = service.post(LEAST | {"dry_run": True})
    assert dry.body["stopped_by"]["reason"] == "test_mode"
    assert [sms.to for sms in service.gateway.calls] == ["+393331234568"]


# A person's part


@pytest.mark.usefixtures("impatient")
def test_an_unknown_message_is_found_and_sent_again_once(service):
    service.gateway.fail_next(1, Fault("hang"))
    service.post(NAMED)
    [found] = service.call("GET", "/messages", status="unknown").body["messages"]
    assert found["id"] == "m-1"
    clicks = [service.call("POST", "/messages/{id}/resend", "m-1") for _ in range(2)]
    assert [click.status for click in clicks] == [202, 409]
    assert clicks[1].body["message"]["status"] == "queued"
    service.work()
    assert texts(service.gateway) == [("+393331234567", CANARY)]
    assert service.call("GET", "/messages", status="unknown").body == {"messages": []}


@pytest.mark.usefixtures("impatient")
def test_an_unknown_message_that_arrived_is_confirmed(service):
    service.gateway.fail_next(1, Fault("hang_after"))
    service.post(NAMED)
    clicks = [service.call("POST", "/messages/{id}/confirm", "m-1") for _ in range(2)]
    assert [click.status for click in clicks] == [200, 409]
    assert clicks[0].body["status"] == "sent"
    assert service.call("POST", "/messages/{id}/resend", "m-1").status == 409
    assert len(service.gateway.calls) == 1


def test_what_was_sent_cannot_be_cancelled(service):
    service.post(NAMED)
    answer = service.call("DELETE", "/messages/{id}", "m-1")
    assert (answer.status, answer.reason) == (409, "wrong_status")
    assert answer.body["message"]["status"] == "sent"


def test_messages_to_a_number_are_listed_newest_first_page_by_page(service):
    for n in range(5):
        created = core.clock() + timedelta(seconds=n)
        core.store().create(waiting(id=f"m-{n}", created_at=created))
    seen, query = [], {"to": "333-1234567", "limit": "2"}
    while True:
        answer = service.call("GET", "/messages", **query)
        seen += [one["id"] for one in answer.body["messages"]]
        if "cursor" not in answer.body:
            break
        query["cursor"] = answer.body["cursor"]
    assert seen == ["m-4", "m-3", "m-2", "m-1", "m-0"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"status": "sent", "limit": "000000001999"}, "bad_query"),
        ({"status": "sent", "limit": "000000001" + "9" * 5000}, "bad_query"),
        ({}, "bad_query"),
        ({"to": "3331234567", "status": "sent"}, "bad_query"),
        ({"to": "061234567"}, "bad_query"),
        ({"status": "delivered"}, "bad_query"),
        ({"status": "sent", "limit": "0"}, "bad_query"),
        ({"status": "sent", "limit": "101"}, "bad_query"),
        ({"status": "sent", "limit": "1" * 5000}, "bad_query"),
        ({"status": "sent", "limit": "²"}, "bad_query"),
        ({"status": "sent", "page": "2"}, "bad_query"),
        ({"status": "sent", "cursor": "x"}, "bad_cursor"),
    ],
)
def test_a_list_that_cannot_be_made_says_why(service, query, reason):
    answer = service.call("GET", "/messages", **query)
    assert (answer.status, answer.reason) == (400, reason)


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("GET", "/messages/{id}"),
        ("DELETE", "/messages/{id}"),
        ("POST", "/messages/{id}/resend"),
        ("POST", "/messages/{id}/confirm"),
    ],
)
@pytest.mark.parametrize("key", ["m-9", "è", "a b", "x" * 3000, "-"])
def test_what_does_not_exist_is_not_found(service, method, resource, key):
    answer = service.call(method, resource, key)
    assert (answer.status, answer.reason) == (404, "not_found")


def test_an_id_that_no_message_can_have_does_not_find_another(service):
    service.post(LEAST | {"id": "-"})
    assert service.call("GET", "/messages/{id}", "è").status == 404
    assert service.call("GET", "/messages/{id}", "-").status == 200


def test_health_needs_nothing_behind_it(service, monkeypatch):
    monkeypatch.delenv("TABLE_NAME")
    forget()
    answer = service.call("GET", "/health")
    assert (answer.status, answer.body["status"]) == (200, "ok")
    assert answer.body["version"]


# Bad input


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (None, 400, "not_json"),
        ("", 400, "not_json"),
        ("ciao", 400, "not_json"),
        ('{"to":', 400, "not_json"),
        ('{"to": NaN}', 400, "not_json"),
        ('{"to":"333 1234567","to":"334 1234567","text":"x"}', 400, "not_json"),
        ("[" * 60_000, 400, "not_json"),
        ("1" * 5_000, 400, "not_json"),
        ("\ud800", 400, "not_json"),
        ("[]", 422, "invalid_message"),
        ('"ciao"', 422, "invalid_message"),
        ("{}", 422, "invalid_message"),
        (LEAST | {"testo": "x"}, 422, "invalid_message"),
        (LEAST | {"to": 3331234567}, 422, "invalid_message"),
        (LEAST | {"to": "3331234567.0"}, 422, "invalid_message"),
        (LEAST | {"to": "333 1234567 / 334 1234567"}, 422, "invalid_message"),
        (LEAST | {"text": "mezza \ud83d"}, 422, "invalid_message"),
        (LEAST | {"text": "\ude00"}, 422, "invalid_message"),
        (LEAST | {"text": "x" * 700}, 422, "invalid_message"),
        (LEAST | {"text": "😀" * 200}, 422, "invalid_message"),
        (LEAST | {"send_at": "domani"}, 422, "invalid_message"),
        ("x" * 10_000_000, 413, "too_large"),
        ('{"to":"333 1234567","text":"' + "x" * 10_000_000 + '"}', 413, "too_large"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_bad_input_has_its_answer_and_leaves_nothing(service, body, status, reason):
    answer = service.post(body)
    assert (answer.status, answer.reason) == (status, reason)
    assert service.records() == []
    assert service.gateway.calls == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (base64.b64encode(json.dumps(NAMED).encode()).decode(), 201),
        (base64.b64encode(b'{"to": "333 1234567", "text": "\xff"}').decode(), 400),
        ("not base64!", 400),
        ("è", 400),
        ("QUJD=", 400),
    ],
)
def test_a_body_in_base64_is_read_or_refused(service, body, status):
    assert service.post(body, base64=True).status == status


@pytest.mark.parametrize(
    "to",
    ["333 1234567", "+39 333-123.4567", "0039 333 1234567", "(+39) 3331234567", "３３３1234567"],
)
def test_the_usual_writings_of_a_number_are_one_number(service, to):
    assert service.post(LEAST | {"to": to}).body["to"] == "+393331234567"


def test_an_emoji_goes_through_whole(service):
    assert service.post(LEAST | {"text": "Si parte! 🎉"}).body["encoding"] == "UCS-2"
    assert [sms.text for sms in service.gateway.accepted] == ["Si parte! 🎉"]


# What is behind us fails


def test_a_table_that_does_not_answer_is_told_and_nothing_is_called(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    monkeypatch.setattr(type(core.store()), "create", down)
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert service.gateway.calls == []


def test_a_message_that_the_table_keeps_waiting_counts_as_retried(service, monkeypatch, capsys):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    service.put(NAMED)
    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        assert len(service.work()) == 1
    assert counted(capsys.readouterr().out, "Retried") == 1


def test_an_outcome_that_cannot_be_recorded_is_not_to_be_repeated(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    monkeypatch.setattr(type(core.store()), "replace", down)
    answer = service.post(LEAST)
    assert (answer.status, answer.reason) == (504, "outcome_unrecorded")
    [record] = service.records()
    assert answer.headers["Location"] == f"/v1/messages/{record.id}"
    assert record.status is Status.SENDING  # the reconciler will find it


@pytest.mark.parametrize("asynchronous", [{}, {"Prefer": "wait=5, respond-async; x=y"}])
def test_a_queue_that_does_not_answer_is_left_to_the_reconciler(service, monkeypatch, asynchronous):
    def down(*_):
        raise QueueUnavailable("ServiceUnavailable")

    service.gateway.fail_next(1, Fault("http_503"))
    with monkeypatch.context() as broken:
        broken.setattr(type(core.queue()), "put", down)
        assert service.post(NAMED, **asynchronous).status == 202
    [record] = service.records()
    core.store().replace(record, replace(record, check_at=core.clock(), version=9))
    assert service.reconcile()["queued"] == 1


@pytest.mark.parametrize("name", ["TABLE_NAME", "GATEWAY_URL", "DEFAULT_SENDER", "MODE"])
def test_a_missing_setting_is_named_in_the_log_and_not_to_the_caller(service, monkeypatch, name):
    monkeypatch.delenv(name)
    forget()
    answer = service.post(NAMED)
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert name not in json.dumps(answer.body)
    assert any(f"{name} is not set" in line for line in service.logged)
    monkeypatch.undo()


# The queue


def test_only_what_was_not_sent_comes_again_and_not_before_its_time(service, monkeypatch):
    service.gateway.fail(Fault("http_503", retry_after=120), to="+393331234568")
    hidden = []
    monkeypatch.setattr(
        type(core.queue()), "delay_redelivery", lambda *given: hidden.append(given[-1])
    )
    service.put(NAMED, {"to": "333 1234568", "text": "x", "id": "m-2"})
    assert len(service.work()) == 1
    assert hidden == [120.0]
    assert {one.id: one.status for one in service.records()} == {"m-1": "sent", "m-2": "queued"}


def test_the_messages_of_a_batch_are_sent_at_the_same_time(service):
    service.gateway.fail(Fault("slow", seconds=0.3))
    service.put(*({"to": f"333 12345{n:02}", "text": "x"} for n in range(10)))
    assert service.work() == []
    moments = [datetime.fromisoformat(call.as_json()["at"]) for call in service.gateway.calls]
    assert len(moments) == 10
    assert max(moments) - min(moments) < timedelta(seconds=9 * 0.3)  # one after another: more


def test_a_batch_finds_its_parts_built_before_its_threads_start(service, monkeypatch):
    """Each thread would build its own: seconds of a cold start, and no session allows it."""
    make, made = core.client, []

    def noted(name):
        made.append((name, current_thread()))
        return make(name)

    forget()
    monkeypatch.setattr(core, "client", noted)
    service.put(*[NAMED] * 10)
    service.work()
    names = ("dynamodb", "scheduler", "secretsmanager", "sqs")
    assert sorted(made, key=itemgetter(0)) == [(name, current_thread()) for name in names]


def test_a_message_that_comes_twice_in_one_batch_is_one_sms(service):
    service.put(*[NAMED] * 5)
    for _ in range(3):
        service.work()
    assert len(service.gateway.calls) == 1


def test_what_fails_unexpectedly_comes_again_and_is_dead_lettered_in_the_end(service, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(sending_parts.queue_records().intake), "handle", fail)
    service.put("x")
    assert len(service.work(receive_count=4)) == 1
    service.put("x")
    assert service.work(receive_count=5) == []
    assert service.dead_letters() == [("x", "unexpected: RuntimeError")]
    [line, _] = [json.loads(one) for one in service.logged if "service.unhandled_error" in one]
    assert line["error"] == "RuntimeError"
    assert any("in fail" in frame for frame in line["where"])


def test_a_message_without_an_id_is_dead_lettered_with_the_id_that_it_went_by(service, monkeypatch):
    """A redrive would give it another SQS id, and so a second SMS if the first call was made."""

    def fail_after_the_call(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(type(core.telemetry()), "status_changed", fail_after_the_call)
        service.put({"to": "333 1234567", "text": "Una volta sola"})
        service.work(receive_count=5)
    [(body, reason)] = service.dead_letters()
    assert reason == "unexpected: RuntimeError"
    service.put(body)
    assert service.work() == []
    assert len(service.gateway.calls) == 1


def test_half_a_character_does_not_keep_a_message_from_being_dead_lettered(service, monkeypatch):
    """Nor U+FFFF, which a queue takes only in escapes; and the rest of the batch is not kept."""

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(type(sending_parts.queue_records().intake), "handle", fail)
    service.put(r"""{"to": "333 1234567", "text": "\ud83d \uffff"}""", NAMED)
    assert service.work(receive_count=5) == []
    [body] = [body for body, _ in service.dead_letters() if "m-1" not in body]
    assert json.loads(body)["text"] == "\ud83d \uffff"
    assert body.isascii()


def test_a_call_that_fails_unexpectedly_is_answered_with_a_sentence(service, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(sending_parts.delivery()), "send_new", fail)
    answer = service.post({"to": "333 1234567", "text": "Ciao"})
    assert answer.status == 500
    assert answer.body["reason"] == "internal_error"
    assert CANARY not in json.dumps(answer.body)
    assert not [line for line in service.logged if CANARY in line]


def test_a_webhook_that_fails_unexpectedly_is_answered_and_shows_nothing(service, monkeypatch):
    def fail(*_):
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(webhooks.intake()), "handle", fail)
    answer = service.webhook(event("webhook_shopify_orders_fulfilled"))
    assert (answer.status, answer.reason) == (500, "internal_error")
    [line] = [json.loads(one) for one in service.logged if "service.unhandled_error" in one]
    assert line["error"] == "RuntimeError"
    with pytest.raises(Exception, match=r"^RuntimeError$") as left:
        service.partner_event(event("webhook_shopify_eventbridge"))
    assert CANARY not in "".join(traceback.format_exception(left.value))


def test_a_table_that_does_not_answer_keeps_the_message_in_the_queue(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        service.put(NAMED)
        assert len(service.work()) == 1
    assert service.gateway.calls == []
    service.put(NAMED)
    assert service.work() == []
    assert len(service.gateway.calls) == 1


def test_a_dead_letter_queue_that_does_not_answer_keeps_the_message(service, monkeypatch):
    def down(*_):
        raise QueueUnavailable("ServiceUnavailable")

    monkeypatch.setattr(type(core.queue()), "dead_letter", down)
    service.put("questo non è JSON")
    assert len(service.work()) == 1


def test_a_redrive_sends_nothing_twice(service):
    """With its id a message is known again; without, its body was never set aside once sent."""
    service.put(NAMED)
    service.work()
    service.put(NAMED)  # another SQS id, as after a redrive
    service.work()
    assert len(service.gateway.calls) == 1
