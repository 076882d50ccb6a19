"""`python -m tests.simulation --messages 100000 --seed 1`: every fault on, then the table.

A broken promise ends it with 1; the seed that is shown repeats it alone, with `--messages 50`.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from time import monotonic

from openvoip_sms.rules.record import Status
from tests.simulation.run import Setup, simulate

MESSAGES_A_RUN = 50
MUST_BE_ZERO = ("lost", "sent twice", "lied", "silent", "maybe_sent")
TRACES_SHOWN = 3


def main() -> int:
    wanted = _arguments()
    began = monotonic()
    ends, faults, found = Counter[str](), Counter[str](), 0
    for n, begun in enumerate(range(0, wanted.messages, MESSAGES_A_RUN)):
        messages = min(MESSAGES_A_RUN, wanted.messages - begun)
        setup = Setup(wanted.seed + n, messages, resend=wanted.resend, persons=wanted.persons)
        outcome = simulate(setup)
        ends += outcome.ends
        faults += outcome.faults
        found += len(outcome.violations)
        if outcome.violations:
            _say(_replayed(setup))
    _say(_table(wanted, ends, faults, found))
    _say(f"{monotonic() - began:.0f} s")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first run; the next has the next"
    )
    parser.add_argument("--resend", action="store_true", help="with AmbiguousOutcome=resend")
    parser.add_argument("--persons", action="store_true", help="with persons who decide")
    return parser.parse_args()


def _replayed(setup: Setup) -> str:
    """What was found under a seed, and all that happened to the messages concerned."""
    outcome = simulate(replace(setup, traced=True))
    lines = [f"seed {setup.seed}:"]
    for violation in outcome.violations[:TRACES_SHOWN]:
        lines += [violation, outcome.trace(violation.split(":")[0])]
    return "\n".join(lines)


def _table(setup: argparse.Namespace, ends: Counter[str], faults: Counter[str], found: int) -> str:
    named = [*Status, *(name for name in sorted(ends) if name not in {*Status, *MUST_BE_ZERO})]
    rows = [("messages", setup.messages), ("seed", setup.seed), ("", "")]
    rows += sorted(faults.items())
    rows += [("", ""), *((name, ends[name]) for name in named if ends[name])]
    rows += [("", ""), *((name, ends[name]) for name in MUST_BE_ZERO), ("violations", found)]
    return "\n".join(f"{name:28} {count:>9}".rstrip() for name, count in rows)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
