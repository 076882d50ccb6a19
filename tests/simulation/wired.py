"""The real delivery code and the real functions, wired to the simulated cloud and gateway."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType

from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.manual_actions import ManualActions
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.intake.from_api import ApiIntake
from openvoip_sms.intake.from_queue import QueueIntake
from openvoip_sms.intake.queue_records import QueueRecords
from openvoip_sms.rules.policy import Policy
from openvoip_sms.web.messages_api import MessagesApi
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
        self.accounts = SimAccounts(world)
        self.gateway = SimGateway(world, self.table, self.accounts, one_call_at_a_time=not resend)
        self._policy = Policy(
            default_sender="Ferramenta",
            test_recipients=frozenset(RECIPIENTS),
            resend_unknown=resend,
        )
        self._ids = self._claims = 0
        self._wire(parts)
        self.api = _function("api")
        self.api.api = self.api.core = self  # type: ignore[attr-defined]

    def _wire(self, parts: Parts) -> None:
        table, clock, jitter = self.table, self._world.clock, self._world.dice.random
        telemetry = self._telemetry = SilentTelemetry()
        self._enqueuer = Enqueuer(table, self.sqs, self.scheduler, telemetry, self._policy, clock)
        self._manual_actions = ManualActions(
            table, self._enqueuer, self.scheduler, telemetry, self._policy, clock
        )
        self._reconciler = Reconciler(table, self.sqs, telemetry, self._policy, clock, jitter)
        self._delivery = parts.delivery(
            table,
            self.gateway,
            telemetry,
            self._policy,
            clock,
            jitter,
            self._new_claim,
        )
        queue_intake = parts.intake(self._delivery, self._enqueuer)
        self.queue_records = QueueRecords(queue_intake, self.sqs, telemetry)
        api_intake = ApiIntake(self._delivery, self._enqueuer, self.new_id)
        self._messages_api = MessagesApi(api_intake, table, self._manual_actions)

    def clock(self) -> datetime:
        return self._world.clock()

    def new_id(self) -> str:
        self._ids += 1
        return f"generated-{self._ids:06}"

    def policy(self) -> Policy:
        return self._policy

    def telemetry(self) -> "SilentTelemetry":
        return self._telemetry

    def enqueuer(self) -> Enqueuer:
        return self._enqueuer

    def messages_api(self) -> MessagesApi:
        return self._messages_api

    def reconciler(self) -> Reconciler:
        return self._reconciler

    def _new_claim(self) -> str:
        self._claims += 1
        claim = f"claim-{self._claims}"
        self._world.process().claims.add(claim)
        return claim


class SilentTelemetry:
    """The history tells more; what the code does not expect is a finding here."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args, **_fields: None

    def unhandled_error(self, component: str, error: Exception, **_fields: str) -> None:
        raise AssertionError(component) from error


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
