"""The SDK's client of the queue and its dead-letter queue, with the faults of the real ones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.simulation.world import World
from tests.template import resource

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE, DEAD_LETTERS = "MessageQueue", "DeadLetterQueue"
MAX_DELAY, MAX_VISIBILITY = 900, 43_200  # seconds
MAX_ENTRIES = 10  # of one batch
PLENTY = 100  # messages that are ready


@dataclass(slots=True, eq=False)
class Queued:
    """A message in the queue; `ready_at` is when it may be received again."""

    sqs_id: str
    body: str
    ready_at: float
    received: int = 0
    gone: bool = False


class SimSqs:
    """At least once, in no order; hides what is received; has a dead-letter queue."""

    def __init__(self, world: World, max_receives: int) -> None:
        self._world, self._max_receives = world, max_receives
        self._visibility = float(resource(QUEUE)["VisibilityTimeout"])
        self.messages: dict[str, Queued] = {}
        self.dead: list[tuple[str, str]] = []  # body, reason
        self.on_ready: Callable[[], None] = lambda: None
        self._ready: list[Queued] = []
        self._sent = 0

    def send_message(self, **request: Any) -> None:
        world, delay = self._world, request.get("DelaySeconds", 0)
        assert type(delay) is int
        assert 0 <= delay <= MAX_DELAY
        world.leave("", world.random.uniform(0.005, 0.03))
        fault = world.faults.happens("queue_refused", "queue_timeout_taken")
        if fault == "queue_refused":
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")
        if request["QueueUrl"] == DEAD_LETTERS:
            reason = request["MessageAttributes"]["reason"]["StringValue"]
            self.dead.append((request["MessageBody"], reason))
        else:
            self.send(request["MessageBody"], delay)
        if fault:
            raise ReadTimeoutError(endpoint_url="https://sqs.example")
        world.come_back()

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Each entry on its own may be refused."""
        world, failed = self._world, list[dict[str, str]]()
        world.leave("", world.random.uniform(0.005, 0.03))
        fault = world.faults.happens("queue_refused", "queue_timeout_taken")
        if fault == "queue_refused":
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch")
        assert 1 <= len(request["Entries"]) <= MAX_ENTRIES
        for entry in request["Entries"]:
            if world.faults.happens("queue_refused"):
                failed.append({"Id": entry["Id"]})
            else:
                self.send(entry["MessageBody"])
        if fault:
            raise ReadTimeoutError(endpoint_url="https://sqs.example")
        world.come_back()
        return {"Failed": failed}

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        assert request["AttributeNames"] == ["ApproximateNumberOfMessages"]
        self._world.leave("", 0.01)
        self._world.come_back()
        return {"Attributes": {"ApproximateNumberOfMessages": str(len(self._ready))}}

    def change_message_visibility(self, **request: Any) -> None:
        world, seconds = self._world, request["VisibilityTimeout"]
        assert type(seconds) is int
        assert 0 <= seconds <= MAX_VISIBILITY
        world.leave("", world.random.uniform(0.005, 0.03))
        message = self.messages.get(request["ReceiptHandle"])
        if message is None or world.faults.happens("visibility_refused"):
            error: Any = {"Error": {"Code": "InvalidParameterValue"}}
            raise ClientError(error, "ChangeMessageVisibility")
        self._ready_in(message, seconds)
        world.come_back()

    def send(self, body: str, delay: float = 0.0) -> None:
        """Take a message in, from anybody."""
        self._sent += 1
        message = Queued(f"sqs-{self._sent:06}", body, 0.0)
        self.messages[message.sqs_id] = message
        self._ready_in(message, delay + self._world.random.uniform(0.0, 0.5))

    def receive(self, at_most: int) -> list[Queued]:
        """Some messages, whichever; one that was received too often goes to the dead letters."""
        random, received = self._world.random, list[Queued]()
        if len(self._ready) < PLENTY:  # of many a poll brings as many as it may
            at_most = random.randint(1, at_most)
        while self._ready and len(received) < at_most:
            place = random.randrange(len(self._ready))
            self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
            message = self._ready.pop()
            if message.gone or message in received:
                continue
            message.received += 1
            if message.received > self._max_receives:
                self.delete(message)
                self.dead.append((message.body, "received_too_often"))
                continue
            self._ready_in(message, self._visibility)
            if self._world.faults.happens("delivered_twice"):
                self._ready_in(message, random.uniform(0.0, 20.0))
            received.append(message)
        return received

    def acknowledge(self, message: Queued) -> None:
        if not self._world.faults.happens("ack_lost"):
            self.delete(message)

    def delete(self, message: Queued) -> None:
        message.gone = True
        self.messages.pop(message.sqs_id, None)

    def _ready_in(self, message: Queued, seconds: float) -> None:
        stage = self._world.stage
        when = message.ready_at = stage.now + seconds

        def ready() -> None:
            if not message.gone and message.ready_at == when:
                self._ready.append(message)
                self.on_ready()

        stage.at(when, ready)
