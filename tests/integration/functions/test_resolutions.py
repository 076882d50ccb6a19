"""`POST /resolutions`: many messages of unknown outcome, decided at once."""

from datetime import timedelta

import pytest

from local.gateway import Fault
from openvoip_sms.adapters import resolutions
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core
from tests.fakes import START
from tests.integration.functions.messages import MINIMAL
from tests.records import waiting

PERIOD = {"since": "2026-11-24T09:30:00+01:00", "until": "2026-11-24T09:30:00Z"}
DECISION = {"id": "guasto:1", **PERIOD, "decision": "resend", "messages": 3, "by": "Anna Bianchi"}


def resolve(service, body, **more):
    return service.call("POST", "/resolutions", body=body, **more)


@pytest.fixture
def doubts(service):  # noqa: ARG001 - it deploys the table
    """Three within the period, two outside."""
    for minute in (-1, 0, 1, 59, 60):
        created = START + timedelta(minutes=minute)
        key, text = f"m{minute}", f"Prova {minute}"
        record = waiting(id=key, status=Status.UNKNOWN, created_at=created, text=text)
        core.store().create(record)


def statuses(service):
    return {record.id: str(record.status) for record in service.records()}


@pytest.mark.usefixtures("doubts")
def test_all_of_a_period_are_sent_again_once_however_often_it_is_said(service):
    answers = [resolve(service, DECISION) for _ in range(3)]
    about = {"id": "guasto:1", "decision": "resend", "messages": 3}
    for answer in answers:
        assert (answer.status, answer.body) == (
            200,
            about | {"done": 3, "skipped": 0, "remaining": 0},
        )
    service.run_sender()
    assert resolve(service, DECISION).status == 200
    service.run_sender()
    service.reconcile()
    service.run_sender()
    assert sorted(sms.text for sms in service.gateway.accepted) == [
        "Prova 0",
        "Prova 1",
        "Prova 59",
    ]
    shown = service.call("GET", "/messages/{id}", "m1").body
    assert (shown["decided_by"], shown["resolution"]) == ("Anna Bianchi", "guasto:1")
    assert statuses(service)["m60"] == statuses(service)["m-1"] == "unknown"


@pytest.mark.usefixtures("doubts")
def test_all_of_a_period_are_confirmed(service):
    assert resolve(service, DECISION | {"decision": "confirm"}).body["done"] == 3
    assert sorted(statuses(service).values()) == ["sent"] * 3 + ["unknown"] * 2
    assert service.run_sender() == []
    assert service.gateway.calls == []


def test_doubts_of_an_outage_are_found_by_their_source(service):
    service.gateway.fail_next(3, Fault("cut"))
    began = core.clock()
    for n in range(3):
        service.post(MINIMAL | {"id": f"m-{n}", "text": f"Prova {n}"})
    until = core.clock() + timedelta(seconds=1)
    asked = DECISION | {"since": began.isoformat(), "until": until.isoformat()}
    other = resolve(service, asked | {"source": "queue"})
    assert (other.status, other.body["found"]) == (409, 0)
    assert resolve(service, asked | {"source": "api"}).body["done"] == 3
    service.run_sender()
    assert len(service.gateway.accepted) == 3


@pytest.mark.usefixtures("doubts")
def test_another_number_decides_nothing_and_says_which_it_is(service):
    answer = resolve(service, DECISION | {"messages": 4})
    assert (answer.status, answer.reason, answer.body["found"]) == (409, "number_differs", 3)
    assert "are 3, not 4" in answer.body["detail"]
    assert set(statuses(service).values()) == {"unknown"}
    assert resolve(service, DECISION).status == 200


@pytest.mark.usefixtures("doubts")
def test_without_time_it_is_stored_and_continued_without_what_came_later(service):
    first = resolve(service, DECISION, seconds=1.0)
    assert (first.status, first.body["done"], first.body["remaining"]) == (202, 0, 3)
    core.store().create(waiting(id="m-9", status=Status.UNKNOWN, created_at=START))
    assert service.call("POST", "/messages/{id}/confirm", "m1").status == 200
    last = resolve(service, DECISION)
    assert (last.status, last.body["done"], last.body["skipped"]) == (200, 2, 1)
    assert statuses(service)["m-9"] == "unknown"
    assert statuses(service)["m1"] == "sent"


@pytest.mark.usefixtures("doubts")
@pytest.mark.parametrize(
    "other", [{"decision": "confirm"}, {"messages": 4}, {"by": None}, {"source": "api"}]
)
def test_an_id_with_other_content_is_in_use(service, other):
    resolve(service, DECISION)
    before = statuses(service)
    answer = resolve(service, DECISION | other)
    assert (answer.status, answer.reason) == (422, "id_in_use")
    assert statuses(service) == before


@pytest.mark.usefixtures("doubts")
def test_the_same_moment_written_otherwise_is_the_same_content(service):
    resolve(service, DECISION)
    again = DECISION | {"since": "2026-11-24T08:30:00.000z", "source": None}
    assert resolve(service, again).status == 200


@pytest.mark.usefixtures("doubts")
def test_many_are_kept_in_several_items(service, monkeypatch):
    monkeypatch.setattr(resolutions, "PART", 2)
    assert resolve(service, DECISION).body["done"] == 3
    assert resolve(service, DECISION).body["done"] == 3


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"id": None}, ("id", "missing")),
        ({"id": "a#b"}, ("id", "bad_id")),
        ({"id": ""}, ("id", "bad_id")),
        ({"id": 7}, ("id", "wrong_type")),
        ({"since": None}, ("since", "missing")),
        ({"since": "ieri"}, ("since", "bad_time")),
        ({"since": 1764000000}, ("since", "wrong_type")),
        ({"until": "2026-11-24T09:30:00"}, ("until", "bad_time")),
        ({"until": "9999-12-31T23:59:59.9999Z"}, ("until", "bad_time")),
        ({"until": PERIOD["since"]}, ("until", "not_after_since")),
        ({"since": PERIOD["until"], "until": PERIOD["since"]}, ("until", "not_after_since")),
        ({"decision": None}, ("decision", "missing")),
        ({"decision": "cancel"}, ("decision", "bad_decision")),
        ({"decision": ["resend"]}, ("decision", "wrong_type")),
        ({"messages": None}, ("messages", "missing")),
        ({"messages": 0}, ("messages", "out_of_range")),
        ({"messages": -3}, ("messages", "out_of_range")),
        ({"messages": 10_001}, ("messages", "out_of_range")),
        ({"messages": 3.0}, ("messages", "wrong_type")),
        ({"messages": "3"}, ("messages", "wrong_type")),
        ({"messages": True}, ("messages", "wrong_type")),
        ({"source": 7}, ("source", "wrong_type")),
        ({"source": ""}, ("source", "bad_source")),
        ({"by": "x" * 65}, ("by", "bad_by")),
        ({"dry_run": True}, ("dry_run", "unknown_field")),
    ],
)
@pytest.mark.usefixtures("doubts")
def test_a_field_that_is_wrong_is_named_and_nothing_is_decided(service, change, violation):
    answer = resolve(service, DECISION | change)
    assert (answer.status, answer.reason) == (422, "invalid_request")
    assert answer.violations == [violation]
    assert set(statuses(service).values()) == {"unknown"}


def test_every_wrong_field_is_named(service):
    answer = resolve(service, {"decision": "x", "messages": 0, "x": 1})
    assert {field for field, _ in answer.violations} == {
        "id",
        "since",
        "until",
        "decision",
        "messages",
        "x",
    }


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (None, 400, "not_json"),
        ('{"id": "a", "id": "b"}', 400, "not_json"),
        ("[]", 422, "invalid_request"),
        ('{"id": "' + "x" * 70_000, 413, "too_large"),
    ],
)
def test_what_is_no_decision_is_refused(service, body, status, reason):
    answer = resolve(service, body)
    assert (answer.status, answer.reason) == (status, reason)


@pytest.mark.usefixtures("doubts")
def test_a_table_that_does_not_answer_is_said_and_a_repeated_call_continues(service, monkeypatch):
    replace, left = type(core.store()).replace, iter(range(1))

    def down(store, old, new):
        if next(left, None) is None:
            raise StoreUnavailable("ThrottlingException")
        return replace(store, old, new)

    monkeypatch.setattr(type(core.store()), "replace", down)
    answer = resolve(service, DECISION)
    assert (answer.status, answer.reason) == (503, "store_unavailable")
    monkeypatch.setattr(type(core.store()), "replace", replace)
    assert resolve(service, DECISION).body["done"] == 3
    assert sorted(statuses(service).values()) == ["queued"] * 3 + ["unknown"] * 2


@pytest.mark.usefixtures("doubts")
def test_no_message_is_found_under_the_key_of_a_decision(service):
    resolve(service, DECISION)
    for key in ("#resolution#guasto:1", "%23resolution%23guasto%3A1"):
        assert service.call("GET", "/messages/{id}", key).status == 404
