"""A person's decision about many records of unknown outcome at once."""

from dataclasses import dataclass
from enum import StrEnum

from openvoip_sms.rules.period import Period
from openvoip_sms.rules.record import Record, Status


class Decision(StrEnum):
    RESEND = "resend"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record of unknown outcome, and the version in which a decision found it."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person decides about the records that were accepted in a period.

    `messages` is how many they are, as that person has counted them.
    """

    id: str
    period: Period
    decision: Decision
    messages: int
    source: str | None = None
    by: str | None = None

    def concerns(self, record: Record) -> bool:
        """Whether this is a doubt of its source; the period is the list's business."""
        return record.status is Status.UNKNOWN and self.source in (None, record.source)
