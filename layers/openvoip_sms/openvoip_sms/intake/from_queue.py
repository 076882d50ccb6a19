"""Messages of the queue: each body is completed, retried or dead-lettered."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from openvoip_sms.delivery.braking import Braking
from openvoip_sms.delivery.deliver import Delivery, DeliveryResult
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import (
    MAX_MESSAGE_BYTES,
    MAX_QUEUE_DELAY,
    POINTER,
    PROBE,
    Gateway,
    StoreUnavailable,
)
from openvoip_sms.intake.parse import parse_asked
from openvoip_sms.rules.message import ID_PATTERN, InvalidMessage
from openvoip_sms.rules.new_record import record_of, rejected_record
from openvoip_sms.rules.record import OPEN, WAITING
from openvoip_sms.rules.strict_json import NotJson, read_json

# Objects, lists and members of a body. A message has a dozen; a mebibyte of nothing else would take
# the time and memory that the other messages of its batch need.
MAX_PARTS = 20_000
# No queue message is older: SQS keeps it for 14 days, and as long again as a dead letter. An older
# time is a sample's.
MAX_AGE = timedelta(days=30)
MAX_ENVELOPES = 4  # SNS in SQS, EventBridge in SNS in SQS, and that of a dead letter
_DEAD_LETTER = {"source": "openvoip-sms", "detail-type": "DeadLetter"}  # the envelope's beginning
_POINTER = re.compile(rf'\{{"{POINTER}": "({ID_PATTERN.pattern})"\}}', re.ASCII)


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """Deliver again in `retry_in` seconds, or move to the dead-letter queue for this reason.

    `body`, if given, replaces the received one there. Neither: completed.
    """

    retry_in: float | None = None
    dead_letter: str | None = None
    body: str | None = None


COMPLETED = QueueOutcome()


@dataclass(frozen=True, slots=True)
class QueueIntake:
    """May raise `StoreUnavailable`: then the message must be delivered again."""

    delivery: Delivery[Any]
    enqueuer: Enqueuer
    braking: Braking
    gateway: Gateway[Any]

    def begin_batch(self) -> None:
        """Read once for all messages of a batch whether anything may be sent."""
        with suppress(StoreUnavailable):  # then each message asks again, and is retried
            self.delivery.control.fresh()

    def handle(
        self,
        body: str,
        sqs_id: str,
        seconds_left: Callable[[], float],
        queued_at: datetime | None = None,
    ) -> QueueOutcome:
        """Handle one body that was queued at that moment, if it is known."""
        try:
            given = unwrap(_parsed(body))
        except NotJson:
            return QueueOutcome(dead_letter="not_json")
        if given == PROBE:
            self.braking.probe(self.gateway)
            return COMPLETED
        if isinstance(given, dict) and given.keys() == {POINTER}:
            return self._stored(given[POINTER], seconds_left)
        return self._message(given, sqs_id, seconds_left, queued_at)

    def give_up(self, body: str) -> QueueOutcome | None:
        """End a stored message that makes the function die; `None`: the body points to none.

        It fails. In the dead-letter queue alone the reconciler would queue it again and again.
        """
        pointer = _POINTER.fullmatch(body)
        result = self.delivery.give_up(pointer[1]) if pointer else None
        return QueueOutcome(result.retry_in) if result and result.record else None

    def _stored(self, record_id: object, seconds_left: Callable[[], float]) -> QueueOutcome:
        if isinstance(record_id, str) and ID_PATTERN.fullmatch(record_id):
            result = self.delivery.send_stored(record_id, seconds_left)
            if result.record is not None:
                return QueueOutcome(result.retry_in)
        return QueueOutcome(dead_letter="no_such_message")

    def _message(
        self,
        given: object,
        sqs_id: str,
        seconds_left: Callable[[], float],
        queued_at: datetime | None,
    ) -> QueueOutcome:
        now, policy, store = self.delivery.clock(), self.delivery.policy, self.delivery.store
        asked_at = queued_at if queued_at and now - queued_at < MAX_AGE else now
        try:
            message = parse_asked(given, policy, now=now, asked_at=asked_at, store=store)
        except InvalidMessage as invalid:
            return self._invalid(given, invalid, sqs_id)
        if message.dry_run:
            return QueueOutcome(dead_letter="dry_run_in_queue")
        record = record_of(
            message,
            id=message.id or sqs_id,
            source="queue",
            policy=policy,
            now=now,
            asked_at=asked_at,
        )
        if message.send_at is not None and message.send_at > now:
            accepted = self.enqueuer.enqueue(record)
            return QueueOutcome(dead_letter="id_in_use") if accepted.conflict else COMPLETED
        result = self.delivery.send_new(record, seconds_left)
        if result.conflict:
            return QueueOutcome(dead_letter="id_in_use")
        if result.repeated and result.record and result.record.status in OPEN:
            result = self.delivery.send_stored(result.record.id, seconds_left)
        return self._retried(result) if message.id is None else QueueOutcome(result.retry_in)

    def _retried(self, result: DeliveryResult) -> QueueOutcome:
        """Retry a message without an id through a pointer to its record.

        Its id is that of SQS, which a redrive from the dead-letter queue changes.
        """
        record, delay = result.record, result.retry_in
        if record is None or delay is None or record.status not in WAITING:
            return QueueOutcome(delay)
        replaced = delay <= MAX_QUEUE_DELAY.total_seconds() and self.enqueuer.hand_over(
            record, delay
        )
        return COMPLETED if replaced else QueueOutcome(delay)

    def _invalid(self, given: object, invalid: InvalidMessage, sqs_id: str) -> QueueOutcome:
        """Record a message that cannot be sent; dead-letter a body that is no message."""
        if invalid.structural or not isinstance(given, dict):
            return QueueOutcome(dead_letter=str(invalid)[:256])
        now, policy = self.delivery.clock(), self.delivery.policy
        record = rejected_record(
            given, invalid, default_id=sqs_id, source="queue", policy=policy, now=now
        )
        accepted = self.enqueuer.enqueue(record)
        return QueueOutcome(dead_letter="id_in_use") if accepted.conflict else COMPLETED


def with_identity(body: str, sqs_id: str) -> str:
    """Return a body for the dead-letter queue that keeps its SQS id, without reading it.

    A redrive changes the SQS id, and the gateway may have been called for the old one. A body that
    would become too long for the queue is longer than any that was called for.
    """
    if _POINTER.fullmatch(body) or body.startswith(json.dumps(_DEAD_LETTER)[:-1]):
        return body
    identified = json.dumps(_DEAD_LETTER | {"id": sqs_id, "detail": body})
    return identified if len(identified) <= MAX_MESSAGE_BYTES else body


def _parsed(text: str) -> object:
    if sum(map(text.count, "[{,")) > MAX_PARTS:
        raise NotJson("parts")
    return read_json(text, duplicate_keys="refuse")


def unwrap(given: object) -> object:
    """Return what an SNS or EventBridge envelope holds, or `given` itself.

    A message without an id gets its envelope's: both services may deliver one twice, and each
    copy has another SQS id. Of several envelopes the innermost one counts, as it was created once.

    Raises:
        NotJson: an envelope around a text that is not JSON.
    """
    envelope_id: str | None = None
    for _ in range(MAX_ENVELOPES):
        if not isinstance(given, dict):
            return given
        if given.get("Type") == "Notification" and isinstance(given.get("Message"), str):
            envelope_id = _valid_id(given.get("MessageId")) or envelope_id
            given = _parsed(given["Message"])
        elif "detail-type" in given and "detail" in given:
            envelope_id, given = _valid_id(given.get("id")) or envelope_id, given["detail"]
            if isinstance(given, str):  # as an input transformer may write it
                given = _parsed(given)
        else:
            break
    if not envelope_id or not isinstance(given, dict) or _has_identity(given):
        return given
    return given | {"id": envelope_id}


def _valid_id(given: object) -> str | None:
    return given if isinstance(given, str) and ID_PATTERN.fullmatch(given) else None


def _has_identity(given: dict[str, object]) -> bool:
    return given.get("id") is not None or POINTER in given
