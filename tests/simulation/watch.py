"""Those who look after what was sent: the reconciler by its timer, and persons."""

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import OPEN, Status
from tests.simulation.changes import string
from tests.simulation.traffic import ARRIVALS, Clients
from tests.simulation.wired import Wired
from tests.simulation.world import World

RECONCILED_EVERY = 300.0  # seconds
QUIET_AFTER = 3600.0  # seconds in which the last client has given up


class Watch:
    """The reconciler's timer, and persons who look at what is unknown."""

    def __init__(self, world: World, wired: Wired, clients: Clients) -> None:
        self._world, self._wired, self._clients = world, wired, clients
        self.repairs = 0
        wired.waker.on_answer = self._add

    def reconcile_every_few_minutes(self) -> None:
        for _ in range(2 if self._world.faults.happens("reconciler_twice") else 1):
            # A run that meets a table out of reach fails, and calls a person when the next does.
            may_raise = (StoreUnavailable,)
            self._wired.functions.invoke("reconciler", {}, self._add, may_raise=may_raise)
        now = self._world.stage.now
        waits = self._wired.dynamodb.table.by_check or self._wired.sqs.messages
        if now < ARRIVALS + QUIET_AFTER or waits:
            self._world.stage.at(now + RECONCILED_EVERY, self.reconcile_every_few_minutes)

    def _add(self, found: dict[str, int] | None) -> None:
        if found is not None:
            self.repairs += found["queued"] + found["leases_expired"]

    def let_persons_decide(self, times: int) -> None:
        for _ in range(times):
            self._world.stage.at(self._world.random.uniform(0.0, 3 * ARRIVALS), self._decide)

    def _decide(self) -> None:
        random, items = self._world.random, self._wired.changes.by_text.values()
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
            self._clients.request("api", route, "", {}, lambda _status, _body: None, id=key)
