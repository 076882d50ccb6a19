"""Those who send: programs, queues and shops; and the sender that takes from the queue."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.message import parse_message
from openvoip_sms.rules.new_record import record_of
from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.simulation.cloud import Queued
from tests.simulation.wired import HELD_BACK, RECIPIENTS, Wired
from tests.simulation.world import World

WAYS = "api api_async scheduled queue queue_without_id queue_in_envelope webhook".split()
ARRIVALS = 600.0  # seconds in which all messages come
SENDER_SECONDS, API_SECONDS, WEBHOOK_SECONDS = 60.0, 29.0, 10.0
TRIES = 6
AGAIN = (409, 500, 502, 503)

type Given = dict[str, Any]


class Sender:
    """The event source: up to `concurrency` batches at once, acknowledged when they end well."""

    def __init__(
        self, world: World, wired: Wired, concurrency: int, *, acknowledges_first: bool = False
    ) -> None:
        self._world, self._wired = world, wired
        self._free, self._acknowledges_first = concurrency, acknowledges_first
        wired.sqs.on_ready = self.poll

    def poll(self) -> None:
        while self._free and (batch := self._wired.sqs.receive()):
            self._free -= 1
            self._take(batch)

    def _take(self, batch: list[Queued]) -> None:
        world, sqs = self._world, self._wired.sqs
        process = world.begin("sender", SENDER_SECONDS)
        should_retry: dict[Queued, bool] = {}
        working = len(batch)

        def done() -> None:
            nonlocal working
            working -= 1
            if working:
                return
            for message, again in should_retry.items():
                if process.alive and not again:
                    sqs.acknowledge(message)
            self._free += 1
            self.poll()

        def work(message: Queued) -> None:
            if self._acknowledges_first:
                sqs.delete(message)
            event = {
                "messageId": message.sqs_id,
                "receiptHandle": message.sqs_id,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.received)},
            }
            should_retry[message] = self._wired.queue_records.should_retry(
                event, process.seconds_left
            )

        for message in batch:
            world.act(process, lambda message=message: work(message), done)


class Clients:
    """Send each message by one of the ways, repeat themselves, and remember what they were told."""

    def __init__(self, world: World, wired: Wired) -> None:
        self._world, self._wired = world, wired
        self.promised: set[str] = set()  # texts that were accepted, as far as their client knows
        self.conflicting: set[str] = set()  # texts under an id that another text may have taken
        self.sent: set[str] = set()  # every text, accepted or not
        self.rubbish = 0

    def plan(self, messages: int) -> None:
        dice, stage = self._world.dice, self._world.stage
        for n in range(messages):
            way = dice.choice(WAYS)
            stage.at(dice.uniform(0.0, ARRIVALS), lambda n=n, way=way: self.send(f"Prova {n}", way))

    def send(self, text: str, way: str, **more: object) -> None:
        faults, dice = self._world.faults, self._world.dice
        given = self._message(text, way) | more
        self.sent.add(text)
        self._bring(given, way)
        if "id" not in given:
            return
        later = self._world.stage.now + dice.choice(
            (0.0, dice.uniform(0.0, 3.0), dice.uniform(0.0, 200.0))
        )
        if faults.happens("sent_again_by_client"):
            self._world.stage.at(later, lambda: self._bring(given, way))
        if faults.happens("same_id_other_text"):
            other = given | {"text": f"{text} bis"}
            self.conflicting |= {text, other["text"]}
            self._world.stage.at(later, lambda: self._bring(other, way))
        if faults.happens("not_a_message"):
            self.rubbish += 1
            self._wired.sqs.send(f'{{"to": "nobody", "rubbish": {self.rubbish}')

    def _message(self, text: str, way: str) -> Given:
        dice = self._world.dice
        to = dice.choices((dice.choice(RECIPIENTS), HELD_BACK, "0611223344"), (96, 2, 2))[0]
        given: Given = {"to": to, "text": text}
        if way != "queue_without_id" and dice.random() < 0.9:
            given["id"] = "id-" + text.replace(" ", "-")
        if dice.random() < 0.2:
            given["valid_for"] = dice.choice((10, 60, 600))
        if way == "scheduled":
            ahead = dice.choice((5.0, 600.0, 5000.0, 20000.0)) * dice.uniform(0.5, 1.0)
            given["send_at"] = to_rfc3339(self._world.clock() + timedelta(seconds=ahead))
        return given

    def _bring(self, given: Given, way: str) -> None:
        if way.startswith("queue"):
            self.promised.add(given["text"])
            body = json.dumps(given)
            if way == "queue_in_envelope":
                body = json.dumps({"Type": "Notification", "Message": body})
            self._wired.sqs.send(body)
        elif way == "webhook":
            self._call_webhook(given, TRIES)
        else:
            self._post(given, {"Prefer": "respond-async"} if way == "api_async" else {}, TRIES)

    def _post(self, given: Given, headers: dict[str, str], tries: int) -> None:
        def hear(status: int, body: Given) -> None:
            self._hear(given["text"], status, body)
            if status in AGAIN and tries and "id" in given:
                later = self._world.stage.now + self._world.dice.uniform(1.0, 60.0)
                self._world.stage.at(later, lambda: self._post(given, headers, tries - 1))

        self.request(("POST", "/messages"), json.dumps(given), headers, hear)

    def request(
        self,
        route: tuple[str, str],
        body: str,
        headers: dict[str, str],
        hear: Callable[[int, Given], None],
        **path: str,
    ) -> None:
        """One HTTP call to the real function; `hear` gets 502 when the function dies."""
        process = self._world.begin("api", API_SECONDS)
        event = {"body": body, "headers": headers, "pathParameters": path}
        event |= {"httpMethod": route[0], "resource": route[1]}
        heard: tuple[int, Given] = (502, {})

        def work() -> None:
            nonlocal heard
            answer = self._wired.api.respond(event, process)
            heard = (int(answer.status), dict(answer.body))

        self._world.act(process, work, lambda: hear(*heard))

    def _call_webhook(self, given: Given, tries: int) -> None:
        process = self._world.begin("webhooks", WEBHOOK_SECONDS)
        stage, dice = self._world.stage, self._world.dice
        status = 502

        def work() -> None:
            nonlocal status
            status = self._accept(given)

        def done() -> None:
            if status == 202:
                self.promised.add(given["text"])
            elif status in AGAIN and tries and "id" in given:
                again = stage.now + dice.uniform(5.0, 60.0)
                stage.at(again, lambda: self._call_webhook(given, tries - 1))

        self._world.act(process, work, done)

    def _accept(self, given: Given) -> int:
        policy, now = self._wired.policy(), self._world.clock()
        given = given | {"to": RECIPIENTS[0] if given["to"].startswith("0") else given["to"]}
        message = parse_message(given, policy, now)
        record_id = message.id or self._wired.new_id()
        record = record_of(message, id=record_id, source="webhook:shop", policy=policy, now=now)
        try:
            accepted = self._wired.enqueuer().enqueue(record)
        except StoreUnavailable:
            return 503
        return 422 if accepted.conflict else 202

    def _hear(self, text: str, status: int, body: Given) -> None:
        record = body.get("message", body)
        if "status" not in record or "to" not in record:
            return
        accepted = self._wired.gateway.accepted[text]
        if record["text"] != text:
            self._world.violation("its client was shown another message", text)
        confirmed = record.get("reason") == Reason.CONFIRMED_BY_PERSON
        if record["status"] == Status.SENT and not accepted and not confirmed:
            self._world.violation("its client was told it was sent, and it was not", text)
        if status in (200, 410, 422, 502) and accepted:
            self._world.violation(f"its client was told {record['status']}, but it was sent", text)
        self.promised.add(text)
