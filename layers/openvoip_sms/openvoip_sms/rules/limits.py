"""Limits against form bombing: how much one number, one range of numbers and one source may get.

A form on a website sends an SMS to any number that a visitor types. Counting is by a sliding hour:
this clock hour's count plus the share of the last one that is less than an hour ago. What is signed
is counted apart from what is not: a stranger's posts use up no allowance of a real order.

A source's limit of 200 or more is counted by a sample of its messages, so that no item of the table
is written with each of them. A sample of about 100 is off by 10 % (its standard deviation): a limit
of 500 takes effect between 420 and 600 messages in nineteen cases of twenty.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from openvoip_sms.rules.record import Reason

HOUR = timedelta(hours=1)
SAME_TEXT_WITHIN = timedelta(minutes=10)
STORED_WITHIN = timedelta(seconds=15)  # longer than the webhooks' function may run
PAUSE = timedelta(hours=1)
# How old a container's knowledge of a source may be: of a pause, and of a row of unused calls.
PAUSE_SEEN_WITHIN = timedelta(seconds=2)
ROW_SEEN_WITHIN = timedelta(minutes=10)
MAX_NOTED = 250  # messages of an hour in one guard item, which costs a write unit for each KB
_SAMPLE = 100  # messages that are counted of a source's limit
# What a person may send all the same: a limit judges the crowd, not the message.
REASONS = frozenset(
    {
        Reason.SAME_TEXT,
        Reason.RECIPIENT_LIMIT,
        Reason.RANGE_LIMIT,
        Reason.SOURCE_LIMIT,
        Reason.SOURCE_PAUSED,
    }
)
_RANGE_DIGITS = 4  # numbers of one range differ in these only


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """Messages within an hour, 0 for no limit; `same_text`: one text to one number is sent once.

    `signed`: the source proves what it says, so that a limit alarms and holds nothing back.
    """

    source_hourly: int
    range_hourly: int
    recipient_hourly: int
    same_text: bool
    signed: bool = False

    @property
    def may_pause(self) -> bool:
        return not self.signed and (self.source_hourly > 0 or self.range_hourly > 0)


@dataclass(frozen=True, slots=True)
class ExceededLimit:
    """A limit that a message would exceed, and a sentence for a person.

    One that is not `enforced` is for people to know; the message goes.
    """

    reason: Reason
    detail: str
    enforced: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages of one subject in this clock hour and the one before."""

    this_hour: int
    last_hour: int = 0

    def within_an_hour(self, now: datetime) -> float:
        elapsed = timedelta(minutes=now.minute, seconds=now.second) / HOUR
        return self.this_hour + self.last_hour * (1 - elapsed)


def excess(counts: Counts, limit: int, now: datetime, every: int = 1) -> float:
    """By how many messages a limit is exceeded, of which one in `every` was counted; 0 if none."""
    if limit == 0:
        return 0.0
    return max(0.0, counts.within_an_hour(now) * every - limit)


def sampled_every(limit: int) -> int:
    """Of how many messages of a source one is counted."""
    return max(1, limit // _SAMPLE)


def is_sampled(record_id: str, every: int) -> bool:
    """Decided by the id, so that a repeated message is counted again in the same set or never."""
    return int(hashlib.sha256(record_id.encode()).hexdigest()[-8:], 16) % every == 0


def hour_of(now: datetime) -> int:
    """The clock hour's number since 1970."""
    return int(now.timestamp() // HOUR.total_seconds())


def number_range(number: str) -> str:
    return number[:-_RANGE_DIGITS]


def subject(kind: str, value: str) -> str:
    """The key of a counter: no message id can have it, and it shows no number."""
    return f"#{kind}#{hashlib.sha256(value.encode()).hexdigest()[:32]}"
