"""The queue, scheduler and secrets of the simulated world, with the faults of the real."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from openvoip_sms.adapters.message_queue import MAX_DELAY_SECONDS, MAX_VISIBILITY_SECONDS, pointer
from openvoip_sms.delivery.ports import QueueUnavailable, SecretUnavailable
from openvoip_sms.openvoip.account import OpenvoipAccount
from tests.simulation.world import START, World

if TYPE_CHECKING:
    from collections.abc import Callable

VISIBILITY = 360.0  # seconds
SECRET_MAX_AGE = 300.0  # seconds
BATCH = 10


@dataclass(slots=True, eq=False)
class Queued:
    """A message in the queue; `ready_at` is when it may be received again."""

    sqs_id: str
    body: str
    ready_at: float
    received: int = 0
    gone: bool = False


class SimQueue:
    """At least once, in no order; hides what is received; has a dead-letter queue."""

    def __init__(self, world: World, most_receives: int) -> None:
        self._world, self._most_receives = world, most_receives
        self.messages: dict[str, Queued] = {}
        self.dead: list[tuple[str, str]] = []  # body, reason
        self.on_ready: Callable[[], None] = lambda: None
        self._ready: list[Queued] = []
        self._sent = 0

    def put(self, record_id: str, delay: float = 0.0) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.005, 0.03))
        fault = world.faults.happens("queue_refused", "queue_timeout_taken")
        if fault != "queue_refused":
            self.send(pointer(record_id), min(MAX_DELAY_SECONDS, ceil(delay)))
        if fault:
            raise QueueUnavailable(fault)
        world.come_back()

    def delay_redelivery(self, receipt_handle: str, seconds: float) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.005, 0.03))
        message = self.messages.get(receipt_handle)
        if message is None or world.faults.happens("visibility_refused"):
            raise QueueUnavailable("InvalidParameterValue")
        self._ready_in(message, min(MAX_VISIBILITY_SECONDS, ceil(seconds)))
        world.come_back()

    def dead_letter(self, body: str, reason: str) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.005, 0.03))
        if world.faults.happens("queue_refused"):
            raise QueueUnavailable("queue_refused")
        self.dead.append((body, reason))
        world.come_back()

    def send(self, body: str, delay: float = 0.0) -> None:
        """Take a message in, from anybody."""
        self._sent += 1
        message = Queued(f"sqs-{self._sent:06}", body, 0.0)
        self.messages[message.sqs_id] = message
        self._ready_in(message, delay + self._world.dice.uniform(0.0, 0.5))

    def receive(self) -> list[Queued]:
        """Up to a batch of messages, whichever; too often received ones go to the dead letters."""
        dice, taken = self._world.dice, []
        most = dice.randint(1, BATCH)
        while self._ready and len(taken) < most:
            place = dice.randrange(len(self._ready))
            self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
            message = self._ready.pop()
            if message.gone or message in taken:
                continue
            message.received += 1
            if message.received > self._most_receives:
                self.delete(message)
                self.dead.append((message.body, "received_too_often"))
                continue
            self._ready_in(message, VISIBILITY)
            if self._world.faults.happens("delivered_twice"):
                self._ready_in(message, dice.uniform(0.0, 20.0))
            taken.append(message)
        return taken

    def acknowledge(self, message: Queued) -> None:
        if not self._world.faults.happens("ack_lost"):
            self.delete(message)

    def delete(self, message: Queued) -> None:
        message.gone = True
        self.messages.pop(message.sqs_id, None)

    def any_ready(self) -> bool:
        return bool(self._ready)

    def _ready_in(self, message: Queued, seconds: float) -> None:
        stage = self._world.stage
        when = message.ready_at = stage.now + seconds

        def ready() -> None:
            if not message.gone and message.ready_at == when:
                self._ready.append(message)
                self.on_ready()

        stage.at(when, ready)


class SimSchedule:
    """Fires late, or twice; may not take a schedule, or take it and not say so.

    One that has fired may linger for minutes, and then no other is taken under its name.
    """

    def __init__(self, world: World, queue: SimQueue) -> None:
        self._world, self._queue = world, queue
        self._planned: dict[str, object] = {}

    def put(self, record_id: str, at: datetime) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.02, 0.1))
        fault = world.faults.happens("schedule_refused", "schedule_timeout_taken")
        if fault != "schedule_refused" and record_id not in self._planned:
            self._plan(record_id, (at - START).total_seconds())
        if fault:
            raise QueueUnavailable(fault)
        world.come_back()

    def remove(self, record_id: str) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.02, 0.1))
        if world.faults.happens("schedule_refused"):
            raise QueueUnavailable("schedule_refused")
        self._planned.pop(record_id, None)
        world.come_back()

    def _plan(self, record_id: str, at: float) -> None:
        world, this = self._world, object()
        self._planned[record_id] = this
        times = 2 if world.faults.happens("schedule_fired_twice") else 1
        lingers = world.dice.uniform(0.0, 300.0) if world.faults.happens("schedule_lingers") else 0

        def fire() -> None:
            if self._planned.get(record_id) is this:
                for _ in range(times):
                    self._queue.send(pointer(record_id))
                world.stage.at(world.stage.now + lingers, forget)

        def forget() -> None:
            if self._planned.get(record_id) is this:
                del self._planned[record_id]

        world.stage.at(max(world.stage.now, at) + world.dice.uniform(0.0, 60.0), fire)


class SimAccounts:
    """The gateway secret: cached by container, sometimes unreadable, rotated when told."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stored = "first-secret"

    def current(self) -> OpenvoipAccount:
        container, now = self._world.process().container, self._world.stage.now
        if container.secret is None or now - container.secret_read_at > SECRET_MAX_AGE:
            return self.refresh()
        return OpenvoipAccount("9999", container.secret)

    def refresh(self) -> OpenvoipAccount:
        world = self._world
        world.leave("", world.dice.uniform(0.01, 0.1))
        if world.faults.happens("secret_unavailable"):
            raise SecretUnavailable("ServiceUnavailable")
        container = world.process().container
        container.secret, container.secret_read_at = self.stored, world.stage.now
        world.come_back()
        return OpenvoipAccount("9999", self.stored)
