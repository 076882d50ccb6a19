"""The SDK's client of the scheduler.

It fires late, or twice; may not take a schedule, or take it and not say so. One that has fired may
linger for minutes, and then no other is taken under its name.
"""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.simulation.sqs import SimSqs
from tests.simulation.world import START, World

FINEST = 60.0  # seconds; the scheduler is no more precise


class Conflict(ClientError):
    """There is a schedule of this name."""


class NotFound(ClientError):
    """There is none of this name."""


class SimScheduler:
    exceptions = SimpleNamespace(ConflictException=Conflict, ResourceNotFoundException=NotFound)

    def __init__(self, world: World, queue: SimSqs) -> None:
        self._world, self._queue = world, queue
        self._planned: dict[str, object] = {}

    def create_schedule(self, **request: Any) -> None:
        world, name = self._world, request["Name"]
        world.leave("", world.random.uniform(0.02, 0.1))
        fault = world.faults.happens(
            "schedule_refused", "schedule_timeout_taken", "schedule_retried"
        )
        if fault == "schedule_refused":
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "CreateSchedule")
        there_already = name in self._planned
        if not there_already:
            self._plan(name, _moment(request["ScheduleExpression"]), request["Target"]["Input"])
        if fault == "schedule_timeout_taken":
            raise ReadTimeoutError(endpoint_url="https://scheduler.example")
        world.come_back()
        if there_already or fault:
            raise Conflict({"Error": {"Code": "ConflictException"}}, "CreateSchedule")

    def delete_schedule(self, **request: Any) -> None:
        world = self._world
        world.leave("", world.random.uniform(0.02, 0.1))
        if world.faults.happens("schedule_refused"):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DeleteSchedule")
        there = self._planned.pop(request["Name"], None)
        world.come_back()
        if there is None:
            raise NotFound({"Error": {"Code": "ResourceNotFoundException"}}, "DeleteSchedule")

    def _plan(self, name: str, at: float, body: str) -> None:
        world, this = self._world, object()
        self._planned[name] = this
        times = 2 if world.faults.happens("schedule_fired_twice") else 1
        stays = world.faults.happens("schedule_lingers")
        lingers = world.random.uniform(0.0, 300.0) if stays else 0.0

        def fire() -> None:
            if self._planned.get(name) is this:
                for _ in range(times):
                    self._queue.send(body)
                world.stage.at(world.stage.now + lingers, forget)

        def forget() -> None:
            if self._planned.get(name) is this:
                del self._planned[name]

        world.stage.at(max(world.stage.now, at) + world.random.uniform(0.0, FINEST), fire)


def _moment(expression: str) -> float:
    """Seconds from the start of `at(2026-11-24T08:30:00)`."""
    at = datetime.strptime(expression, "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
    return (at - START).total_seconds()
