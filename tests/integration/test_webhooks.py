"""Webhooks through their handler: one event is one SMS, in time, and a bombed form costs little."""

import base64
import gzip
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openvoip_sms.adapters.telemetry import logger
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules import limits
from openvoip_sms.webhooks.request import MAX_BODY_BYTES
from openvoip_sms.wiring import core, webhooks
from tests.function_calls import calls_of
from tests.integration.service import Kept, counted, event, forget
from tests.unit.webhooks.webhook_calls import base64_hmac

SOURCES = """
shopify:
  preset: shopify
  secrets: [shopify]
  to: phone
  messages:
    orders/create: {text: "Ordine {name} ricevuto."}
    orders/paid: {text: "Ordine {name} pagato."}
woocommerce:
  preset: woocommerce
  secrets: [woocommerce]
  to: billing.phone
  messages:
    order.updated:
      when: status != 'pending'
      text: "Ordine {number}: {status}."
plain-woocommerce:
  preset: woocommerce
  secrets: [woocommerce]
  to: billing.phone
  once: nothing
  message: {text: "Ordine {number}."}
scadenze:
  preset: make
  secrets: [token]
  to: tel
  message: {send_at: quando, text: "Scadenza {numero}."}
orologio:
  preset: make
  secrets: [token]
  to: tel
  message: {send_at: "at(quando, '09:00')", text: "Scadenza {numero}."}
domani:
  preset: make
  secrets: [token]
  to: tel
  message: {delay: P1D, text: "Scadenza {numero}."}
modulo:
  preset: make
  secrets: [token]
  to: tel
  message: {text: "Grazie {nome}, a presto."}
gruppo:
  preset: make
  secrets: [token]
  each: eventi
  to: tel
  message: {text: "Grazie {nome}, a presto."}
altro-modulo:
  preset: make
  secrets: [token]
  to: tel
  message: {text: "Grazie {nome}, a presto."}
"""
SECRETS = {"shopify": "shop-secret", "woocommerce": "woo-secret", "token": "a-token"}
FORM = {"tel": "333 123 1234", "nome": "Anna"}


@pytest.fixture
def service(deploy, stack, tmp_path, monkeypatch):
    running = deploy()
    (tmp_path / "sources.yaml").write_text(SOURCES, "utf-8")
    monkeypatch.setenv("SOURCES_FILE", str(tmp_path / "sources.yaml"))
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
    )
    kept = Kept(running.logged)
    logger.addHandler(kept)
    yield running
    logger.removeHandler(kept)


def call(source, body, headers):
    """An API Gateway event with these bytes and headers."""
    given = event("webhook_shopify_orders_fulfilled")
    named = {"Content-Type": "application/json"} | headers
    return given | {
        "path": f"/webhooks/{source}",
        "pathParameters": {"source": source},
        "headers": named,
        "multiValueHeaders": {name: [value] for name, value in named.items()},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def form(source="modulo", **fields):
    return call(source, FORM | fields, {"X-Webhook-Token": "a-token"})


def shopify(topic="orders/create", event_id="event-1", webhook_id="webhook-1", **headers):
    body = json.dumps({"phone": "+393331231234", "name": "#1042"})
    signed = {
        "X-Shopify-Hmac-Sha256": base64_hmac("shop-secret", body),
        "X-Shopify-Shop-Domain": "bottega-esempio.myshopify.com",
        "X-Shopify-Topic": topic,
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-Webhook-Id": webhook_id,
    }
    return call("shopify", body, signed | headers)


def woocommerce(delivery, source="woocommerce", number=727, status="completed", **more):
    order = {"id": number, "number": str(number), "status": status} | more
    body = json.dumps(order | {"billing": {"phone": "333 123 1234"}})
    headers = {
        "X-WC-Webhook-Signature": base64_hmac("woo-secret", body),
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Delivery-ID": delivery,
    }
    return call(source, body, headers)


def sent(service):
    """What has reached the gateway once the queue is worked off."""
    while (
        service.stack.sqs.get_queue_attributes(
            QueueUrl=service.stack["MessageQueue"], AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]["ApproximateNumberOfMessages"]
        != "0"
    ):
        assert service.work() == []
    return [sms.text for sms in service.gateway.calls]


# One event, one SMS


def test_a_retry_and_a_replay_are_one_record_and_one_sms(service):
    """Shopify's retries keep everything; only the time it was triggered is another."""
    first = service.webhook(shopify())
    again = service.webhook(shopify(**{"X-Shopify-Triggered-At": "2026-11-24T12:00:00Z"}))
    replay = service.webhook(shopify())
    assert [one.status for one in (first, again, replay)] == [202, 200, 200]
    assert (again.reason, replay.reason) == ("duplicate", "duplicate")
    assert again.body["messages"][0]["id"] == first.body["messages"][0]["id"]
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert service.webhook(shopify()).reason == "duplicate"  # after it was sent, too
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert [record.status for record in service.messages()] == ["sent"]


def test_a_call_that_arrives_many_times_at_once_is_one_sms(service):
    with ThreadPoolExecutor(8) as lines:
        answers = list(lines.map(lambda _: service.webhook(shopify()), range(8)))
    assert sorted(answer.status for answer in answers) == [200] * 7 + [202]
    assert sent(service) == ["Ordine #1042 ricevuto."]
    assert len(service.messages()) == 1


def test_a_call_that_died_before_it_was_stored_is_taken_when_it_comes_again(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        assert service.webhook(form()).status == 503
    assert service.webhook(form()).status == 202
    assert sent(service) == ["Grazie Anna, a presto."]


def test_two_subscriptions_to_one_topic_are_one_sms_and_two_topics_are_two(service):
    answers = [
        service.webhook(given)
        for given in (shopify(), shopify(webhook_id="webhook-2"), shopify(topic="orders/paid"))
    ]
    assert [answer.status for answer in answers] == [202, 200, 202]
    assert sorted(sent(service)) == ["Ordine #1042 pagato.", "Ordine #1042 ricevuto."]
    assert len(service.messages()) == 2


@pytest.mark.parametrize("source", ["woocommerce", "plain-woocommerce"])
def test_two_orders_saved_in_one_second_are_two_sms(service, source):
    """WooCommerce makes one delivery id of them."""
    calls = [woocommerce("same", source, number=n) for n in (727, 728, 727)]
    assert [service.webhook(given).status for given in calls] == [202, 202, 200]
    assert len(sent(service)) == 2


def test_a_storm_of_order_updated_is_one_sms_for_each_status(service):
    statuses = ["pending"] * 5 + ["processing"] * 10 + ["completed"] * 10 + ["processing"] * 5
    for n, status in enumerate(statuses):
        given = woocommerce(f"d{n}", status=status, date_modified=f"2026-11-24T10:00:{n:02}")
        assert service.webhook(given).status in (200, 202)
    assert sorted(sent(service)) == ["Ordine 727: completed.", "Ordine 727: processing."]
    assert len(service.messages()) == 2


def test_a_person_finds_the_message_by_the_id_in_the_answer(service):
    [answered] = service.webhook(woocommerce("d1")).body["messages"]
    assert answered["id"].startswith("woocommerce:order.updated:727-completed:")
    found = service.call("GET", "/messages/{id}", answered["id"])
    assert (found.status, found.body["source"]) == (200, "webhook:woocommerce")


# When


AUTUMN = datetime(2026, 10, 20, 10, tzinfo=UTC)


def at(moment, monkeypatch):
    monkeypatch.setattr(core, "clock", lambda: moment)


@pytest.mark.parametrize(
    ("source", "day", "expected"),
    [
        ("orologio", "2026-10-24", "2026-10-24T07:00:00"),  # the last day of summer time
        ("orologio", "2026-10-25", "2026-10-25T08:00:00"),
        ("orologio", "2027-03-27", "2027-03-27T08:00:00"),  # the last day of winter time
        ("orologio", "2027-03-28", "2027-03-28T07:00:00"),
        ("scadenze", "2026-10-25", "2026-10-25T08:00:00"),  # no hour: nine
        ("scadenze", "2026-10-25T01:59", "2026-10-24T23:59:00"),
        ("scadenze", "2026-10-25T02:30", "2026-10-25T00:30:00"),  # comes twice: the first
        ("scadenze", "2026-10-25T03:00", "2026-10-25T02:00:00"),
        ("scadenze", "2027-03-28T01:59", "2027-03-28T00:59:00"),
        ("scadenze", "2027-03-28T02:30", "2027-03-28T01:30:00"),  # does not exist: an hour on
        ("scadenze", "2027-03-28T03:00", "2027-03-28T01:00:00"),
        ("scadenze", "25/10/2026 09:30", "2026-10-25T08:30:00"),
        ("scadenze", "2026-10-25T09:00:00+02:00", "2026-10-25T07:00:00"),
    ],
)
def test_the_hour_is_romes_at_both_changes_in_record_and_schedule(
    service, monkeypatch, source, day, expected
):
    at(AUTUMN, monkeypatch)
    answer = service.webhook(form(source, quando=day, numero="1"))
    [told] = answer.body["messages"]
    assert (answer.status, told["status"]) == (202, "scheduled")
    record = service.call("GET", "/messages/{id}", told["id"]).body
    assert record["send_at"].removesuffix("Z").removesuffix(".000") == expected
    assert schedules(service) == [f"at({expected})"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 24, 8, tzinfo=UTC), "at(2026-10-25T09:00:00)"),
        (datetime(2027, 3, 27, 9, tzinfo=UTC), "at(2027-03-28T08:00:00)"),
    ],
)
def test_a_delay_of_a_day_keeps_the_hour_over_both_changes(service, monkeypatch, now, expected):
    at(now, monkeypatch)
    assert service.webhook(form("domani", numero="1")).status == 202
    assert schedules(service) == [expected]


def schedules(service):
    scheduler, group = service.stack.scheduler, service.stack["ScheduleGroup"]
    named = scheduler.list_schedules(GroupName=group)["Schedules"]
    found = [scheduler.get_schedule(GroupName=group, Name=one["Name"]) for one in named]
    assert {one.get("ScheduleExpressionTimezone", "UTC") for one in found} <= {"UTC"}
    return [one["ScheduleExpression"] for one in found]


@pytest.mark.parametrize(
    ("ahead", "status", "reason"),
    [
        (timedelta(minutes=1), 202, None),
        (timedelta(minutes=20), 202, None),
        (timedelta(days=365), 202, None),
        (timedelta(days=365, seconds=1), 200, "send_at_too_far"),
        (-timedelta(days=2), 202, None),
    ],
)
def test_a_message_may_wait_from_minutes_to_a_year(service, monkeypatch, ahead, status, reason):
    at(AUTUMN, monkeypatch)
    answer = service.webhook(form("scadenze", quando=(AUTUMN + ahead).isoformat(), numero="1"))
    assert (answer.status, answer.reason) == (status, reason)
    assert len(schedules(service)) == (timedelta(minutes=15) < ahead <= timedelta(days=365))


def test_a_cancelled_reminder_stays_cancelled_whatever_still_comes(service):
    """Neither a schedule that fires all the same nor a repeated webhook brings it back."""
    tomorrow = (core.clock() + timedelta(days=1)).isoformat()
    [told] = service.webhook(form("scadenze", quando=tomorrow, numero="1")).body["messages"]
    assert len(schedules(service)) == 1
    cancelled = service.call("DELETE", "/messages/{id}", told["id"])
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert schedules(service) == []
    again = service.webhook(form("scadenze", quando=tomorrow, numero="1"))
    assert (again.status, again.reason) == (200, "duplicate")
    core.queue().put(told["id"])
    assert sent(service) == []
    assert [record.status for record in service.messages()] == ["cancelled"]


# What goes out


@pytest.mark.parametrize(
    "nome",
    [None, "", " \t", "\x00\x1f", "\u200b", "\u2060\ufeff", "\u00ad", "\u3164", [], {}, True],
)
def test_without_a_value_nothing_goes_out_and_the_record_names_the_field(service, nome):
    answer = service.webhook(form(nome=nome))
    assert (answer.status, answer.body["messages"][0]["status"]) == (200, "rejected")
    [record] = service.messages()
    assert record.reason in ("missing_value", "not_text")
    assert record.detail.startswith("nome ")
    assert sent(service) == []


@pytest.mark.parametrize(
    ("nome", "shown"),
    [
        ("{tel}", "{tel}"),
        ("{{nome}} || 'x'", "{{nome}} || 'x'"),
        ("Anna\r\n\u0000\u202eMaria", "Anna Maria"),
        ("Anna \u200b Maria", "Anna Maria"),
        (" Anna \u00a0 Maria ", "Anna Maria"),
        ("x" * 1000, "x" * 57 + "..."),
        ("€" * 1000, "€" * 57 + "..."),
        (7, "7"),
    ],
)
def test_a_value_goes_out_as_data_on_one_short_line(service, nome, shown):
    service.webhook(form(nome=nome))
    assert sent(service) == [f"Grazie {shown}, a presto."]


# A bombed form


def reasons(service):
    found = [str(record.reason or record.status) for record in service.messages()]
    return {reason: found.count(reason) for reason in set(found)}


def test_forged_posts_over_neighbouring_numbers_stop_early_and_leave_other_sources_alone(
    service, capsys
):
    posts = [form(tel=f"333 123 {n % 30:04d}", nome=f"Anna{n:03}") for n in range(60)]
    with ThreadPoolExecutor(8) as attackers:
        answers = list(attackers.map(service.webhook, posts))
    assert {answer.status for answer in answers} == {200, 202}
    assert len(service.messages()) == 60
    found = reasons(service)
    assert found.pop("queued") == 20
    assert set(found) <= {"range_limit", "source_paused"}
    assert any("source.paused" in line for line in service.logged)
    assert counted(capsys.readouterr().out, "SourcesPaused") >= 1
    assert service.webhook(form("altro-modulo", tel="347 111 2222")).status == 202
    assert len(sent(service)) == 21


def test_a_number_gets_no_more_than_its_limit_from_all_sources_together(service):
    sources = ["modulo", "altro-modulo"] * 5
    for n, source in enumerate(sources):
        assert service.webhook(form(source, nome=f"Anna {n}")).status in (200, 202)
    assert reasons(service) == {"queued": 5, "recipient_limit": 5}


def test_the_same_text_from_another_event_is_held_back_and_names_the_first(service):
    first = service.webhook(form()).body["messages"][0]["id"]
    second = service.webhook(form("altro-modulo", giro=2))
    assert (second.status, second.reason) == (200, "same_text")
    record = service.call("GET", "/messages/{id}", second.body["messages"][0]["id"]).body
    assert (record["status"], first in record["detail"]) == ("suppressed", True)
    assert sent(service) == ["Grazie Anna, a presto."]


@pytest.fixture
def costs(service):  # noqa: ARG001 - deployed first
    """Counts the table's calls."""
    made = []
    events = core.client("dynamodb").meta.events

    def count(model, **_):
        made.append(model.name)

    events.register("provide-client-params.dynamodb", count)
    yield lambda: {name: made.count(name) for name in set(made)}
    events.unregister("provide-client-params.dynamodb", count)


def test_what_a_message_costs_at_the_table(service, costs):
    """Five writes: same text, source, range, number, and the record itself."""
    service.webhook(form())
    assert costs() == {"GetItem": 1, "PutItem": 2, "UpdateItem": 3}


def test_what_a_message_costs_that_a_pause_holds_back(service, costs):
    subject = limits.subject("source", "webhook:modulo")
    webhooks.intake().flood_guard.counters.pause(subject, core.clock() + timedelta(hours=1))
    before = costs()
    service.webhook(form())
    assert reasons(service) == {"source_paused": 1}
    assert before == {"UpdateItem": 1}
    assert costs()["PutItem"] + costs()["UpdateItem"] - 1 == 3


def test_what_a_repeated_call_costs(service, costs):
    service.webhook(form())
    before = costs()
    service.webhook(form())
    assert costs() == before | {"GetItem": before["GetItem"] + 1}


# What is not set up


@pytest.mark.parametrize(
    "content",
    [
        SOURCES.replace("preset: make", "preset: maek").encode(),
        b"\xff\xfe\x00",
        b"",
        b"shopify: [",
        None,
    ],
    ids=["mistake", "no text", "empty", "no yaml", "no file"],
)
def test_with_broken_sources_every_source_answers_500_with_one_error_and_an_alarm(
    service, tmp_path, capsys, content
):
    file = tmp_path / "sources.yaml"
    file.unlink() if content is None else file.write_bytes(content)
    for one in (form(), shopify(), form("nobody")):
        answer = service.webhook(one)
        assert (answer.status, answer.reason) == (500, "not_set_up")
    [line] = [json.loads(one) for one in service.logged if '"ERROR"' in one]
    assert line["message"] == "sources.invalid"
    assert line["mistakes"].startswith("sources.yaml:")
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 3
    assert service.messages() == []


@pytest.mark.parametrize("written", ["no json", "[]", "{}", '{"token": "SET-ME"}'])
def test_a_secret_that_is_not_set_alarms_and_asks_the_sender_to_come_again(
    service, capsys, written
):
    service.stack.secrets.put_secret_value(
        SecretId=service.stack["WebhookSecret"], SecretString=written
    )
    answer = service.webhook(form())
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 1


@pytest.mark.parametrize("name", ["TABLE_NAME", "DEFAULT_SENDER", "RECIPIENT_HOURLY_LIMIT"])
def test_a_missing_setting_alarms_and_is_named_in_the_log_only(service, monkeypatch, capsys, name):
    monkeypatch.delenv(name)
    forget()
    answer = service.webhook(form())
    assert (answer.status, answer.reason) == (500, "not_set_up")
    assert name not in json.dumps(answer.body)
    assert any(f"{name} is not set" in line for line in service.logged)
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 1


def test_a_mistake_of_our_own_is_answered_with_a_sentence_and_never_shows_a_body(
    service, monkeypatch
):
    def fail(_, planned, __):
        raise RuntimeError(planned.text)

    monkeypatch.setattr(type(webhooks.intake()), "handle", fail)
    answer = service.webhook(form(nome="testo-canarino"))
    assert (answer.status, answer.reason) == (500, "internal_error")
    assert any("service.unhandled_error" in line for line in service.logged)
    assert not [line for line in service.logged if "testo-canarino" in line]


# Shopify over EventBridge


def test_an_event_over_event_bridge_and_over_https_is_one_sms(service):
    """Two ways in at the same time, as while a shop moves from one to the other."""
    https = shopify()
    partner = event("webhook_shopify_eventbridge")
    metadata = {name: value for name, value in https["headers"].items() if "Hmac" not in name}
    partner["detail"] |= {"metadata": metadata, "payload": json.loads(https["body"])}
    service.partner_event(partner)
    assert service.webhook(https).reason == "duplicate"
    assert sent(service) == ["Ordine #1042 ricevuto."]


def test_a_partner_event_that_cannot_be_taken_now_is_lambdas_to_bring_again(service, monkeypatch):
    def down(*_):
        raise StoreUnavailable("ThrottlingException")

    given = event("webhook_shopify_eventbridge")
    given["detail"]["metadata"]["X-Shopify-Topic"] = "orders/create"
    given["detail"]["payload"] |= {"phone": "333 123 1234"}
    with monkeypatch.context() as broken:
        broken.setattr(type(core.store()), "create", down)
        with pytest.raises(Exception, match="StoreUnavailable"):
            service.partner_event(given)
    assert service.partner_event(given)["messages"][0]["status"] == "queued"
    assert len(sent(service)) == 1


def test_a_partner_event_with_broken_sources_is_kept_and_alarms(service, tmp_path, capsys):
    (tmp_path / "sources.yaml").write_text("shopify: [", "utf-8")
    with pytest.raises(Exception, match="not configured"):
        service.partner_event(event("webhook_shopify_eventbridge"))
    assert counted(capsys.readouterr().out, "ConfigurationErrors") == 1


# Whatever a stranger sends

ANSWERS = {200, 202, 400, 401, 404, 413}
BODIES = {
    "a MiB": b'{"tel":"3331231234","nome":"' + b"x" * (MAX_BODY_BYTES - 30) + b'"}',
    "deep": b"[" * 500_000,
    "deep and closed": b"[" * 5_000 + b"]" * 5_000,
    "giant whole number": b'{"tel":' + b"3" * 100_000 + b"}",
    "giant exponent": b'{"tel":1e999999999}',
    "no number": b'{"tel":NaN,"nome":Infinity}',
    "number of 4,000 digits": b'{"tel":"3331231234","nome":' + b"9" * 4_000 + b"}",
    "key twice": b'{"tel":"x","tel":"3331231234","nome":"Anna"}',
    "no UTF-8": b'{"tel":"3331231234","nome":"\xff\xfe"}',
    "half a pair": rb'{"tel":"3331231234","nome":"\ud800"}',
    "NUL": b'{"tel":"3331231234","nome":"a\x00b"}',
    "written NUL": rb'{"tel":"3331231234","nome":"a\u0000b"}',
    "nothing": b"",
    "a number": b"7",
    "null": b"null",
    "gzip": gzip.compress(json.dumps(FORM).encode()),
}


def raw_call(source, body, headers, query=None):
    """Bytes and header pairs as API Gateway brings them; some bodies come in base64."""
    many = {}
    for name, value in headers:
        many.setdefault(name, []).append(value)
    as_text = None if b"\xff" in body or len(body) % 2 else _text_of(body)
    return event("webhook_shopify_orders_fulfilled") | {
        "pathParameters": {"source": source},
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {key: values[-1] for key, values in (query or {}).items()},
        "multiValueQueryStringParameters": query or None,
        "body": base64.b64encode(body).decode() if as_text is None else as_text,
        "isBase64Encoded": as_text is None,
    }


def _text_of(body):
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def test_an_authentic_call_with_no_event_in_it_has_nothing_to_send(service):
    answer = service.webhook(call("gruppo", {"eventi": []}, {"X-Webhook-Token": "a-token"}))
    assert (answer.status, answer.body["reason"]) == (200, "no_event")


@pytest.mark.parametrize("proof", ["a-token", "wrong"])
@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_has_an_answer_of_the_contract_for_bounded_work(service, name, proof):
    headers = [("Content-Type", "application/json"), ("X-Webhook-Token", proof)]
    if name == "gzip":
        headers.append(("Content-Encoding", "gzip"))
    service.webhook(form(nome="Prima"))  # what a cold start costs is not the body's fault
    ordinary = calls_of(lambda: service.webhook(form(tel="333 1234999", nome="Seconda")))
    given, answers = raw_call("modulo", BODIES[name], headers), []
    calls = calls_of(lambda: answers.append(service.webhook(given)))
    assert calls < 1.5 * ordinary + 2 * len(BODIES[name])
    assert answers[0].status in (ANSWERS - {401, 404, 413} if proof == "a-token" else {401})


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 6 * MAX_BODY_BYTES])
@pytest.mark.parametrize("source", ["modulo", "shopify"])
def test_too_large_a_body_is_refused_before_it_costs_anything(service, monkeypatch, source, size):
    def computed(*_):
        pytest.fail("something was computed")

    monkeypatch.setattr(hmac, "digest", computed)
    monkeypatch.setattr(webhooks, "secrets", computed)
    answer = service.webhook(raw_call(source, b"x" * size, [("X-Webhook-Token", "a-token")]))
    assert (answer.status, answer.reason) == (413, "too_large")


def test_a_thousand_headers_with_foreign_characters_are_refused_for_a_few_calls_each(service):
    headers = [(f"X-{n}", "é€\ud800" * 20) for n in range(1000)]
    service.webhook(form("nobody"))  # what a cold start costs is not the headers' fault
    for source, name in (("shopify", "X-Shopify-Hmac-Sha256"), ("modulo", "X-Webhook-Token")):
        given = raw_call(source, b"{}", [*headers, (name, "é\u0000\ud800")])
        answers = []
        calls = calls_of(lambda: answers.append(service.webhook(given)))  # noqa: B023 - called here
        assert calls < 100 * len(headers)
        assert answers[0].status == 401


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tel", "nome", "billing", "phone", "id", "name"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
NEARLY_RIGHT = st.fixed_dictionaries(
    {"tel": st.sampled_from(["3331231234", "347 1112222", ["x", 3331231234]]), "nome": JSON}
).map(lambda data: json.dumps(data).encode())
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Content-Encoding", "X-Webhook-Token", "x-shopify-topic"])
        | st.text(max_size=8),
        st.sampled_from(["application/json", "text/plain", "gzip", "orders/create", "a-token", ""])
        | st.text(max_size=20),
    ),
    max_size=4,
)


def stranger(source, body, headers, query, *, authentic):
    proof = [("X-Webhook-Token", "a-token")]
    for name, header in (
        ("shopify", "X-Shopify-Hmac-Sha256"),
        ("woocommerce", "X-WC-Webhook-Signature"),
    ):
        proof.append((header, base64_hmac(SECRETS[name], body)))
    return raw_call(source, body, (proof if authentic else []) + headers, query)


STRANGERS = st.builds(
    stranger,
    st.sampled_from(["modulo", "shopify", "woocommerce", "scadenze"]) | st.text(max_size=5),
    st.binary(max_size=100) | JSON.map(lambda data: json.dumps(data).encode()) | NEARLY_RIGHT,
    HEADERS,
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=1), max_size=2),
    authentic=st.booleans(),
)


@settings(
    max_examples=150,
    deadline=2000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STRANGERS)
def test_whatever_a_stranger_sends_gets_an_answer_of_the_contract(service, hostile):
    answer = service.webhook(hostile)
    assert answer.status in ANSWERS
    assert not any("service.unhandled_error" in line for line in service.logged)
