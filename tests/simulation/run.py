"""One run: everything that a seed decides, from the first message to the outcome."""

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation import faults
from tests.simulation.invariants import Verdicts
from tests.simulation.traffic import ARRIVALS, Clients, Sender
from tests.simulation.watch import Watch
from tests.simulation.wired import Parts, Wired
from tests.simulation.world import World


@dataclass(frozen=True)
class Setup:
    """The seed decides all that is not said here."""

    seed: int
    messages: int = 50
    rates: dict[str, float] | None = None  # of faults; `None`: every one
    resend: bool = False
    persons: bool = False
    most_receives: int = 1000
    dies_at: int | None = None  # at this point, before or after a call, and at no other
    traced: bool = False
    parts: Parts = field(default_factory=Parts)


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
        self.wired = Wired(
            self.world, setup.parts, resend=setup.resend, most_receives=setup.most_receives
        )
        self.clients = Clients(self.world, self.wired)
        self.sender = Sender(
            self.world, self.wired, 5, acknowledges_first=setup.parts.acknowledges_first
        )
        self.watch = Watch(self.world, self.wired, self.clients)

    def play(self) -> Outcome:
        self.clients.plan(self.setup.messages)
        self._plan_the_seed_s_troubles()
        if self.setup.parts.reconciles:
            self.world.stage.at(
                self.world.dice.uniform(0.0, 300.0), self.watch.reconcile_every_few_minutes
            )
        if self.setup.persons:
            self.watch.let_persons_decide(self.setup.messages)
        self.world.stage.play()
        outcomes = Verdicts(self.world, self.wired, self.clients, resend=self.setup.resend)
        outcomes.judge()
        return Outcome(
            outcomes.ends,
            self.world.faults.happened,
            self.world.violations,
            self.world.history,
            self.watch.repairs,
            self.world.points,
        )

    def _plan_the_seed_s_troubles(self) -> None:
        dice, gateway = self.world.dice, self.wired.gateway
        if self.world.faults.happens("gateway_down"):
            begin = dice.uniform(0.0, ARRIVALS)
            gateway.down = (begin, begin + dice.choice((60.0, 600.0, 3600.0)))
        if self.world.faults.happens("secret_rotated"):
            at = dice.uniform(30.0, ARRIVALS)
            self.world.stage.at(at, self._rotate_at_the_gateway)
            self.world.stage.at(at + dice.uniform(-30.0, 60.0), self._rotate_here)

    def _rotate_at_the_gateway(self) -> None:
        self.wired.gateway.secret = "second-secret"

    def _rotate_here(self) -> None:
        self.wired.accounts.stored = "second-secret"


def simulate(setup: Setup) -> Outcome:
    return Run(setup).play()
