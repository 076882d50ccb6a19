"""What a day of Rome has used up: segments, messages and cost, counted before each call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from openvoip_sms.rules.record import Record
from openvoip_sms.rules.rome import day_of
from openvoip_sms.rules.transitions import LEASE


@dataclass(frozen=True, slots=True)
class DayUsage:
    """What was called on one day. `uncertain_segments` are in none of the other figures.

    Their outcome is unknown, or it is not known whether they were counted for a call.
    """

    day: date
    segments: int = 0
    messages: int = 0
    cost_eur: Decimal = Decimal(0)
    uncertain_segments: int = 0
    by_source: Mapping[str, int] = field(default_factory=dict)  # segments


def day_of_claim(record: Record) -> date | None:
    """The day for which a claimed record's segments were reserved; `None` without a claim."""
    return None if record.claimed_until is None else day_of(record.claimed_until - LEASE)


def source_of(record: Record) -> str:
    """The source in a day's figures: campaigns together, as each name would stay for good."""
    return "campaign" if record.source.startswith("campaign:") else record.source
