"""The scheduler, which queues messages at a later time."""

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openvoip_sms.adapters.message_queue import pointer, translated

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient


class EventBridgeSchedule:
    """Implements the delivery's `Schedule`: one schedule a message, deleted once it has fired."""

    def __init__(
        self, client: "EventBridgeSchedulerClient", *, group: str, role_arn: str, queue_arn: str
    ) -> None:
        self._client, self._group = client, group
        self._role_arn, self._queue_arn = role_arn, queue_arn

    def put(self, record_id: str, at: datetime) -> None:
        try:
            with translated(except_for="ConflictException"):
                self._client.create_schedule(
                    Name=_name(record_id),
                    GroupName=self._group,
                    ScheduleExpression=f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": self._queue_arn,
                        "RoleArn": self._role_arn,
                        "Input": pointer(record_id),
                    },
                )
        except self._client.exceptions.ConflictException:
            return  # there already

    def remove(self, record_id: str) -> None:
        try:
            with translated(except_for="ResourceNotFoundException"):
                self._client.delete_schedule(Name=_name(record_id), GroupName=self._group)
        except self._client.exceptions.ResourceNotFoundException:
            return  # fired or removed already


def _name(record_id: str) -> str:
    """A hash: EventBridge allows fewer characters, and a shorter name, than a message id has."""
    return hashlib.sha256(record_id.encode()).hexdigest()[:40]
