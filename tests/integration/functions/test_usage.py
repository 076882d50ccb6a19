"""The day's limit on each way in, and `GET /usage`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.rules.rome import day_of, midnight_after
from openvoip_sms.wiring import core
from tests.integration.functions.messages import MINIMAL

PRICE = 0.09


def today():
    return day_of(core.clock()).isoformat()


def usage(service, **query):
    return service.call("GET", "/usage", **query)


def drain(service):
    while core.queue().waiting():
        service.run_sender()


def test_a_day_without_calls_has_used_up_nothing(service):
    answer = usage(service)
    day = {
        "day": today(),
        "segments": 0,
        "messages": 0,
        "cost_eur": 0.0,
        "uncertain_segments": 0,
        "by_source": {},
    }
    assert (answer.status, answer.body) == (
        200,
        {
            "from": today(),
            "to": today(),
            "segments": 0,
            "cost_eur": 0.0,
            "uncertain_segments": 0,
            "days": [day],
        },
    )


def test_what_was_sent_is_counted_by_its_source(service):
    service.post(MINIMAL)
    service.post(MINIMAL | {"text": "x" * 200})
    service.put(MINIMAL)
    drain(service)
    [day] = usage(service).body["days"]
    assert (day["segments"], day["messages"], day["cost_eur"]) == (4, 3, round(4 * PRICE, 2))
    assert day["by_source"] == {"api": 3, "queue": 1}


def test_what_was_refused_is_given_back_and_what_is_in_doubt_stands_apart(service):
    for fault in ("refuse_020", "http_500"):
        service.gateway.fail_next(1, fault)
        service.post(MINIMAL)
    service.post(MINIMAL)
    body = usage(service).body
    assert (body["segments"], body["uncertain_segments"]) == (1, 1)
    assert body["days"][0]["messages"] == 1


def test_a_person_who_confirms_moves_it_to_what_was_sent(service):
    service.gateway.fail_next(1, "http_500")
    key = service.post(MINIMAL).body["id"]
    service.call("POST", "/messages/{id}/confirm", key)
    body = usage(service).body
    assert (body["segments"], body["uncertain_segments"]) == (1, 0)


def test_a_year_has_its_days_and_their_sum(service):
    service.post(MINIMAL)
    first = day_of(core.clock()) - timedelta(days=365)
    body = usage(service, **{"from": first.isoformat(), "to": today()}).body
    assert len(body["days"]) == 366
    assert (body["segments"], body["days"][-1]["segments"]) == (1, 1)


@pytest.mark.parametrize(
    ("query", "violations"),
    [
        ({"from": "2026-11-01"}, [("to", "missing")]),
        ({"to": "2026-11-01"}, [("from", "missing")]),
        ({"from": "2026-11-31", "to": "2026-12-01"}, [("from", "bad_date")]),
        ({"from": "1/11/2026", "to": "20261130"}, [("from", "bad_date"), ("to", "bad_date")]),
        ({"from": "2026-11-02", "to": "2026-11-01"}, [("to", "bad_period")]),
        ({"from": "2025-11-01", "to": "2026-11-02"}, [("to", "bad_period")]),
        ({"day": "2026-11-01"}, [("day", "unknown_field")]),
    ],
)
def test_what_is_wrong_is_said(service, query, violations):
    answer = usage(service, **query)
    assert (answer.status, answer.violations) == (422, violations)


def test_ten_of_forty_at_once_are_called_and_thirty_wait_for_midnight(deploy):
    service = deploy(DailySegmentLimit="10")
    texts = [MINIMAL | {"text": f"Prova {n}"} for n in range(40)]
    service.put(*texts[:10])
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(service.post, texts[10:30]))
    later = [service.post(text, Prefer="respond-async") for text in texts[30:]]
    drain(service)
    assert {answer.status for answer in answers} <= {201, 202}
    assert {answer.status for answer in later} == {202}
    records = service.records()
    held = [record for record in records if record.reason == "daily_limit"]
    assert len(service.gateway.calls) == 10
    assert (len(records), len(held)) == (40, 30)
    assert {record.held_until for record in held} == {midnight_after(core.clock())}
    assert usage(service).body["segments"] == 10
    assert service.reconcile()["woken"] == 0


def test_a_message_that_was_refused_makes_room_for_the_next(deploy):
    service = deploy(DailySegmentLimit="1")
    assert service.post(MINIMAL | {"text": "Uno"}).status == 201
    waits = service.post(MINIMAL | {"text": "Due"})
    assert (waits.status, waits.reason) == (202, "daily_limit")
    assert waits.body["held_until"] == to_rfc3339(midnight_after(core.clock()))
    service = deploy(DailySegmentLimit="2")
    service.gateway.fail_next(1, "refuse_020")
    assert service.post(MINIMAL | {"text": "Tre"}).status == 422
    assert service.reconcile()["woken"] == 1
    drain(service)
    assert len(service.gateway.accepted) == 2
    assert {record.status for record in service.records()} == {"sent", "rejected"}


def test_a_shorter_message_that_fits_may_go(deploy):
    service = deploy(DailySegmentLimit="2")
    assert service.post(MINIMAL).status == 201
    assert service.post(MINIMAL | {"text": "x" * 200}).reason == "daily_limit"
    assert service.post(MINIMAL | {"text": "Corto"}).status == 201


def test_a_raised_limit_lets_the_others_go(deploy):
    service = deploy(DailySegmentLimit="1")
    for n in range(3):
        service.post(MINIMAL | {"text": f"Prova {n}"})
    service = deploy(DailySegmentLimit="0")
    assert service.reconcile()["woken"] == 2
    drain(service)
    assert len(service.gateway.calls) == 3


def test_a_dry_run_names_the_limit(deploy):
    service = deploy(DailySegmentLimit="1")
    assert "stopped_by" not in service.post(MINIMAL | {"dry_run": True}).body
    service.post(MINIMAL)
    answer = service.post(MINIMAL | {"dry_run": True})
    assert answer.body["stopped_by"]["reason"] == "daily_limit"
