"""`GET` and `PUT /sending`, and what it holds back on each way in."""

from datetime import timedelta

import pytest

from openvoip_sms.rules.brake import Brake, BrakeState
from openvoip_sms.rules.rfc3339 import from_rfc3339
from openvoip_sms.rules.sending import with_brake
from openvoip_sms.wiring import core
from tests.integration.functions.messages import MINIMAL, WITH_ID

WHO = {"reason": "Prezzo sbagliato nel testo", "by": "Anna Bianchi"}


def switch(service, *, paused, **more):
    return service.call("PUT", "/sending", body={"paused": paused} | more)


def shut(brake_state=BrakeState.HOLDING, **fields):
    now = core.clock()
    brake = Brake(brake_state, now, next_try=now + timedelta(seconds=30), **fields)
    core.control().change(lambda sending: with_brake(sending, brake))


def test_at_first_nothing_is_held_back(service):
    answer = service.call("GET", "/sending")
    assert (answer.status, answer.body) == (200, {"paused": False, "brake": {"state": "open"}})


def test_who_paused_why_and_since_when_is_shown(service):
    answer = switch(service, paused=True, **WHO)
    assert answer.status == 200
    assert answer.body == service.call("GET", "/sending").body
    assert answer.body | WHO == answer.body
    assert from_rfc3339(answer.body["since"]) <= core.clock()


def test_to_pause_again_keeps_since_when(service):
    first, second = switch(service, paused=True), switch(service, paused=True, **WHO)
    assert second.body["since"] == first.body["since"]
    assert second.body["by"] == "Anna Bianchi"


def test_resumed_everything_is_as_before(service):
    switch(service, paused=True, **WHO)
    for _ in range(2):
        assert switch(service, paused=False, by="Anna").body == {
            "paused": False,
            "brake": {"state": "open"},
        }


@pytest.mark.parametrize(
    ("body", "violations"),
    [
        ({}, [("paused", "missing")]),
        ({"paused": None}, [("paused", "missing")]),
        ({"paused": "true"}, [("paused", "wrong_type")]),
        ({"paused": 1}, [("paused", "wrong_type")]),
        ({"paused": True, "by": ""}, [("by", "bad_by")]),
        ({"paused": True, "by": "x" * 65}, [("by", "bad_by")]),
        ({"paused": True, "reason": "x" * 201}, [("reason", "bad_reason")]),
        ({"paused": True, "since": "2026-11-25"}, [("since", "unknown_field")]),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(service, body, violations):
    answer = service.call("PUT", "/sending", body=body)
    assert (answer.status, answer.violations) == (422, violations)
    assert service.call("GET", "/sending").body["paused"] is False


@pytest.mark.parametrize("reason", ["paused", "gateway_down"])
def test_held_back_on_every_way_in_and_sent_once_afterwards(service, reason):
    if reason == "paused":
        switch(service, paused=True)
    else:
        shut()
    waiting = service.post(WITH_ID)
    assert (waiting.status, waiting.body["status"], waiting.reason) == (202, "queued", reason)
    again = service.post(WITH_ID)
    assert (again.status, again.reason) == (202, reason)
    assert again.headers["Idempotent-Replayed"] == "true"
    asynchronous = service.post(MINIMAL | {"text": "Due"}, Prefer="respond-async")
    assert asynchronous.status == 202
    service.put(MINIMAL | {"text": "Tre"}, MINIMAL | {"text": "Quattro", "id": "q-1"})
    while core.queue().waiting():
        assert service.run_sender() == []
    assert [record.reason for record in service.records()] == [reason] * 4
    assert service.gateway.calls == []
    assert service.reconcile()["woken"] == 0
    switch(service, paused=False)
    core.control().change(lambda sending: with_brake(sending, Brake()))
    assert service.reconcile()["woken"] == 4
    assert service.reconcile()["woken"] == 0
    while core.queue().waiting():
        assert service.run_sender() == []
    assert {record.status for record in service.records()} == {"sent"}
    assert len(service.gateway.calls) == 4


def test_the_brake_is_shown_as_holding_until_it_is_open(service):
    shut(pauses=2)
    brake = service.call("GET", "/sending").body["brake"]
    assert brake["state"] == "holding"
    assert from_rfc3339(brake["next_try"]) - from_rfc3339(brake["since"]) == timedelta(seconds=30)
    shut(BrakeState.HALF_OPEN, half_open_since=core.clock(), half_open_size=2)
    assert service.call("GET", "/sending").body["brake"]["state"] == "holding"


@pytest.mark.parametrize("reason", ["paused", "gateway_down"])
def test_a_dry_run_names_what_holds_back_and_stores_nothing(service, reason):
    if reason == "paused":
        switch(service, paused=True)
    else:
        shut()
    answer = service.post(MINIMAL | {"dry_run": True})
    assert (answer.status, answer.body["stopped_by"]["reason"]) == (200, reason)
    assert service.records() == []


def test_what_is_held_back_may_be_cancelled(service):
    switch(service, paused=True)
    service.post(WITH_ID)
    assert (
        service.call("POST", "/messages/{id}/cancel", WITH_ID["id"]).body["status"] == "cancelled"
    )
    switch(service, paused=False)
    assert service.reconcile()["woken"] == 0
    assert service.gateway.calls == []
