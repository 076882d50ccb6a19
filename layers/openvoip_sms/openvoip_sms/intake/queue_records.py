"""One record of an SQS batch: an error in it does not affect the others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openvoip_sms.delivery.ports import (
    QueueUnavailable,
    ReceivedMessages,
    StoreUnavailable,
    Telemetry,
    UnreadableRecord,
)
from openvoip_sms.intake.from_queue import QueueIntake, QueueOutcome, with_identity
from openvoip_sms.rules.transitions import backoff

MAX_UNHANDLED_RECEIVES = 5  # then a message that causes unhandled errors is dead-lettered


@dataclass(frozen=True, slots=True)
class QueueRecords:
    """Never raises."""

    intake: QueueIntake
    queue: ReceivedMessages
    telemetry: Telemetry

    def should_retry(self, record: dict[str, Any], seconds_left: Callable[[], float]) -> bool:
        """Handle one record; return whether SQS must deliver it again."""
        outcome = self._outcome(record, seconds_left)
        try:
            if outcome.dead_letter:
                self.queue.dead_letter(outcome.body or record["body"], outcome.dead_letter)
                self.telemetry.message_dead_lettered(outcome.dead_letter)
            elif outcome.retry_in is not None:
                self.queue.delay_redelivery(record["receiptHandle"], outcome.retry_in)
        except QueueUnavailable as error:
            # SQS delivers it again after the visibility time-out.
            self.telemetry.queue_failed(error)
            return True
        return outcome.retry_in is not None

    def _outcome(self, record: dict[str, Any], seconds_left: Callable[[], float]) -> QueueOutcome:
        sqs_id, received = record["messageId"], _receives(record)
        try:
            return self.intake.handle(record["body"], sqs_id, seconds_left, _queued_at(record))
        except UnreadableRecord:
            pass  # the store has reported it, which has its own alarm
        except (StoreUnavailable, QueueUnavailable) as error:
            self.telemetry.message_delayed(sqs_id, error)
        except Exception as error:  # noqa: BLE001 - must not fail the other messages of the batch
            self.telemetry.unhandled_error("message", error, sqs_id=sqs_id)
            if received >= MAX_UNHANDLED_RECEIVES:
                body = with_identity(record["body"], sqs_id)
                return QueueOutcome(dead_letter=f"unexpected: {type(error).__name__}", body=body)
        return QueueOutcome(retry_in=backoff(received, 1.0))


def _receives(record: dict[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _queued_at(record: dict[str, Any]) -> datetime | None:
    """When SQS took it; `None` if that is not said."""
    try:
        milliseconds = int(record["attributes"]["SentTimestamp"])
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
