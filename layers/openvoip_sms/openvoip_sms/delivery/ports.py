"""The interfaces of the use cases; `adapters` implements them, tests and simulation fake them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from openvoip_sms.rules.call_result import CallResult
from openvoip_sms.rules.limits import Counts
from openvoip_sms.rules.period import ALWAYS, Period
from openvoip_sms.rules.record import Reason, Record, Status
from openvoip_sms.rules.resolution import Doubt, Resolution
from openvoip_sms.rules.unused import Unused

POINTER = "stored_message"  # a queue body with this key alone points to a stored message
QUEUED_AT = "queued_at"  # the attribute of a dead letter that says when it was queued first
MAX_MESSAGE_BYTES = 1024 * 1024  # of SQS: a body and its attributes
MAX_QUEUE_DELAY = timedelta(minutes=15)  # SQS DelaySeconds; further ahead needs the scheduler


class StoreUnavailable(Exception):
    """The table did not answer: a write may or may not have been applied. Try again later."""


class OutcomeNotRecorded(StoreUnavailable):
    """The gateway was called, and its outcome could not be stored: it will become `unknown`."""

    def __init__(self, record: Record) -> None:
        super().__init__("the outcome of a call could not be stored")
        self.record = record


class UnreadableRecord(StoreUnavailable):
    """There is a record that this version cannot read: of a later version, or damaged.

    Its message was accepted, and may have been sent: nothing may be sent for it. `texts` are its
    attributes of type text, `why` names the attribute that cannot be read.
    """

    status, reason = "unreadable", "record_unreadable"  # as the API shows it

    def __init__(self, record_id: str, texts: Mapping[str, str], why: str) -> None:
        super().__init__("a record cannot be read")
        self.id, self.texts, self.why = record_id, texts, why


class QueueUnavailable(Exception):
    """The queue (or the scheduler) did not accept the message. The reconciler will queue it."""


class SecretUnavailable(Exception):
    """A secret, the gateway's or the webhooks', cannot be read now. Try again later."""


class SecretNotSet(SecretUnavailable):
    """It holds a placeholder, lacks a key or is no JSON object. A person must fill it in."""


@dataclass(frozen=True, slots=True)
class Sms:
    """The content of one call to the gateway. Its text and number are not printed."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    to: str = field(repr=False)
    archive: bool = True


class Store(Protocol):
    """The table. Every method may raise `StoreUnavailable`, for one record `UnreadableRecord`."""

    def create(self, record: Record) -> Record:
        """Write the record if its id is new; return what is stored under that id now."""

    def get(self, record_id: str) -> Record | None:
        """Return the record by a consistent read, `None` if there is none."""

    def get_many(self, record_ids: Iterable[str]) -> Iterable[Record]:
        """Return those of the records that there are, in any order, by consistent reads.

        A record that cannot be read is left out.
        """

    def replace(self, old: Record, new: Record) -> Record | None:
        """Write `new` if `old`'s version is still current; return what is stored now."""

    def due(self, now: datetime) -> Iterable[Record]:
        """Return the open records whose `check_at` has passed, page by page.

        A record that cannot be read is left out.
        """


class BadCursor(ValueError):
    """The cursor was not one of this list's: start again from the first page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first; `cursor` leads to the next page, `None` at the end."""

    records: list[Record | UnreadableRecord]
    cursor: str | None


class RecordLists(Protocol):
    """Records for people. May raise `StoreUnavailable`; a list may raise `BadCursor`."""

    def get(self, record_id: str) -> Record | None: ...

    def to_recipient(
        self, number: str, limit: int, cursor: str | None, period: Period = ALWAYS
    ) -> Page: ...

    def in_status(
        self, status: Status, limit: int, cursor: str | None, period: Period = ALWAYS
    ) -> Page: ...

    def ids_in_status(self, status: Status, period: Period, maximum: int) -> list[str]:
        """Return the ids of the newest records of a period, the oldest of them first.

        The index may lag behind the table.
        """


@dataclass(frozen=True, slots=True)
class StoredResolution:
    """A decision about many records as it was stored first, with those records' versions."""

    resolution: Resolution
    doubts: Sequence[Doubt]


class Resolutions(Protocol):
    """Decisions about many records. May raise `StoreUnavailable`."""

    def get(self, resolution_id: str) -> StoredResolution | None:
        """Return what is stored under the id, by consistent reads."""

    def create(
        self, resolution: Resolution, doubts: Sequence[Doubt], now: datetime
    ) -> StoredResolution:
        """Store a decision whole if its id is new; return what is stored under that id now."""


class Gateway[Credentials](Protocol):
    """A service that sends SMS. `Credentials` is whatever type it signs its calls with."""

    def credentials(self, *, refresh: bool = False) -> Credentials:
        """Return what a call needs; with `refresh` bypassing every cache.

        Raises:
            SecretUnavailable: it cannot be read now.
        """

    def send(self, sms: Sms, credentials: Credentials) -> CallResult:
        """Make exactly one call; never raises."""


class Queue(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, delay: float = 0.0) -> None:
        """Hand a stored message to the sender in `delay` seconds, `MAX_QUEUE_DELAY` at most."""


class Schedule(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, at: datetime) -> None:
        """Hand a stored message to the queue at a moment; twice is the same as once."""

    def remove(self, record_id: str) -> None: ...


class Counters(Protocol):
    """Atomic counters. May raise `StoreUnavailable`."""

    def count(self, subject: str, now: datetime) -> Counts:
        """Count one more; return the counts with this one."""

    def pause(self, subject: str, until: datetime) -> None:
        """Mark the subject as paused: `count` returns it until then."""

    def count_unused(self, subject: str, now: datetime, *, is_fault: bool) -> Unused:
        """Count a call that caused no message; the next `count` of the subject ends the row."""

    def claim_once(self, subject: str, record_id: str, now: datetime, within: timedelta) -> str:
        """Return the id that claimed the subject first within that time: `record_id` if new."""


class ReceivedMessages(Protocol):
    """What the sender does with messages it received. May raise `QueueUnavailable`."""

    def delay_redelivery(self, receipt_handle: str, seconds: float) -> None:
        """Change the visibility: the message is delivered again in `seconds`."""

    def dead_letter(self, body: str, reason: str, queued_at: datetime | None) -> None:
        """Put a body into the dead-letter queue, with the reason and when it was queued first."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Attempts at a queue message that began and did not end, and when the last one began."""

    count: int
    began: datetime


class Attempts(Protocol):
    """A mark on each queue message that is received again. May raise `StoreUnavailable`."""

    def unfinished(self, sqs_id: str) -> Unfinished | None:
        """Return what was noted last, by a consistent read."""

    def note(self, sqs_id: str, count: int, now: datetime) -> None:
        """Store how many attempts are unfinished, with one that begins now."""


class Telemetry(Protocol):
    """Logs and metrics: what happened, for people."""

    def status_changed(self, record: Record) -> None:
        """A record reached a status."""

    def gateway_called(self, record: Record, result: CallResult, seconds: float) -> None:
        """The gateway was called for a record."""

    def outcome_not_recorded(self, record: Record) -> None:
        """This is what came of a call, and the table did not accept it."""

    def duplicate_received(self, record: Record) -> None:
        """A message was repeated, and nothing was sent for it."""

    def source_paused(self, record: Record) -> None:
        """A limit was exceeded: the source of this record sends nothing for a while."""

    def limit_exceeded(self, record: Record, reason: Reason) -> None:
        """A signed source exceeded a limit: its messages are sent, a person should know."""

    def source_unused(self, source: str, reason: str, unused: Unused) -> None:
        """A source's calls are authentic, and no message has come of the last ones."""

    def not_counted(self, source: str, error: Exception) -> None:
        """A call that caused no message could not be counted."""

    def hand_over_failed(self, record_id: str, error: Exception) -> None:
        """Queue or scheduler did not take a stored message; the reconciler will hand it over."""

    def schedule_not_removed(self, record_id: str, error: Exception) -> None:
        """The schedule of a cancelled message will fire, and cause nothing."""

    def secret_unavailable(self, record_id: str, error: Exception) -> None:
        """A message waits because the gateway secret cannot be read."""

    def message_delayed(self, sqs_id: str, error: Exception) -> None:
        """A queue message is retried because the table or the queue did not answer."""

    def message_interrupted(self, sqs_id: str, deaths: int) -> None:
        """The function died during so many attempts at a message, one after another."""

    def message_dead_lettered(self, reason: str) -> None:
        """A body was put into the dead-letter queue."""

    def queue_failed(self, error: Exception) -> None:
        """A call to the queue failed; the message returns after its visibility time-out."""

    def unhandled_error(self, component: str, error: Exception, **ids: str) -> None:
        """An error that the code did not expect."""


type Clock = Callable[[], datetime]
type Jitter = Callable[[], float]
type NewClaim = Callable[[], str]
