"""The gateway is out of reach for half a day while messages wait."""

from dataclasses import dataclass

from tests.simulation.gateway import Call
from tests.simulation.run import Outcome, Run, Setup
from tests.simulation.wired import RECIPIENTS

OUTAGE = 12 * 3600.0  # seconds
PATIENT, IMPATIENT = 24 * 3600, 3600  # seconds a message is worth sending


@dataclass(frozen=True)
class Outage:
    """What came of it, and the gateway's log of the calls that never reached it and those after."""

    outcome: Outcome
    during: list[Call]
    after: list[Call]
    max_at_once: int


def outage(seed: int, *, patient: int, impatient: int = 0) -> Outage:
    """All messages stand in the queue as the outage begins; some are worthless when it ends."""
    run = Run(Setup(seed, messages=0, rates={}))
    gateway, stage = run.wired.gateway, run.world.stage
    gateway.down = (0.0, OUTAGE)
    for n in range(patient + impatient):
        valid_for = PATIENT if n < patient else IMPATIENT
        message = {"to": RECIPIENTS[n % len(RECIPIENTS)], "id": f"id-{n}", "valid_for": valid_for}
        stage.at(
            0.0, lambda n=n, message=message: run.clients.send(f"Prova {n}", "api_async", **message)
        )
    outcome = run.play()
    during = [call for call in gateway.log if call.at < OUTAGE]
    after = [call for call in gateway.log if call.at >= OUTAGE]
    return Outage(outcome, during, after, gateway.max_at_once)
