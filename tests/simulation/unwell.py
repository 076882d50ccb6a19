"""The gateway's answers are unclear for a while, and messages wait."""

from dataclasses import dataclass
from itertools import pairwise

from openvoip_sms.rules.brake import BrakeState
from openvoip_sms.rules.call_result import CallOutcome
from tests.simulation.gateway import REPLIES, Call, Unwell
from tests.simulation.run import Outcome, Run, Setup
from tests.simulation.wired import RECIPIENTS

PATIENT = 3 * 24 * 3600  # seconds a message is worth sending


@dataclass(frozen=True)
class UnwellTime:
    """What came of it.

    `shut` and `failed`: how often the brake shut, from open and half open; `at_stake` is the sum
    of the messages that it had let through then. `in_flight`: calls at once, at most.
    """

    outcome: Outcome
    doubts: int
    shut: int
    failed: int
    at_stake: int
    in_flight: int
    probes: int


def unwell_time(
    seed: int, messages: int, unwell: Unwell, *, later: int = 0, resend: bool = False
) -> UnwellTime:
    """All messages stand in the queue as it begins; `later` ones come by the API meanwhile."""
    run = Run(Setup(seed, messages=0, rates={}, resend=resend))
    gateway, stage = run.wired.gateway, run.world.stage
    gateway.unwell = unwell
    for n in range(messages + later):
        at = 0.0 if n < messages else unwell.end * (n - messages + 1) / (later + 1)
        way = "api_async" if n < messages else "api"
        message = {
            "to": RECIPIENTS[n % len(RECIPIENTS)],
            "id": f"id-{n}",
            "valid_for": PATIENT,
        }
        stage.at(
            at,
            lambda n=n, way=way, message=message: run.clients.send(f"Prova {n}", way, **message),
        )
    outcome = run.play()
    states = [
        (BrakeState(item["brake"]["S"]), int(item["brake_half_open_size"]["N"]))
        for _, item in run.wired.changes.control
    ]
    states.insert(0, (BrakeState.OPEN, 0))
    holding = [before for before, after in pairwise(states) if after[0] is BrakeState.HOLDING]
    failed = [size for state, size in holding if state is BrakeState.HALF_OPEN]
    unclear = [call for call in gateway.log if _is_unclear(call)]
    return UnwellTime(
        outcome,
        doubts=len(unclear),
        shut=sum(state is BrakeState.OPEN for state, _ in holding),
        failed=len(failed),
        at_stake=sum(failed),
        in_flight=gateway.max_at_once,
        probes=gateway.probes,
    )


def _is_unclear(call: Call) -> bool:
    reply = REPLIES.get(call.happened)
    return reply is not None and reply.outcome is CallOutcome.UNCERTAIN
