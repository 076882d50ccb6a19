"""Messages of webhooks: accepted, or recorded as rejected or suppressed."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openvoip_sms.delivery.enqueue import Enqueuer, Stored
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.ports import UnreadableRecord
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
    """What is stored for one planned message; `repeated` when its event was received earlier."""

    record: Record | UnreadableRecord
    repeated: bool = False

    @property
    def accepted(self) -> bool:
        return not self.repeated and self.record.status in WAITING

    @property
    def reason(self) -> str:
        return "duplicate" if self.repeated else str(self.record.reason or self.record.status)


@dataclass(frozen=True, slots=True)
class WebhookIntake:
    """May raise `StoreUnavailable`: then the shop must call again."""

    enqueuer: Enqueuer
    flood_guard: FloodGuard
    recipient_hourly_limit: int  # 0: none

    def handle(self, planned: PlannedMessage | RejectedMessage, source: Source) -> WebhookOutcome:
        """Store one message, and hand it over if it may be sent; return what is stored now."""
        try:
            return self._handle(planned, source)
        except UnreadableRecord as unreadable:
            # Its event was received earlier; the other messages of this call must not wait for it.
            return WebhookOutcome(unreadable, repeated=True)

    def _handle(self, planned: PlannedMessage | RejectedMessage, source: Source) -> WebhookOutcome:
        policy, now = self.enqueuer.policy, self.enqueuer.clock()
        record = planned_record(planned, source, policy, now)
        if record.status is Status.REJECTED:
            return self._outcome(self.enqueuer.enqueue(record))
        checked = self.flood_guard.check(record, self._limits(source))
        stored = self.enqueuer.enqueue(record, checked.exceeded)
        outcome = self._outcome(stored)
        if outcome.repeated:
            self.flood_guard.repeated(stored.record, checked)
        else:
            self.flood_guard.accepted(stored.record, checked)
        return outcome

    def _outcome(self, stored: Stored) -> WebhookOutcome:
        """A record with other content under this id is this event's message all the same."""
        if stored.conflict:
            self.enqueuer.hand_over_again(stored.record)
        return WebhookOutcome(stored.record, stored.repeated or stored.conflict)

    def _limits(self, source: Source) -> FloodLimits:
        return FloodLimits(
            source_hourly=source.hourly_limit,
            range_hourly=source.range_hourly_limit,
            recipient_hourly=self.recipient_hourly_limit,
            same_text=not source.allow_same_text,
            signed=source.auth.signs,
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
    # A retry may describe the same event differently: the id alone identifies it.
    return replace(record, fingerprint=hashlib.sha256(planned.id.encode()).hexdigest())


def _message_object(planned: PlannedMessage | RejectedMessage) -> dict[str, Any]:
    """The message as an API caller would send it."""
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
    """Parse the message by the rules of every way in.

    Raises:
        InvalidMessage: it breaks a rule, or its text could not be rendered.
    """
    if isinstance(planned, RejectedMessage):
        raise InvalidMessage([Violation("text", planned.reason, planned.detail, structural=False)])
    return parse_message(given, policy, now)
