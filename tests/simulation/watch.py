"""Those who look after what was sent: the reconciler by its timer, and persons."""

import json
from datetime import timedelta
from typing import Any

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import OPEN, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.simulation.changes import string
from tests.simulation.secret_store import ADMIN_KEY
from tests.simulation.traffic import ACCEPTED, AGAIN, ARRIVALS, TRIES, Clients
from tests.simulation.wired import Wired
from tests.simulation.world import World

RECONCILED_EVERY = 300.0  # seconds
RECONCILED_WHEN_QUIET = 1800.0  # what waits for midnight would make most of a run's work
SHARE_AT_ONCE = 0.3  # of decisions
OK = 200
ADMIN = {"x-admin-key": ADMIN_KEY}
QUIET_AFTER = 3600.0  # seconds in which the last client has given up


class Watch:
    """The reconciler's timer, and persons who look at what is unknown."""

    def __init__(self, world: World, wired: Wired, clients: Clients) -> None:
        self._world, self._wired, self._clients = world, wired, clients
        self.repairs = 0
        wired.waker.on_answer = self._add
        self._resolutions = 0

    def reconcile_every_few_minutes(self) -> None:
        for _ in range(2 if self._world.faults.happens("reconciler_twice") else 1):
            # A run that meets a table out of reach fails, and calls a person when the next does.
            may_raise = (StoreUnavailable,)
            self._wired.functions.invoke("reconciler", {}, self._add, may_raise=may_raise)
        now = self._world.stage.now
        waits = self._wired.dynamodb.table.by_check or self._wired.sqs.messages
        if now < ARRIVALS + QUIET_AFTER or waits:
            quiet = now >= ARRIVALS + QUIET_AFTER
            every = RECONCILED_WHEN_QUIET if quiet else RECONCILED_EVERY
            self._world.stage.at(now + every, self.reconcile_every_few_minutes)

    def _add(self, found: dict[str, int] | None) -> None:
        if found is not None:
            self.repairs += found["queued"] + found["leases_expired"]

    def switch(self, *, paused: bool) -> None:
        """A person stops all sending, or lets it go on, and repeats it until it is done."""

        def on_answer(status: int, _body: dict[str, Any]) -> None:
            if status != OK:
                self._world.stage.at(
                    self._world.stage.now + 30.0, lambda: self.switch(paused=paused)
                )

        body = json.dumps({"paused": paused, "reason": "prova", "by": "Anna"})
        self._clients.request("api", ("PUT", "/sending"), body, ADMIN, on_answer)

    def let_persons_decide(self, times: int) -> None:
        for _ in range(times):
            self._world.stage.at(self._world.random.uniform(0.0, 3 * ARRIVALS), self._decide)

    def _decide(self) -> None:
        random, items = self._world.random, self._wired.changes.by_text.values()
        if random.random() < SHARE_AT_ONCE:
            self._decide_many()
            return
        looked_at = [
            item for item in items if string(item, "status") not in OPEN or random.random() < 0.2
        ]
        unknown = [item for item in looked_at if string(item, "status") == Status.UNKNOWN]
        if not looked_at:
            return
        item = random.choice(unknown or looked_at)
        for _ in range(random.choice((1, 2))):  # a double click
            action = random.choice(("resend", "confirm", "cancel"))
            route = ("POST", f"/messages/{{id}}/{action}")
            key = string(item, "id")
            self._clients.request("api", route, "", ADMIN, lambda _status, _body: None, id=key)

    def _decide_many(self) -> None:
        """A person counts what is unknown of a period, perhaps wrongly, and decides about all."""
        random, now = self._world.random, self._world.clock()
        since = now - timedelta(seconds=random.uniform(1.0, 3 * ARRIVALS))
        period = {"since": to_rfc3339(since), "until": to_rfc3339(now)}
        counted = self._unknown_of(period)
        if not counted:
            return
        self._resolutions += 1
        asked = period | {
            "id": f"resolution-{self._resolutions}",
            "decision": random.choice(("resend", "confirm")),
            "messages": counted + (random.random() < 0.1),
        }
        for _ in range(random.choice((1, 2))):  # a double click
            self._resolve(json.dumps(asked), TRIES)

    def _unknown_of(self, period: dict[str, str]) -> int:
        items = self._wired.changes.by_text.values()
        unknown = [item for item in items if string(item, "status") == Status.UNKNOWN]
        moments = [string(item, "created_at") for item in unknown]
        return sum(period["since"] <= moment < period["until"] for moment in moments)

    def _resolve(self, asked: str, tries: int) -> None:
        """Repeat the call until it is complete."""

        def on_answer(status: int, body: dict[str, Any]) -> None:
            if status == OK and body["done"] + body["skipped"] != body["messages"]:
                self._world.violation("a resolution has lost a message", asked)
            if (status == ACCEPTED or status in AGAIN) and "found" not in body and tries:
                later = self._world.stage.now + self._world.random.uniform(0.0, 60.0)
                self._world.stage.at(later, lambda: self._resolve(asked, tries - 1))

        self._clients.request("api", ("POST", "/resolutions"), asked, ADMIN, on_answer)
