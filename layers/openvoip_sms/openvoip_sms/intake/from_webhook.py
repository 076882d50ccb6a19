"""What a planned webhook message becomes: accepted, or recorded as rejected or held back."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.rules.limits import FloodLimits
from openvoip_sms.rules.message import InvalidMessage, Message, Violation, parse_message
from openvoip_sms.rules.new_record import record_of, rejected_record
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import WAITING, Record, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.plan import PlannedMessage, RejectedMessage


@dataclass(frozen=True, slots=True)
class WebhookOutcome:
    """What is stored for one planned message; `repeated` when its event had come before."""

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

    enqueuer: Enqueuer
    flood_guard: FloodGuard
    recipient_hourly_limit: int  # 0: none

    def handle(self, planned: PlannedMessage | RejectedMessage, source: Source) -> WebhookOutcome:
        """Store one message, and hand it over if it may be sent; return what is stored now."""
        before = self.enqueuer.store.get(planned.id)
        if before is not None:
            self.enqueuer.telemetry.duplicate_received(before)
            return WebhookOutcome(before, repeated=True)
        policy, now = self.enqueuer.policy, self.enqueuer.clock()
        record = planned_record(planned, source, policy, now)
        passed = None
        if record.status is not Status.REJECTED:
            passed = self.flood_guard.check(record, self._limits(source))
        stored = self.enqueuer.enqueue(record, passed)
        return WebhookOutcome(stored.record, stored.repeated)

    def _limits(self, source: Source) -> FloodLimits:
        return FloodLimits(
            source_hourly=source.hourly_limit,
            range_hourly=source.range_hourly_limit,
            recipient_hourly=self.recipient_hourly_limit,
            same_text=not source.allow_same_text,
        )


def planned_record(
    planned: PlannedMessage | RejectedMessage, source: Source, policy: Policy, now: datetime
) -> Record:
    """The record of one planned message: ready to be enqueued, or rejected."""
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


def _message_object(planned: PlannedMessage | RejectedMessage) -> dict[str, Any]:
    """The message as a caller of the API would ask for it."""
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
