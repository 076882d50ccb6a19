"""One message by each way in, through the functions, until the gateway has it."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest import mock

from openvoip_sms.rules import limits
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.wiring import core
from tests.integration.webhooks.proxy_events import call
from tests.unit.webhooks.webhook_calls import hex_hmac

SOURCE_COUNT = 5  # of each kind
SECRETS = {"firma": "shop-secret", "token": "a-token"}
NETWORKS = (320, 328, 333, 338, 340, 347, 348, 349, 351, 366, 380, 389, 391, 393)
TEXT = "Ciao Anna, il tuo ordine 1042 è in viaggio: arriva domani tra le 9 e le 13."
FOUR_SEGMENTS = "Il tuo ordine è in viaggio. " * 21


def sources() -> str:
    """The sources file: half of them sign their calls, half send a token."""
    both = "secrets: [{}]\n  to: tel\n  message: {{text: '{{testo}}'}}\n"
    signed, unsigned = both.format("firma"), both.format("token")
    return "".join(
        f"negozio-{n}:\n  auth: hmac\n  header: X-Firma\n  encoding: hex\n  {signed}"
        f"modulo-{n}:\n  preset: make\n  {unsigned}"
        for n in range(SOURCE_COUNT)
    )


@dataclass
class Clock:
    """Goes on by a millisecond with each reading, so that what a container knows stays young."""

    now: datetime = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class WaysIn:
    """Each message goes to another number; `sent` is asserted for each of them."""

    service: Any
    clock: Clock
    _numbers: Any = field(default_factory=lambda: count(1))

    def warm_up(self) -> None:
        """Let each function handle a message, and one of each source."""
        self.waiting_api()
        for source in range(SOURCE_COUNT):
            self.webhook(signed=True, source=source)
            self.webhook(signed=False, source=source)

    def queue(self, *, with_id: bool = True, text: str = TEXT) -> None:
        message = self._message(text)
        self.service.put(message if with_id else {k: v for k, v in message.items() if k != "id"})
        self._sender()

    def queue_batch(self) -> None:
        self.service.put(*(self._message() for _ in range(10)))
        self._sender(10)

    def waiting_api(self) -> None:
        assert self.service.post(self._message()).status == 201

    def async_api(self) -> None:
        assert self.service.post(self._message(), Prefer="respond-async").status == 202
        self._sender()

    def retried(self) -> None:
        """The gateway answers 099 to an asynchronous message, and then accepts it."""
        stack = self.service.stack
        self.service.gateway.fail_next(1, "refuse_099")
        assert self.service.post(self._message(), Prefer="respond-async").status == 202
        [received] = stack.received()
        sqs_id = received["MessageId"]
        assert self.service.send_batch(_batch(received, receives=1)) == [sqs_id]
        assert self.service.send_batch(_batch(received, receives=2)) == []
        stack.sqs.delete_message(
            QueueUrl=stack["MessageQueue"], ReceiptHandle=received["ReceiptHandle"]
        )

    def scheduled_api(self) -> None:
        due = self.clock.now + timedelta(hours=2)
        message = self._message() | {"send_at": to_rfc3339(due)}
        assert self.service.post(message).body["status"] == "scheduled"
        self.clock.now = due
        core.queue().put(message["id"])  # as its schedule does
        self._sender()

    def webhook(self, *, signed: bool, sampled: bool | None = False, source: int = 0) -> None:
        """`sampled`: whether it is one of those that count for its source; `None`: by its id."""
        event = self._signed(source) if signed else self._unsigned(source)
        chosen = limits.is_sampled if sampled is None else (lambda *_: sampled)
        with mock.patch.object(limits, "is_sampled", chosen):
            assert self.service.webhook(event).status == 202
        self._sender()

    def held(self) -> None:
        """A message while sending is paused."""
        self.service.put(self._message())
        self._sender(0)

    def wake(self) -> None:
        """Let the reconciler hand over the message that was held, once sending is resumed."""
        assert self.service.reconcile(240.0)["woken"] == 1

    def deliver(self) -> None:
        self._sender()

    def switch(self, *, paused: bool) -> None:
        body = {"paused": paused}
        assert self.service.call("PUT", "/sending", body=body).status == 200

    def _message(self, text: str = TEXT) -> dict[str, str]:
        number = next(self._numbers)
        return {"id": f"ordine-{number}-spedito", "to": _mobile(number), "text": text}

    def _signed(self, source: int) -> Any:
        number = next(self._numbers)
        body = json.dumps({"ordine": number, "tel": _mobile(number), "testo": f"{TEXT} {number}"})
        return call(f"negozio-{source}", body, {"X-Firma": hex_hmac("shop-secret", body)})

    def _unsigned(self, source: int) -> Any:
        number = next(self._numbers)
        body = {"tel": _mobile(number), "testo": f"{TEXT} {number}"}
        return call(f"modulo-{source}", body, {"X-Webhook-Token": "a-token"})

    def _sender(self, messages: int = 1) -> None:
        before = len(self.service.gateway.accepted)
        assert self.service.run_sender() == []
        assert len(self.service.gateway.accepted) == before + messages


def _batch(received: dict[str, Any], *, receives: int) -> dict[str, Any]:
    record = {
        "messageId": received["MessageId"],
        "receiptHandle": received["ReceiptHandle"],
        "body": received["Body"],
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }
    return {"Records": [record]}


def _mobile(number: int) -> str:
    """Numbers as customers have them: of all networks, in no order, the same in each run."""
    chance = random.Random(number)  # noqa: S311 - no secret
    return f"+39{chance.choice(NETWORKS)}{chance.randrange(10**7):07d}"
