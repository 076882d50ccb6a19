"""The scheduler, as the template defines its group."""

import json
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from openvoip_sms.adapters.schedule import EventBridgeSchedule
from openvoip_sms.delivery.ports import (
    QueueUnavailable,
)

LATER = datetime(2026, 12, 24, 9, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture
def schedule(stack):
    return EventBridgeSchedule(
        stack.scheduler,
        group=stack["ScheduleGroup"],
        role_arn="arn:aws:iam::123456789012:role/schedule",
        queue_arn=stack.arn("MessageQueue"),
    )


def schedules(stack):
    listed = stack.scheduler.list_schedules(GroupName=stack["ScheduleGroup"])["Schedules"]
    return [
        stack.scheduler.get_schedule(GroupName=stack["ScheduleGroup"], Name=one["Name"])
        for one in listed
    ]


def test_a_message_for_later_is_scheduled_once_however_often_it_is_requested(schedule, stack):
    schedule.put("ordine:1042", LATER)
    schedule.put("ordine:1042", LATER)
    [made] = schedules(stack)
    assert made["ScheduleExpression"] == "at(2026-12-24T09:00:00)"
    assert made["ActionAfterCompletion"] == "DELETE"
    assert made["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert made["Target"]["Arn"] == stack.arn("MessageQueue")
    assert json.loads(made["Target"]["Input"]) == {"stored_message": "ordine:1042"}


def test_a_time_is_written_in_utc_whatever_its_offset(schedule, stack):
    schedule.put("m-1", datetime.fromisoformat("2026-12-24T09:00:00+01:00"))
    assert schedules(stack)[0]["ScheduleExpression"] == "at(2026-12-24T08:00:00)"


def test_every_id_a_message_may_have_has_a_name_of_its_own(schedule, stack):
    ids = ["a" * 128, "a" * 127 + "b", "A" * 128, "a:b", "a_b", "."]
    for record_id in ids:
        schedule.put(record_id, LATER)
    assert len(schedules(stack)) == len(ids)


def test_a_schedule_is_removed_and_a_missing_one_is_no_error(schedule, stack):
    schedule.put("m-1", LATER)
    schedule.remove("m-1")
    schedule.remove("m-1")
    assert schedules(stack) == []


def test_a_scheduler_without_the_group_is_unavailable(schedule, stack):
    with Stubber(stack.scheduler) as stub:
        stub.add_client_error("create_schedule", "ResourceNotFoundException")
        with pytest.raises(QueueUnavailable):
            schedule.put("m-1", LATER)
