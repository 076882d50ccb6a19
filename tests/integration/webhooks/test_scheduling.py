"""When a webhook's message is sent."""

from datetime import UTC, datetime, timedelta

import pytest

from openvoip_sms.wiring import core
from tests.integration.webhooks.proxy_events import form, sent

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
        ("scadenze", "2026-10-25T02:30", "2026-10-25T00:30:00"),  # exists twice: the first
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
    [message] = answer.body["messages"]
    assert (answer.status, message["status"]) == (202, "scheduled")
    record = service.call("GET", "/messages/{id}", message["id"]).body
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


def test_a_cancelled_reminder_stays_cancelled_whatever_arrives_later(service):
    """Neither a schedule that still fires nor a repeated webhook sends it."""
    tomorrow = (core.clock() + timedelta(days=1)).isoformat()
    [message] = service.webhook(form("scadenze", quando=tomorrow, numero="1")).body["messages"]
    assert len(schedules(service)) == 1
    cancelled = service.call("POST", "/messages/{id}/cancel", message["id"])
    assert (cancelled.status, cancelled.body["status"]) == (200, "cancelled")
    assert schedules(service) == []
    again = service.webhook(form("scadenze", quando=tomorrow, numero="1"))
    assert (again.status, again.reason) == (200, "duplicate")
    core.queue().put(message["id"])
    assert sent(service) == []
    assert [record.status for record in service.records()] == ["cancelled"]
