"""The real wiring over simulated clients: what a container builds is built by its own code."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openvoip_sms.adapters import record_item, telemetry
from openvoip_sms.adapters.control import DynamoControl
from openvoip_sms.rules.policy import Policy
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.wiring import api, core, reconciling, sending, settings, webhooks
from tests.simulation.attributes import Deserializer, Serializer
from tests.simulation.changes import Changes
from tests.simulation.dynamodb import SimDynamoDb
from tests.simulation.functions import (
    FUNCTIONS,
    ActorPool,
    Functions,
    SilentLogger,
    SimLambda,
    module,
)
from tests.simulation.gateway import SimGateway
from tests.simulation.ledger import CountingTelemetry, Ledger
from tests.simulation.scheduler import SimScheduler
from tests.simulation.secret_store import Secrets
from tests.simulation.sqs import SimSqs
from tests.simulation.world import World
from tests.template import resource, template

RECIPIENTS = tuple(f"+3933312300{n:02}" for n in range(40))
HELD_BACK = "+393331239999"  # test mode keeps it from getting anything
SOURCES = Path(__file__).with_name("sources.yaml")

# Pure, and the same for most runs.
_sources = cache(load_sources)


@cache
def _policy(*values: tuple[str, str]) -> Policy:
    return settings.policy(settings.Environment(dict(values)))


class Wired:
    """Clients of AWS and of the gateway, and the functions that use them."""

    def __init__(
        self,
        world: World,
        *,
        resend: bool,
        max_receives: int,
        low_limits: bool,
        daily_limit: int,
    ) -> None:
        self._world = world
        self.ledger = Ledger(world)
        self.changes = Changes(world, self.ledger)
        self.dynamodb = SimDynamoDb(world, self.changes)
        self.sqs = SimSqs(world, max_receives)
        self.scheduler = SimScheduler(world, self.sqs)
        self.secrets = Secrets(world)
        self.daily_limit = daily_limit  # 0: none
        self.gateway = SimGateway(
            world,
            self.changes,
            self.ledger,
            one_call_at_a_time=not resend,
            daily_limit=daily_limit,
        )
        self.functions = Functions(world)
        self.waker = SimLambda(world, self.functions)
        self.recipient_limit = 1 if low_limits else 5
        self._environment = _environment(
            DefaultSender="Ferramenta",
            TestRecipients=",".join(RECIPIENTS),
            AmbiguousOutcome="resend" if resend else "hold",
            RecipientHourlyLimit=str(self.recipient_limit),
            DailySegmentLimit=str(daily_limit),
        )
        self._ids = self._claims = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put the simulated clients under the wiring, for as long as a run takes."""
        clients = {
            "dynamodb": self.dynamodb,
            "sqs": self.sqs,
            "scheduler": self.scheduler,
            "lambda": self.waker,
        }

        def client(service: str, config: object = None) -> Any:
            return self.dynamodb.once() if config is core.ONCE else clients[service]

        numbers = SimpleNamespace(random=self._world.random.random)
        counting = CountingTelemetry(self._world, self.ledger)
        _forget()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(core, "client", client)
            patch.setattr(core, "secret", self.secrets.secret)
            patch.setattr(core, "env", lambda: settings.Environment(self._environment))
            patch.setattr(core, "policy", lambda: _policy(*self._environment.items()))
            patch.setattr(core, "clock", self._world.clock)
            patch.setattr(core, "control", lambda: PerContainer(self._world, self.dynamodb))
            patch.setattr(core, "new_id", self._new_id)
            patch.setattr(core, "telemetry", lambda: counting)
            patch.setattr(reconciling, "random", numbers)
            patch.setattr(reconciling, "time", SimpleNamespace(sleep=self._world.pause))
            patch.setattr(sending, "random", numbers)
            patch.setattr(sending, "secrets", SimpleNamespace(token_hex=self._new_claim))
            patch.setattr(sending, "OpenvoipClient", lambda _url, **_: self.gateway)
            patch.setattr(record_item, "TypeSerializer", Serializer)
            patch.setattr(record_item, "TypeDeserializer", Deserializer)
            patch.setattr(webhooks, "load_sources", _sources)
            patch.setattr(telemetry, "logger", SilentLogger())
            for function in ("sender", "reconciler"):
                patch.setattr(module(function), "workers", ActorPool(self._world))
            yield
        _forget()

    def _new_id(self) -> str:
        self._ids += 1
        return f"generated-{self._ids:06}"

    def _new_claim(self, _bytes: int) -> str:
        self._claims += 1
        claim = f"claim-{self._claims}"
        self._world.process().claims.add(claim)
        return claim


class PerContainer:
    """What each container knows of switch and brake."""

    def __init__(self, world: World, dynamodb: SimDynamoDb) -> None:
        self._world, self._dynamodb = world, dynamodb

    def __getattr__(self, name: str) -> Any:
        container = self._world.process().container
        if container.control is None:
            container.control = DynamoControl(self._dynamodb, "MessageTable", self._world.clock)
        return getattr(container.control, name)


def _forget() -> None:
    """What one run's containers have built is not for the next."""
    for wiring in (api, core, reconciling, sending, webhooks):
        for part in vars(wiring).values():
            if hasattr(part, "cache_clear"):
                part.cache_clear()


def _environment(**parameters: str) -> dict[str, str]:
    """All functions' variables in a stack with these parameters; a resource goes by its name."""
    everyone = template()["Globals"]["Function"]["Environment"]["Variables"]
    variables = dict(everyone)
    for function in FUNCTIONS:
        properties = resource(f"{function.title()}Function")
        variables |= properties.get("Environment", {}).get("Variables", {})
    variables["SOURCES_FILE"] = str(SOURCES)
    return {name: _resolved(value, parameters) for name, value in variables.items()}


def _resolved(value: Any, parameters: dict[str, str]) -> str:
    if not isinstance(value, dict):
        return str(value)
    name = value.get("Ref") or value["GetAtt"]
    default = template()["Parameters"].get(name, {}).get("Default", name)
    return parameters.get(name, str(default))
