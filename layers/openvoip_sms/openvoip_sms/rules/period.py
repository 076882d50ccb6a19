"""A stretch of time that a list or a decision is limited to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until just before `until`; without either it is open at that end."""

    since: datetime | None = None
    until: datetime | None = None


ALWAYS = Period()
