"""What a planned webhook message becomes: accepted, or recorded as held back."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openvoip_sms.delivery.accept import Acceptance
from openvoip_sms.delivery.ports import Counters
from openvoip_sms.rules import limits
from openvoip_sms.rules.message import (
    InvalidMessage,
    Message,
    Violation,
    parse_message,
)
from openvoip_sms.rules.new_record import record_of, rejected_record
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import REASON_IN_WORDS, WAITING, Reason, Record, Status
from openvoip_sms.rules.times import to_rfc3339
from openvoip_sms.webhooks.plan import PlannedMessage, RejectedMessage
from openvoip_sms.webhooks.vocabulary import Source


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands for one planned message; `repeated` when its event had come before."""

    record: Record
    repeated: bool = False

    @property
    def accepted(self) -> bool:
        return not self.repeated and self.record.status in WAITING

    @property
    def reason(self) -> str:
        return "duplicate" if self.repeated else str(self.record.reason or self.record.status)


@dataclass(frozen=True, slots=True)
class WebhookIntake:
    """May raise `StoreUnavailable`: then the sender must call again."""

    acceptance: Acceptance
    counters: Counters
    recipient_hourly_limit: int  # 0: none

    def take(self, planned: PlannedMessage | RejectedMessage, source: Source) -> Taken:
        """Store one message, and hand it over if it may be sent; return what now stands."""
        before = self.acceptance.store.get(planned.id)
        if before is not None:
            self.acceptance.journal.duplicate(before)
            return Taken(before, repeated=True)
        policy, now = self.acceptance.policy, self.acceptance.clock()
        record = planned_record(planned, source, policy, now)
        if record.status is not Status.REJECTED:
            record = self._held_back(record, source) or record
        accepted = self.acceptance.accept(record)
        return Taken(accepted.record, accepted.repeated)

    def _held_back(self, record: Record, source: Source) -> Record | None:
        now = self.acceptance.clock()
        if not source.allow_same_text:
            first = self._first_with_text(record, now)
            if first != record.id:
                return _suppressed(record, Reason.SAME_TEXT, now, f"The first is {first}.")
        for reason, more in self._limits_passed(record, source, now):
            return _suppressed(record, reason, now, more)
        return None

    def _first_with_text(self, record: Record, now: datetime) -> str:
        """The id of the message that has this text, number and (if it waits) day.

        One that was never stored, as its call failed, holds nobody back.
        """
        day = record.send_at.date() if record.send_at else ""
        same = limits.subject("text", f"{record.to}\n{day}\n{record.text}")
        first = self.counters.first_with(same, record.id, now, limits.SAME_TEXT_WITHIN)
        if first != record.id and self.acceptance.store.get(first) is None:
            return self.counters.first_with(same, record.id, now, limits.STORED_WITHIN)
        return first

    def _limits_passed(
        self, record: Record, source: Source, now: datetime
    ) -> Iterator[tuple[Reason, str]]:
        """Count for the source, the range and the number, in that order; stop at the first over."""
        of_source = limits.subject("source", source.name)
        counted = self.counters.count(of_source, now)
        if counted.paused_until is not None and counted.paused_until > now:
            yield Reason.SOURCE_PAUSED, f"Until {to_rfc3339(counted.paused_until)}."
        if limits.is_over(counted, source.hourly_limit, now):
            self._pause(of_source, record, now)
            yield Reason.SOURCE_LIMIT, ""
        counted = self.counters.count(
            limits.subject("range", f"{source.name} {limits.number_range(record.to)}"), now
        )
        if limits.is_over(counted, source.range_hourly_limit, now):
            self._pause(of_source, record, now)
            yield Reason.RANGE_LIMIT, ""
        counted = self.counters.count(limits.subject("recipient", record.to), now)
        if limits.is_over(counted, self.recipient_hourly_limit, now):
            yield Reason.RECIPIENT_LIMIT, ""

    def _pause(self, of_source: str, record: Record, now: datetime) -> None:
        self.counters.pause(of_source, now + limits.PAUSE)
        self.acceptance.journal.source_paused(record)


def planned_record(
    planned: PlannedMessage | RejectedMessage, source: Source, policy: Policy, now: datetime
) -> Record:
    """What is stored for a planned message unless a limit holds it back: waiting, or rejected.

    Pure, so that a preview shows what the service does by asking it.
    """
    given, name = _message_object(planned), f"webhook:{source.name}"
    try:
        message = _message(planned, given, policy, now)
        record = record_of(message, id=planned.id, source=name, policy=policy, now=now)
    except InvalidMessage as invalid:
        record = rejected_record(
            given, invalid, default_id=planned.id, source=name, policy=policy, now=now
        )
    # A retry may tell the same event in other words: the id alone says what it is.
    return replace(record, fingerprint=hashlib.sha256(planned.id.encode()).hexdigest())


def _message(
    planned: PlannedMessage | RejectedMessage, given: dict[str, Any], policy: Policy, now: datetime
) -> Message:
    """The message, by the same rules as everybody's.

    Raises:
        InvalidMessage: by those rules, or because its text could not be made.
    """
    if isinstance(planned, RejectedMessage):
        raise InvalidMessage([Violation("text", planned.reason, planned.detail, structural=False)])
    return parse_message(given, policy, now)


def _message_object(planned: PlannedMessage | RejectedMessage) -> dict[str, Any]:
    given: dict[str, Any] = {"id": planned.id, "to": planned.to, "category": planned.category}
    if isinstance(planned, RejectedMessage):
        return given
    more = {
        "text": planned.text,
        "sender": planned.sender,
        "archive": planned.archive,
        "send_at": to_rfc3339(planned.send_at) if planned.send_at else None,
    }
    return given | {name: value for name, value in more.items() if value is not None}


def _suppressed(record: Record, reason: Reason, now: datetime, more: str) -> Record:
    detail = f"{REASON_IN_WORDS[reason]} {more}".strip()
    return replace(record, status=Status.SUPPRESSED, reason=reason, detail=detail, updated_at=now)
