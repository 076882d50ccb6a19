"""The real delivery code and the real functions, wired to the simulated cloud and gateway."""

import importlib.util
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType

from openvoip_sms.delivery.accept import Acceptance
from openvoip_sms.delivery.decide import Decisions
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.from_queue import QueueIntake
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record
from tests.simulation.cloud import SimAccounts, SimQueue, SimSchedule
from tests.simulation.gateway import SimGateway
from tests.simulation.table import SimTable
from tests.simulation.world import World

FUNCTIONS = Path(__file__).parents[2] / "functions"
RECIPIENTS = tuple(f"+3933312300{n:02}" for n in range(40))
HELD_BACK = "+393331239999"  # test mode keeps it from getting anything


@dataclass(frozen=True)
class Parts:
    """What a test may swap for something broken, to see that the simulation notices."""

    table: type[SimTable] = SimTable
    delivery: type[Delivery] = Delivery
    intake: type[QueueIntake] = QueueIntake
    acknowledges_first: bool = False
    reconciles: bool = True


class Wired:
    """Offers what `openvoip_sms.wiring` offers, and takes its place in the functions."""

    def __init__(self, world: World, parts: Parts, *, resend: bool, most_receives: int) -> None:
        self._world = world
        self.table = parts.table(world)
        self.sqs = SimQueue(world, most_receives)
        self.scheduler = SimSchedule(world, self.sqs)
        self.gateway = SimGateway(world, self.table, one_call_at_a_time=not resend)
        self.accounts = SimAccounts(world)
        self._policy = Policy(
            default_sender="Ferramenta",
            test_recipients=frozenset(RECIPIENTS),
            resend_unknown=resend,
        )
        self._ids = self._claims = 0
        self._wire(parts)
        self.sender, self.api = _function("sender"), _function("api")
        self.sender.wiring = self.api.wiring = self  # type: ignore[attr-defined]

    def _wire(self, parts: Parts) -> None:
        table, clock, chance = self.table, self._world.clock, self._world.dice.random
        journal = self._journal = SilentJournal()
        self._acceptance = Acceptance(table, self.sqs, self.scheduler, journal, self._policy, clock)
        self._decisions = Decisions(
            table, self._acceptance, self.scheduler, journal, self._policy, clock
        )
        self._reconciler = Reconciler(table, self.sqs, journal, self._policy, clock, chance)
        self._delivery = parts.delivery(
            table,
            self.gateway,
            self.accounts,
            journal,
            self._policy,
            clock,
            chance,
            self._new_claim,
        )
        self._intake = parts.intake(self._delivery, self._acceptance)

    def clock(self) -> datetime:
        return self._world.clock()

    def new_id(self) -> str:
        self._ids += 1
        return f"generated-{self._ids:06}"

    def policy(self) -> Policy:
        return self._policy

    def store(self) -> SimTable:
        return self.table

    def queue(self) -> SimQueue:
        return self.sqs

    def journal(self) -> "SilentJournal":
        return self._journal

    def acceptance(self) -> Acceptance:
        return self._acceptance

    def delivery(self) -> Delivery:
        return self._delivery

    def intake(self) -> QueueIntake:
        return self._intake

    def decisions(self) -> Decisions:
        return self._decisions

    def reconciler(self) -> Reconciler:
        return self._reconciler

    def _new_claim(self) -> str:
        self._claims += 1
        claim = f"claim-{self._claims}"
        self._world.process().claims.add(claim)
        return claim


class SilentJournal:
    """The history tells more."""

    def changed(self, record: Record) -> None: ...

    def called(self, record: Record, reply: object, seconds: float) -> None: ...

    def unrecorded(self, record: Record) -> None: ...

    def duplicate(self, record: Record) -> None: ...

    def source_paused(self, record: Record) -> None: ...

    def trouble(self, event: str, record_id: str, error: Exception) -> None: ...

    def count(self, metrics: object, source: str) -> None: ...

    def surprise(self, event: str, error: Exception, **_fields: str) -> None:
        """What the sender did not expect is a finding here."""
        raise AssertionError(event) from error


class SilentLogger:
    def info(self, event: str, **fields: object) -> None: ...

    def warning(self, event: str, **fields: object) -> None: ...

    def error(self, event: str, **fields: object) -> None: ...


@cache
def _function(name: str) -> ModuleType:
    """A function's own module, apart from the one that other tests may have loaded."""
    spec = importlib.util.spec_from_file_location(f"simulated_{name}", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.logger = SilentLogger()  # type: ignore[attr-defined]
    return module
