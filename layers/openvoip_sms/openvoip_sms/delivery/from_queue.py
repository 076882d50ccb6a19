"""What a body from the queue asks for, and what becomes of it there: done, again, or set aside."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from openvoip_sms.delivery.accept import Acceptance
from openvoip_sms.delivery.deliver import Delivery, Result
from openvoip_sms.delivery.ports import POINTER, QUEUE_DELAY_LIMIT
from openvoip_sms.rules.json_body import NotJson, read_json
from openvoip_sms.rules.message import (
    ID_PATTERN,
    InvalidMessage,
    parse_message,
)
from openvoip_sms.rules.new_record import record_of, rejected_record
from openvoip_sms.rules.record import OPEN, WAITING

MOST_ENVELOPES = 3  # SNS in SQS, EventBridge in SNS in SQS


@dataclass(frozen=True, slots=True)
class Handled:
    """`retry_in` seconds: the message must come again. `set_aside`: why it is no message at all.

    `body` is to be set aside in place of the one that was received.
    """

    retry_in: float | None = None
    set_aside: str | None = None
    body: str | None = None


DONE = Handled()


@dataclass(frozen=True, slots=True)
class QueueIntake:
    """May raise `StoreUnavailable`: then the message must come again."""

    delivery: Delivery
    acceptance: Acceptance

    def handle(self, body: str, sqs_id: str, seconds_left: Callable[[], float]) -> Handled:
        try:
            given = unwrap(read_json(body))
        except NotJson:
            return Handled(set_aside="not_json")
        if isinstance(given, dict) and given.keys() == {POINTER}:
            return self._stored(given[POINTER], seconds_left)
        return self._message(given, sqs_id, seconds_left)

    def _stored(self, record_id: object, seconds_left: Callable[[], float]) -> Handled:
        if isinstance(record_id, str) and ID_PATTERN.fullmatch(record_id):
            result = self.delivery.send_stored(record_id, seconds_left)
            if result.record is not None:
                return Handled(result.retry_in)
        return Handled(set_aside="no_such_message")

    def _message(self, given: object, sqs_id: str, seconds_left: Callable[[], float]) -> Handled:
        now, policy = self.delivery.clock(), self.delivery.policy
        try:
            message = parse_message(given, policy, now)
        except InvalidMessage as invalid:
            return self._invalid(given, invalid, sqs_id)
        if message.dry_run:
            return Handled(set_aside="dry_run_in_queue")
        record = record_of(message, id=message.id or sqs_id, source="queue", policy=policy, now=now)
        if message.send_at is not None and message.send_at > now:
            accepted = self.acceptance.accept(record)
            return Handled(set_aside="id_in_use") if accepted.conflict else DONE
        result = self.delivery.send_new(record, seconds_left)
        if result.conflict:
            return Handled(set_aside="id_in_use")
        if result.repeated and result.record and result.record.status in OPEN:
            result = self.delivery.send_stored(result.record.id, seconds_left)
        return self._again(result) if message.id is None else Handled(result.retry_in)

    def _again(self, result: Result) -> Handled:
        """Let a pointer to the record come again in place of a message without an id.

        Such a message lives by its SQS id, which a redrive from the dead-letter queue changes.
        """
        record, delay = result.record, result.retry_in
        if record is None or delay is None or record.status not in WAITING:
            return Handled(delay)
        swapped = delay <= QUEUE_DELAY_LIMIT.total_seconds() and self.acceptance.hand_over(
            record, delay
        )
        return DONE if swapped else Handled(delay)

    def _invalid(self, given: object, invalid: InvalidMessage, sqs_id: str) -> Handled:
        """What is a message but cannot be sent gets a record; what is none is set aside."""
        if invalid.structural or not isinstance(given, dict):
            return Handled(set_aside=str(invalid)[:256])
        now, policy = self.delivery.clock(), self.delivery.policy
        record = rejected_record(
            given, invalid, default_id=sqs_id, source="queue", policy=policy, now=now
        )
        accepted = self.acceptance.accept(record)
        return Handled(set_aside="id_in_use") if accepted.conflict else DONE


def with_identity(body: str, sqs_id: str) -> str:
    """Return a body to set aside: a message without an id keeps the SQS id that it went by.

    A redrive gives it another one, and may follow a call that has been made.
    """
    try:
        given = unwrap(read_json(body))
    except NotJson:
        return body
    if not isinstance(given, dict) or given.keys() & {"id", POINTER}:
        return body
    return json.dumps(given | {"id": sqs_id})  # in escapes: a queue takes no half characters


def unwrap(given: object) -> object:
    """Return what an SNS or EventBridge envelope holds, or `given` itself.

    A message without an id gets its envelope's: both services may deliver one twice, and each
    copy has another SQS id. Of several envelopes the inner one counts, as it was made once.

    Raises:
        NotJson: an SNS envelope around something that is not JSON.
    """
    envelope_id: object = None
    for _ in range(MOST_ENVELOPES):
        if not isinstance(given, dict):
            return given
        if given.get("Type") == "Notification" and isinstance(given.get("Message"), str):
            envelope_id = given.get("MessageId", envelope_id)
            given = read_json(given["Message"])
        elif "detail-type" in given and "detail" in given:
            envelope_id, given = given.get("id", envelope_id), given["detail"]
        else:
            break
    return _named(given, envelope_id)


def _named(given: object, envelope_id: object) -> object:
    if not isinstance(given, dict) or given.keys() & {"id", POINTER}:
        return given
    if not isinstance(envelope_id, str) or not ID_PATTERN.fullmatch(envelope_id):
        return given
    return given | {"id": envelope_id}
