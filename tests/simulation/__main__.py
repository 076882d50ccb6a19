"""`python -m tests.simulation --messages 100000 --seed 1`: every fault on, then the table.

A broken promise ends it with 1; the seed that is shown repeats it alone, with `--messages 50`.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from openvoip_sms.rules.record import Status
from tests.simulation.invariants import MUST_BE_ZERO
from tests.simulation.run import Outcome, Setup, simulate

MESSAGES_A_RUN = 50
RUNS_AT_A_TIME = 20  # that a process takes
TRACES_SHOWN = 3


def main() -> int:
    wanted = _arguments()
    ends, faults, found = Counter[str](), Counter[str](), 0
    setups = list(_setups(wanted))
    for setup, outcome in zip(setups, _outcomes(setups, wanted.processes), strict=True):
        ends += outcome.ends
        faults += outcome.faults
        found += len(outcome.violations)
        if outcome.violations:
            _say(_replayed(setup))
    _say(_table(ends, faults, found))
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first run; the next has the next"
    )
    parser.add_argument("--resend", action="store_true", help="with AmbiguousOutcome=resend")
    parser.add_argument("--persons", action="store_true", help="with persons who decide")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _setups(wanted: argparse.Namespace) -> Iterator[Setup]:
    for n, first in enumerate(range(0, wanted.messages, MESSAGES_A_RUN)):
        messages = min(MESSAGES_A_RUN, wanted.messages - first)
        yield Setup(wanted.seed + n, messages, resend=wanted.resend, persons=wanted.persons)


def _outcomes(setups: list[Setup], processes: int) -> Iterable[Outcome]:
    """Each seed decides its own run, so it does not matter who plays it."""
    if processes == 1:
        yield from map(simulate, setups)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(simulate, setups, chunksize=RUNS_AT_A_TIME)


def _replayed(setup: Setup) -> str:
    """What was found under a seed, and all that happened to the messages concerned."""
    outcome = simulate(replace(setup, traced=True))
    lines = [f"seed {setup.seed}:"]
    for violation in outcome.violations[:TRACES_SHOWN]:
        lines += [violation, outcome.trace(violation.split(":")[0])]
    return "\n".join(lines)


def _table(ends: Counter[str], faults: Counter[str], found: int) -> str:
    named = [*Status, *(name for name in sorted(ends) if name not in {*Status, *MUST_BE_ZERO})]
    rows: list[tuple[str, int | str]] = [*sorted(faults.items()), ("", "")]
    rows += [(name, ends[name]) for name in named if ends[name]]
    rows += [("", ""), *((name, ends[name]) for name in MUST_BE_ZERO), ("violations", found)]
    return "\n".join(f"{name:36} {count:>9}".rstrip() for name, count in rows)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
