"""When a source whose authentic calls cause no message is a fault, and not just a quiet week.

An error signed in place of an order, a body of another shape and a call that cannot be read are
faults of set-up: each is told from the third on, if no message came in between. Calls that are
ignored for what they say may be right (a shop calls with every save); many of them, and nothing
else for days, are not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAULTS = 3  # without a message in between
CALLS = 20  # without a message in between
_WITHIN_A_DAY = frozenset({"no_mobile", "missing_value", "not_text", "empty_text", "bad_send_at"})
_DAYS = {True: timedelta(days=1), False: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Unused:
    """A row of calls without a message: how many, how many of them faults, and since when."""

    calls: int
    faults: int
    since: datetime


def is_to_be_told(unused: Unused, reason: str, now: datetime, *, is_fault: bool) -> bool:
    """Whether a person should look; `reason` and `is_fault` are the last call's."""
    if is_fault and unused.faults >= FAULTS:
        return True
    lasts = now - unused.since >= _DAYS[reason in _WITHIN_A_DAY]
    return lasts and unused.calls >= CALLS
