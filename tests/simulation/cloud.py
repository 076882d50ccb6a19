"""The table, queue, scheduler and secrets of the simulated world, with the faults of the real."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from openvoip_sms.adapters.queue import DELAY_LIMIT, HIDE_LIMIT, pointer
from openvoip_sms.delivery.ports import (
    Account,
    AccountUnavailable,
    QueueUnavailable,
    StoreUnavailable,
)
from openvoip_sms.rules.record import FINAL, OPEN, Reason, Record, Status
from tests.simulation.world import START, Process, World

VISIBILITY = 360.0  # seconds
SECRET_MAX_AGE = 300.0  # seconds
BATCH = 10
RESENT_FROM = {Status.UNKNOWN, Status.FAILED, Status.EXPIRED}


def text_of(record: Record) -> str:
    """Each message of a run has its own text: it identifies the message at the gateway."""
    return record.text or ""


class SimTable:
    """A table that throttles, and times out with or without having written."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.records: dict[str, Record] = {}
        self.by_text: dict[str, Record] = {}
        self.open: dict[str, Record] = {}
        self.resends_of_unknown: Counter[str] = Counter()  # by text
        world.on_death = self._doubt_a_dead_claim

    def create(self, record: Record) -> Record:
        return self._write(None, record)

    def replace(self, old: Record, new: Record) -> Record | None:
        return self._write(old, new)

    def get(self, record_id: str) -> Record | None:
        record = self.records.get(record_id)
        self._world.leave(text_of(record) if record else "", self._world.dice.uniform(0.002, 0.02))
        if self._world.faults.happens("table_throttled", "table_timeout_not_written"):
            raise StoreUnavailable("throttled")
        self._world.come_back()
        return self.records.get(record_id)

    def due(self, now: datetime) -> Iterable[Record]:
        self._world.leave("", 0.01)
        if self._world.faults.happens("table_throttled"):
            raise StoreUnavailable("throttled")
        self._world.come_back()
        stale = self._world.faults.happens("index_stale")
        keys = [r.id for r in self.open.values() if r.check_at is not None and r.check_at <= now]
        for key in keys[1:] if stale else keys:
            record = self.get(key)
            if record is not None and record.check_at is not None and record.check_at <= now:
                yield record

    def refuses(self, old: Record | None, stands: Record | None, _new: Record) -> bool:
        """The condition on a write."""
        if old is None:
            return stands is not None
        return stands is None or stands.version != old.version

    def _write(self, old: Record | None, new: Record) -> Any:
        world, text = self._world, text_of(new)
        world.leave(text, world.dice.uniform(0.003, 0.03))
        fault = world.faults.happens(
            "table_throttled", "table_timeout_not_written", "table_timeout_written"
        )
        stands = self.records.get(new.id)
        written = fault in (None, "table_timeout_written") and not self.refuses(old, stands, new)
        if written:
            self._keep(stands, new)
        else:
            world.note(f"not written {new.status} v{new.version} {fault or 'refused'}", text)
        if fault:
            world.note(f"its answer lost: {fault}", text)
            self._doubt_a_lost_write(old, new, written=written)
            raise StoreUnavailable(fault)
        world.come_back()
        return new if written else stands

    def _keep(self, stands: Record | None, new: Record) -> None:
        text = text_of(new)
        self._world.note(f"written {new.status} v{new.version} {new.reason or ''}", text)
        if stands is not None:
            self._judge(stands, new)
        if new.doubted and new.reason == Reason.DIED_WHILE_SENDING:
            # Under `resend` the doubt stays for good, even if the owner had only been slow.
            self._world.doubt(text)
        self.records[new.id] = self.by_text[text] = new
        if new.status in OPEN:
            self.open[new.id] = new
        else:
            self.open.pop(new.id, None)

    def _doubt_a_lost_write(self, old: Record | None, new: Record, *, written: bool) -> None:
        """A claim that its owner knows nothing of, or an outcome that its claim's owner lost."""
        own = self._world.process().claims
        knew = old is not None and old.claim in own
        if (new.status is Status.SENDING and written) or (knew and not written):
            self._world.doubt(text_of(new))

    def _doubt_a_dead_claim(self, process: Process, text: str) -> None:
        record = self.by_text.get(text)
        if record is not None and record.claim in process.claims:
            self._world.doubt(text)

    def _judge(self, stands: Record, new: Record) -> None:
        """What must never be written over what stands."""
        text, by_person = text_of(new), new.reason == Reason.RESENT_BY_PERSON
        if by_person and stands.status is Status.UNKNOWN:
            self.resends_of_unknown[text] += 1
        if text != text_of(stands):
            self._world.violation(f"{new.id} became another message", text)
        if stands.status in FINAL and not (by_person and stands.status in RESENT_FROM):
            self._world.violation(f"{stands.status} was final and became {new.status}", text)
        if new.version != stands.version + 1:
            self._world.violation(f"version {stands.version} became {new.version}", text)


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
            self.send(pointer(record_id), min(DELAY_LIMIT, ceil(delay)))
        if fault:
            raise QueueUnavailable(fault)
        world.come_back()

    def hide(self, receipt_handle: str, seconds: float) -> None:
        world = self._world
        world.leave("", world.dice.uniform(0.005, 0.03))
        message = self.messages.get(receipt_handle)
        if message is None or world.faults.happens("hide_refused"):
            raise QueueUnavailable("InvalidParameterValue")
        self._ready_in(message, min(HIDE_LIMIT, ceil(seconds)))
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

    def current(self) -> Account:
        container, now = self._world.process().container, self._world.stage.now
        if container.secret is None or now - container.secret_read_at > SECRET_MAX_AGE:
            return self.afresh()
        return Account("9999", container.secret)

    def afresh(self) -> Account:
        world = self._world
        world.leave("", world.dice.uniform(0.01, 0.1))
        if world.faults.happens("secret_unavailable"):
            raise AccountUnavailable("ServiceUnavailable")
        container = world.process().container
        container.secret, container.secret_read_at = self.stored, world.stage.now
        world.come_back()
        return Account("9999", self.stored)
