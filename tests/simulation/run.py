"""One run: everything that a seed decides, from the first message to the last check."""

from collections import Counter
from dataclasses import dataclass

from tests.simulation import faults
from tests.simulation.event_source import EventSource
from tests.simulation.gateway import UNCLEAR, Unwell
from tests.simulation.invariants import Check
from tests.simulation.traffic import ARRIVALS, Clients
from tests.simulation.watch import Watch
from tests.simulation.wired import Wired
from tests.simulation.world import World

DAILY_LIMITS = (5, 15, 30)  # segments; a run has fifty messages of one


@dataclass(frozen=True)
class Setup:
    """The seed decides all that is not said here."""

    seed: int
    messages: int = 50
    rates: dict[str, float] | None = None  # of faults; `None`: every one
    resend: bool = False
    persons: bool = False
    max_receives: int = 1000
    dies_at: int | None = None  # at this point, before or after a call, and at no other
    traced: bool = False
    # What AWS does for the service, and a test may leave out.
    acknowledges_first: bool = False
    reconciles: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a run. `points`: where a process could have died."""

    ends: Counter[str]
    faults: Counter[str]
    violations: list[str]
    history: list[tuple[float, str, str, str]]
    repairs: int
    points: int

    def trace(self, text: str) -> str:
        """All that happened to one message."""
        return "\n".join(
            f"{when:12.3f} {who:14} {what}"
            for when, who, about, what in self.history
            if about == text
        )


class Run:
    """A run that a test may steer before it plays it."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        rates = faults.all_at_once(setup.seed) if setup.rates is None else setup.rates
        self.world = World(setup.seed, rates, dies_at=setup.dies_at, traced=setup.traced)
        low_limits = bool(self.world.faults.happens("low_limits"))
        low_daily_limit = bool(self.world.faults.happens("low_daily_limit"))
        self.wired = Wired(
            self.world,
            resend=setup.resend,
            max_receives=setup.max_receives,
            low_limits=low_limits,
            daily_limit=self.world.random.choice(DAILY_LIMITS) if low_daily_limit else 0,
        )
        self.clients = Clients(self.world, self.wired, low_limits=low_limits)
        self.source = EventSource(
            self.wired.sqs, self.wired.functions, acknowledges_first=setup.acknowledges_first
        )
        self.watch = Watch(self.world, self.wired, self.clients)

    def play(self) -> Outcome:
        self.clients.plan(self.setup.messages)
        self._plan_faults_of_the_run()
        if self.setup.reconciles:
            at = self.world.random.uniform(0.0, 300.0)
            self.world.stage.at(at, self.watch.reconcile_every_few_minutes)
        if self.setup.persons:
            self.watch.let_persons_decide(self.setup.messages)
        with self.wired.installed():
            self.world.stage.play()
        check = Check(
            self.world,
            self.wired,
            self.clients,
            repairs=self.watch.repairs,
            resend=self.setup.resend,
        )
        check.all()
        return Outcome(
            check.ends,
            self.world.faults.happened,
            self.world.violations,
            self.world.history,
            self.watch.repairs,
            self.world.points,
        )

    def _plan_faults_of_the_run(self) -> None:
        random, gateway = self.world.random, self.wired.gateway
        if self.world.faults.happens("gateway_down"):
            begin = random.uniform(0.0, ARRIVALS)
            gateway.down = (begin, begin + random.choice((60.0, 600.0, 3600.0)))
        if self.world.faults.happens("gateway_unwell"):
            begin = random.uniform(0.0, ARRIVALS)
            end = begin + random.choice((60.0, 600.0, 3600.0))
            answers = random.choice([*([answer] for answer in UNCLEAR), UNCLEAR])
            gateway.unwell = Unwell(begin, end, random.choice((1.0, 0.5)), tuple(answers))
        if self.world.faults.happens("sending_paused"):
            begin = random.uniform(0.0, ARRIVALS)
            self.world.stage.at(begin, lambda: self.watch.switch(paused=True))
            end = begin + random.choice((60.0, 600.0, 3600.0))
            self.world.stage.at(end, lambda: self.watch.switch(paused=False))
        if self.world.faults.happens("secret_rotated"):
            at = random.uniform(30.0, ARRIVALS)
            self.world.stage.at(at, self._rotate_at_the_gateway)
            self.world.stage.at(at + random.uniform(-30.0, 60.0), self.wired.secrets.rotate)

    def _rotate_at_the_gateway(self) -> None:
        self.wired.gateway.secret = "second-secret"


def simulate(setup: Setup) -> Outcome:
    return Run(setup).play()
