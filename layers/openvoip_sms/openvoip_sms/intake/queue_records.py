"""A batch of SQS records: what is wrong with one does not affect the others.

A message in which the function dies takes its whole batch along, and SQS delivers all of it again.
So an attempt at a message that was received before is noted in the table before its work, and the
note is cleared however the attempt ends: a message that waits through an outage has none, however
often it is received. A message with a note is a suspect. It is tried alone, one in each batch, when
the others have ended. After `MAX_DEATHS` it is not tried any more.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from openvoip_sms.delivery.ports import (
    Attempts,
    Clock,
    QueueUnavailable,
    ReceivedMessages,
    StoreUnavailable,
    Telemetry,
    UnreadableRecord,
)
from openvoip_sms.intake.from_queue import QueueIntake, QueueOutcome, with_identity
from openvoip_sms.intake.received_message import ReceivedMessage, received_message
from openvoip_sms.rules.transitions import MIN_DELAY, backoff

MAX_UNHANDLED_RECEIVES = 5  # then a message that causes unhandled errors is dead-lettered
# Then a message is dead-lettered with the id that was used for it: SQS would do so without. More
# than an outage of seven days needs, and some deaths fewer than SQS's own limit.
MAX_RECEIVES = 950
MAX_DEATHS = 4  # that were noted; with the one at the first receive, which is not, they are five
SECONDS_ALONE = 30.0  # two calls of the gateway: a time-out of the function is no death
# An attempt that began less than this ago may be another worker's, and still run: twice the
# function's time-out. After a death SQS delivers again later, when its visibility time-out is over.
MAY_STILL_RUN = timedelta(seconds=120)


class Handled(Enum):
    """What is to become of a message. `SUSPECT`: it was not tried, and must be tried alone."""

    COMPLETED = auto()
    RETRY = auto()
    SUSPECT = auto()


type SecondsLeft = Callable[[], float]
type ForEach = Callable[
    [Callable[[ReceivedMessage], Handled], Iterable[ReceivedMessage]], Iterable[Handled]
]


@dataclass(frozen=True, slots=True)
class QueueRecords:
    """Never raises."""

    intake: QueueIntake
    queue: ReceivedMessages
    attempts: Attempts
    telemetry: Telemetry
    clock: Clock

    def failed(
        self, records: Sequence[object], seconds_left: SecondsLeft, for_each: ForEach
    ) -> list[str]:
        """Handle a batch, with `for_each` all at once; return the SQS ids to be delivered again.

        An empty id stands for a record that has none and could not be dead-lettered: SQS then
        delivers the whole batch again, and the others are recognised as repeated.
        """
        messages = [received_message(record) for record in records]
        self.intake.begin_batch()
        handled = list(for_each(lambda one: self._handle(one, seconds_left), messages))
        suspects = [place for place, how in enumerate(handled) if how is Handled.SUSPECT]
        for place in suspects[1:]:  # before the first one is tried: nothing may happen after that
            handled[place] = self._apply(messages[place], QueueOutcome(retry_in=MIN_DELAY))
        for place in suspects[:1]:
            handled[place] = self._handle(messages[place], seconds_left, alone=True)
        pairs = zip(messages, handled, strict=True)
        retried = (message.sqs_id for message, how in pairs if how is Handled.RETRY)
        return list(dict.fromkeys(retried))

    def _handle(
        self, message: ReceivedMessage, seconds_left: SecondsLeft, *, alone: bool = False
    ) -> Handled:
        if message.fault:
            return self._apply(message, QueueOutcome(dead_letter=message.fault))

        def work() -> QueueOutcome | None:
            if message.receives == 1:
                return self._try(message, seconds_left)
            return self._try_again(message, seconds_left, alone=alone)

        outcome = self._outcome(message, work)
        if outcome is None:
            return Handled.SUSPECT
        if outcome.retry_in is not None and message.receives >= MAX_RECEIVES:
            outcome = _dead_letter(message, "received_too_often")
        return self._apply(message, outcome)

    def _apply(self, message: ReceivedMessage, outcome: QueueOutcome) -> Handled:
        try:
            if outcome.dead_letter:
                body = outcome.body or message.body
                self.queue.dead_letter(body, outcome.dead_letter, message.queued_at)
                self.telemetry.message_dead_lettered(outcome.dead_letter)
            elif outcome.retry_in is not None and message.receipt_handle:
                self.queue.delay_redelivery(message.receipt_handle, outcome.retry_in)
        except QueueUnavailable as error:
            # SQS delivers it again after the visibility time-out.
            self.telemetry.queue_failed(error)
            return Handled.RETRY
        except Exception as error:  # noqa: BLE001 - must not fail the other messages of the batch
            self.telemetry.unhandled_error("message", error, sqs_id=message.sqs_id)
            return Handled.RETRY
        return Handled.COMPLETED if outcome.retry_in is None else Handled.RETRY

    def _outcome[Outcome](
        self, message: ReceivedMessage, work: Callable[[], Outcome]
    ) -> Outcome | QueueOutcome:
        """Return what the work returns; what it raises makes the message come again, or end."""
        try:
            return work()
        except UnreadableRecord:
            pass  # the store has reported it, which has its own alarm
        except (StoreUnavailable, QueueUnavailable) as error:
            self.telemetry.message_delayed(message.sqs_id, error)
        except Exception as error:  # noqa: BLE001 - must not fail the other messages of the batch
            self.telemetry.unhandled_error("message", error, sqs_id=message.sqs_id)
            if message.receives >= MAX_UNHANDLED_RECEIVES:
                return _dead_letter(message, f"unexpected: {type(error).__name__}")
        return QueueOutcome(retry_in=backoff(message.receives, 1.0))

    def _try(self, message: ReceivedMessage, seconds_left: SecondsLeft) -> QueueOutcome:
        return self.intake.handle(message.body, message.sqs_id, seconds_left, message.queued_at)

    def _try_again(
        self, message: ReceivedMessage, seconds_left: SecondsLeft, *, alone: bool
    ) -> QueueOutcome | None:
        """`None`: a suspect, and others of its batch are being tried now."""
        deaths = self._deaths(message.sqs_id)
        if deaths and not alone:
            return None
        if deaths:
            self.telemetry.message_interrupted(message.sqs_id, deaths)
            if seconds_left() < SECONDS_ALONE:
                return QueueOutcome(retry_in=SECONDS_ALONE)
        self.attempts.note(message.sqs_id, deaths + 1, self.clock())
        outcome = self._outcome(message, lambda: self._after(deaths, message, seconds_left))
        with suppress(StoreUnavailable):  # then the next attempt is made alone, and clears it
            self.attempts.note(message.sqs_id, 0, self.clock())
        return outcome

    def _deaths(self, sqs_id: str) -> int:
        """How often in a row the function died during an attempt at this message."""
        last = self.attempts.unfinished(sqs_id)
        if last is None or last.count == 0:
            return 0
        may_still_run = self.clock() - last.began < MAY_STILL_RUN
        return last.count - 1 if may_still_run else last.count

    def _after(
        self, deaths: int, message: ReceivedMessage, seconds_left: SecondsLeft
    ) -> QueueOutcome:
        if deaths < MAX_DEATHS:
            return self._try(message, seconds_left)
        # Where even that makes the function die, the next attempt goes on without it.
        ended = self.intake.give_up(message.body) if deaths == MAX_DEATHS else None
        return ended or _dead_letter(message, "interrupted")


def _dead_letter(message: ReceivedMessage, reason: str) -> QueueOutcome:
    return QueueOutcome(dead_letter=reason, body=with_identity(message.body, message.sqs_id))
