"""When a source whose authentic calls cause no message is a fault, and not just a quiet week.

An error signed in place of an order, a body of another shape and a call that cannot be read are
faults of set-up: the third in a row is told. Calls that are ignored for what they say may be right
(a shop calls with every save); many of them, and nothing else for days, are not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAULTS = 3  # in a row
CALLS = 20  # in a row
_WITHIN_A_DAY = frozenset({"no_mobile", "missing_value", "not_text", "empty_text", "bad_send_at"})
_DAYS = {True: timedelta(days=1), False: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Unused:
    """A row of calls without a message: how many, how many of them faults, and since when."""

    calls: int
    faults: int
    since: datetime


def is_to_be_told(unused: Unused, reason: str, now: datetime) -> bool:
    """Whether a person should look; `reason` is the last call's."""
    if unused.faults >= FAULTS:
        return True
    lasts = now - unused.since >= _DAYS[reason in _WITHIN_A_DAY]
    return lasts and unused.calls >= CALLS
