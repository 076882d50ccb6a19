"""The API's lists and manual actions."""

from datetime import timedelta

import pytest

from local.gateway import Fault
from openvoip_sms.wiring import core
from tests.integration.functions.messages import CANARY, MINIMAL, WITH_ID, texts
from tests.integration.service import clear_caches
from tests.records import waiting


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
