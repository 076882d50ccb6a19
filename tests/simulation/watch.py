"""Those who look after what was sent: the reconciler by its timer, and persons."""

from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import OPEN, Status
from tests.simulation.traffic import ARRIVALS, Clients
from tests.simulation.wired import Wired
from tests.simulation.world import World

RECONCILER_SECONDS = 60.0
RECONCILED_EVERY = 300.0  # seconds
QUIET_AFTER = 3600.0  # seconds in which the last client has given up


class Watch:
    """The reconciler's timer, and persons who look at what is doubtful."""

    def __init__(self, world: World, wired: Wired, clients: Clients) -> None:
        self._world, self._wired, self._clients = world, wired, clients
        self.repairs = 0

    def reconcile_every_few_minutes(self) -> None:
        for _ in range(2 if self._world.faults.happens("reconciler_twice") else 1):
            process = self._world.begin("reconciler", RECONCILER_SECONDS)
            self._world.act(process, self._reconcile, lambda: None)
        now = self._world.stage.now
        waits = self._wired.table.open or self._wired.sqs.messages
        if now < ARRIVALS + QUIET_AFTER or waits:
            self._world.stage.at(now + RECONCILED_EVERY, self.reconcile_every_few_minutes)

    def _reconcile(self) -> None:
        try:
            found = self._wired.reconciler().run(self._world.process().seconds_left)
        except StoreUnavailable:
            return
        self.repairs += found.queued + found.leases_expired

    def let_persons_decide(self, times: int) -> None:
        for _ in range(times):
            self._world.stage.at(self._world.dice.uniform(0.0, 3 * ARRIVALS), self._decide)

    def _decide(self) -> None:
        dice, records = self._world.dice, self._wired.table.records.values()
        doubtful = [r for r in records if r.status not in OPEN or dice.random() < 0.2]
        doubtful = [r for r in doubtful if r.status is Status.UNKNOWN] or doubtful
        if not doubtful:
            return
        record = dice.choice(doubtful)
        for _ in range(dice.choice((1, 2))):  # a double click
            word = dice.choice(("resend", "confirm", "cancel"))
            route = ("POST", f"/messages/{{id}}/{word}")
            if word == "cancel":
                route = ("DELETE", "/messages/{id}")
            self._clients.request(route, "", {}, lambda _status, _body: None, id=record.id)
