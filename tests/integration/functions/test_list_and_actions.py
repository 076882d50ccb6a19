"""The API's lists and manual actions."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.gateway import Fault
from openvoip_sms.rules.record import Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.wiring import core
from tests.fakes import START
from tests.integration.functions.messages import CANARY, MINIMAL, WITH_ID, texts
from tests.integration.service import clear_caches
from tests.records import waiting

EARLIER, LATER = "2026-11-24T08:30:00Z", "2026-11-24T10:30:00+01:00"


def test_an_unknown_message_is_found_and_sent_again_once(service):
    service.gateway.fail_next(1, Fault("cut"))
    service.post(WITH_ID)
    [found] = service.call("GET", "/messages", status="unknown").body["messages"]
    assert found["id"] == "m-1"
    clicks = [service.call("POST", "/messages/{id}/resend", "m-1") for _ in range(2)]
    assert [click.status for click in clicks] == [202, 409]
    assert clicks[1].body["message"]["status"] == "queued"
    service.run_sender()
    assert texts(service.gateway) == [("+393331234567", CANARY)]
    assert service.call("GET", "/messages", status="unknown").body == {"messages": []}


def test_an_unknown_message_that_arrived_is_confirmed(service):
    service.gateway.fail_next(1, Fault("cut_after"))
    service.post(WITH_ID)
    clicks = [service.call("POST", "/messages/{id}/confirm", "m-1") for _ in range(2)]
    assert [click.status for click in clicks] == [200, 409]
    assert clicks[0].body["status"] == "sent"
    assert service.call("POST", "/messages/{id}/resend", "m-1").status == 409
    assert len(service.gateway.calls) == 1


def test_what_was_sent_cannot_be_cancelled(service):
    service.post(WITH_ID)
    answer = service.call("POST", "/messages/{id}/cancel", "m-1")
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


def test_a_list_is_limited_to_the_time_at_which_messages_were_accepted(service):
    for n in range(5):
        core.store().create(waiting(id=f"m-{n}", created_at=START + timedelta(seconds=n)))
    period = {"since": "2026-11-24T09:30:01+01:00", "until": "2026-11-24T08:30:04z"}
    for search in ({"to": "3331234567"}, {"status": "queued"}):
        first = service.call("GET", "/messages", limit="2", **search, **period).body
        rest = service.call("GET", "/messages", cursor=first["cursor"], **search, **period).body
        assert [one["id"] for one in first["messages"]] == ["m-3", "m-2"]
        assert [one["id"] for one in rest["messages"]] == ["m-1"]
        assert "cursor" not in rest
    just_after = service.call(
        "GET", "/messages", status="queued", since="2026-11-24T08:30:03.0001Z"
    )
    assert [one["id"] for one in just_after.body["messages"]] == ["m-4"]


def test_a_list_is_csv_for_who_asks_for_it_page_by_page(service):
    for n in range(3):
        created = START + timedelta(seconds=n)
        core.store().create(
            waiting(id=f"m-{n}", created_at=created, reference="=1+1", cost_eur=Decimal("0.09"))
        )
    query = {"to": "+393331234567", "limit": "2", "since": to_rfc3339(START)}
    first = service.call("GET", "/messages", accept="text/html, TEXT/CSV;q=0.5", **query)
    assert first.body.startswith("\ufeffid;status;reason;detail;to;")
    assert first.headers["Link"].startswith("</v1/messages?to=%2B393331234567&")
    rest = service.call("GET", "/messages", accept="text/csv", **next_page(first))
    assert "Link" not in rest.headers
    rows = [row for page in (first, rest) for row in rows_of(page)]
    assert [row["id"] for row in rows] == ["m-2", "m-1", "m-0"]
    assert rows[0]["to"] == "'+393331234567"
    assert rows[0]["reference"] == "'=1+1"
    assert rows[0]["cost_eur"] == "0,09"
    assert rows[0]["created_at"] == "2026-11-24T08:30:02.000Z"


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.body[1:], newline=""), delimiter=";"))


def next_page(answer):
    [link] = re.findall(r'<(\S+)>; rel="next"', answer.headers["Link"])
    return dict(parse_qsl(urlsplit(link).query))


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain", "text/csvs"])
def test_a_list_is_json_for_everybody_else(service, accept):
    assert service.call("GET", "/messages", accept=accept, status="sent").body == {"messages": []}


def test_a_list_of_nothing_is_a_header_alone_and_an_error_is_no_csv(service):
    empty = service.call("GET", "/messages", accept="text/csv", status="sent")
    assert (empty.status, rows_of(empty)) == (200, [])
    assert service.call("GET", "/messages", accept="text/csv", status="x").reason == "bad_query"


def test_what_cannot_be_read_is_a_row_too(service):
    core.store().create(waiting(id="m-9"))
    service.stack.dynamodb.update_item(
        TableName=service.stack["MessageTable"],
        Key={"id": {"S": "m-9"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "held"}},
    )
    [row] = rows_of(service.call("GET", "/messages", accept="text/csv", to="3331234567"))
    assert (row["id"], row["status"], row["to"]) == ("m-9", "unreadable", "")


# Who decides


@pytest.mark.parametrize(
    ("action", "status"), [("cancel", "queued"), ("resend", "failed"), ("confirm", "unknown")]
)
def test_who_decides_is_kept_on_the_record(service, action, status):
    core.store().create(waiting(status=Status(status)))
    answer = service.call("POST", f"/messages/{{id}}/{action}", "m-1", body={"by": "Anna Bianchi"})
    assert answer.body["decided_by"] == "Anna Bianchi"
    assert service.call("GET", "/messages/{id}", "m-1").body["decided_by"] == "Anna Bianchi"


def test_an_earlier_name_does_not_stand_for_a_later_decision(service):
    core.store().create(waiting(status=Status.FAILED, decided_by="Anna", resolution="r-1"))
    answer = service.call("POST", "/messages/{id}/resend", "m-1")
    assert answer.body.keys().isdisjoint({"decided_by", "resolution"})


@pytest.mark.parametrize("body", [None, "", " \n", "{}", '{"by": null}'])
def test_nobody_has_to_be_named(service, body):
    core.store().create(waiting())
    assert service.call("POST", "/messages/{id}/cancel", "m-1", body=body).status == 200


@pytest.mark.parametrize(
    ("body", "status", "violations"),
    [
        ('{"by": "Anna"', 400, None),
        ("null", 422, [("", "not_an_object")]),
        ("[]", 422, [("", "not_an_object")]),
        ({"By": "Anna"}, 422, [("By", "unknown_field")]),
        ({"3331234567": 1}, 422, [("(unprintable)", "unknown_field")]),
        ({"by": 7}, 422, [("by", "wrong_type")]),
        ({"by": ""}, 422, [("by", "bad_by")]),
        ({"by": "x" * 65}, 422, [("by", "bad_by")]),
        ({"by": "a\nb"}, 422, [("by", "bad_by")]),
        ('{"by": "\\ud800"}', 422, [("by", "bad_by")]),
        ('{"by": "' + "x" * 70_000 + '"}', 413, None),
    ],
)
@pytest.mark.parametrize("action", ["cancel", "resend", "confirm"])
def test_a_decision_that_cannot_be_read_decides_nothing(service, action, body, status, violations):
    record = waiting(status=Status.QUEUED if action == "cancel" else Status.UNKNOWN)
    core.store().create(record)
    answer = service.call("POST", f"/messages/{{id}}/{action}", "m-1", body=body)
    assert answer.status == status
    assert violations is None or answer.violations == violations
    assert core.store().get("m-1") == record


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
        ({"status": "sent", "since": "ieri"}, "bad_query"),
        ({"status": "sent", "since": ""}, "bad_query"),
        ({"status": "sent", "since": "2026-11-24T08:30:00"}, "bad_query"),
        ({"status": "sent", "since": "2026-11-24T08:30:00 01:00"}, "bad_query"),
        ({"status": "sent", "since": "0001-01-01T00:00:00+01:00"}, "bad_query"),
        ({"status": "sent", "until": "9999-12-31T23:59:59.9999Z"}, "bad_query"),
        ({"status": "sent", "until": "2026-11-24"}, "bad_query"),
        ({"status": "sent", "since": LATER, "until": LATER}, "bad_query"),
        ({"to": "3331234567", "since": LATER, "until": EARLIER}, "bad_query"),
        ({"since": EARLIER, "until": LATER}, "bad_query"),
    ],
)
def test_a_list_that_cannot_be_returned_says_why(service, query, reason):
    answer = service.call("GET", "/messages", **query)
    assert (answer.status, answer.reason) == (400, reason)


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("GET", "/messages/{id}"),
        ("POST", "/messages/{id}/cancel"),
        ("POST", "/messages/{id}/resend"),
        ("POST", "/messages/{id}/confirm"),
    ],
)
@pytest.mark.parametrize("key", ["m-9", "è", "a b", "x" * 3000, "-"])
def test_what_does_not_exist_is_not_found(service, method, resource, key):
    answer = service.call(method, resource, key)
    assert (answer.status, answer.reason) == (404, "not_found")


def test_an_id_that_no_message_can_have_does_not_find_another(service):
    service.post(MINIMAL | {"id": "-"})
    assert service.call("GET", "/messages/{id}", "è").status == 404
    assert service.call("GET", "/messages/{id}", "-").status == 200


def test_health_needs_no_dependency(service, monkeypatch):
    monkeypatch.delenv("TABLE_NAME")
    clear_caches()
    answer = service.call("GET", "/health")
    assert (answer.status, answer.body["status"]) == (200, "ok")
    assert answer.body["version"]
