"""May a message go now? The one place that decides, as a pure function of what is known.

Each rule looks at the record and the circumstances and answers `Wait`, `Hold`, `End` or nothing;
the first answer counts. A new rule is one function and one entry in `RULES`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from openvoip_sms.rules import transitions
from openvoip_sms.rules.limits import ExceededLimit
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Reason, Record, Status


@dataclass(frozen=True, slots=True)
class Go:
    """The message may be claimed and sent."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`; `None`: the moment is not known yet."""

    reason: Reason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Not as long as the reason lasts: the message waits in the table, and in no queue."""

    reason: Reason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Never: the record ends in this status. Without a `detail` the reason's sentence is stored."""

    status: Status
    reason: Reason
    detail: str | None = None

    def of(self, record: Record, now: datetime, policy: Policy) -> Record:
        """Return the record as it ends."""
        return transitions.ended(record, self.status, self.reason, now, policy, detail=self.detail)


type Permission = Go | Wait | Hold | End


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a rule may look at besides the record."""

    now: datetime
    policy: Policy
    exceeded_limit: ExceededLimit | None = None  # what the flood guard found
    held_by: Reason | None = None  # the switch or the brake


type Rule = Callable[[Record, Circumstances], Wait | Hold | End | None]


def flood_limits(_record: Record, circumstances: Circumstances) -> End | None:
    """A number, a range of numbers or a source has reached its limit; what is signed goes on."""
    exceeded = circumstances.exceeded_limit
    if exceeded is None or not exceeded.enforced:
        return None
    return End(Status.SUPPRESSED, exceeded.reason, exceeded.detail)


def mode(record: Record, circumstances: Circumstances) -> End | None:
    """In test mode only the firm's own numbers get an SMS."""
    if circumstances.policy.allows_recipient(record.to):
        return None
    return End(Status.SUPPRESSED, Reason.TEST_MODE)


def validity(record: Record, circumstances: Circumstances) -> End | None:
    """After its validity a message is not sent."""
    return End(Status.EXPIRED, Reason.TOO_LATE) if circumstances.now >= record.expires_at else None


def schedule(record: Record, circumstances: Circumstances) -> Wait | None:
    """Not before the caller's `send_at`."""
    due = record.send_at
    return Wait(Reason.SEND_AT, due) if due is not None and due > circumstances.now else None


def held_back(_record: Record, circumstances: Circumstances) -> Hold | None:
    """Not while a person has paused sending, or the gateway's answers are unclear."""
    reason = circumstances.held_by
    return None if reason is None else Hold(reason)


RULES: tuple[Rule, ...] = (flood_limits, mode, validity, schedule, held_back)


def permission(
    record: Record, circumstances: Circumstances, rules: Sequence[Rule] = RULES
) -> Permission:
    """Return the answer of the first rule that has one, else `Go`."""
    answers = (rule(record, circumstances) for rule in rules)
    return next((answer for answer in answers if answer is not None), Go())
