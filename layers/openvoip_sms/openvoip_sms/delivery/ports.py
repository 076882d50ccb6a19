"""The interfaces of the use cases; `adapters` implements them, tests and simulation fake them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from openvoip_sms.rules.brake import Brake, Place
from openvoip_sms.rules.call_result import CallResult
from openvoip_sms.rules.guard_item import GuardItem, Mark, Note, Noted
from openvoip_sms.rules.period import ALWAYS, Period
from openvoip_sms.rules.record import Reason, Record, Status
from openvoip_sms.rules.resolution import Doubt, Resolution
from openvoip_sms.rules.sending import Sending
from openvoip_sms.rules.unused import Unused
from openvoip_sms.rules.usage import DayUsage

MAX_CONTROL_AGE = timedelta(seconds=2)
POINTER = "stored_message"  # a queue body with this key alone points to a stored message
PROBE = {"probe": "gateway"}  # the queue body that asks for a probe of the gateway
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

    def claim(self, record_id: str, claim: str, now: datetime) -> Record | None:
        """Claim a waiting record whose time has come; return what is stored now.

        It is claimed if it is `sending` with this claim. Nothing is read before.
        """

    def due(self, now: datetime) -> Iterable[Record]:
        """Return the open records whose `check_at` has passed, page by page.

        A record that cannot be read is left out.
        """


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message that is held back, as the index over these shows it. The index may lag."""

    id: str
    reason: Reason
    segments: int
    expires_at: datetime
    held_until: datetime | None = None
    maybe_sent: bool = False


class HeldMessages(Protocol):
    """The messages that are held back. May raise `StoreUnavailable`."""

    def oldest_first(self, reasons: Iterable[Reason]) -> Iterator[HeldMessage]:
        """Return them page by page, of all these reasons together."""

    def wake(self, held: HeldMessage, now: datetime) -> bool:
        """Store that it waits in the queue; false if it is not held for this reason any more."""

    def hold_for(
        self, held: HeldMessage, reason: Reason, until: datetime | None, now: datetime
    ) -> bool:
        """Store another reason or moment; false if it is not held for this reason any more."""


class SendingControl(Protocol):
    """The item that holds all messages back. May raise `StoreUnavailable`."""

    def current(self) -> Sending:
        """Return it as it was at most `MAX_CONTROL_AGE` ago."""

    def fresh(self) -> Sending:
        """Return it by a consistent read."""

    def change(self, change: Callable[[Sending], Sending]) -> tuple[Sending, Sending]:
        """Store what `change` makes of the current state; return before and after.

        `change` is called again when another was faster; nothing is written if it changes nothing.
        """


class Usage(Protocol):
    """The day's counters, by the day of a record's claim. Only `reserve` may raise.

    The others are tried once: if one fails, the day has less left than it might.
    """

    def reserve(self, claimed: Record, limit: int) -> Place | None:
        """Count a claimed record before its call; return its place among the day's calls.

        `None`: it does not fit into the limit (0: none). It is tried again only where it certainly
        did not reach the table.

        Raises:
            StoreUnavailable: it may or may not have been counted, and must not be called.
        """

    def give_back(self, claimed: Record) -> None:
        """It was certainly not sent."""

    def add_uncertain(self, claimed: Record) -> None:
        """It is not known whether it was sent."""

    def remove_uncertain(self, claimed: Record) -> None:
        """It became known."""

    def used(self, day: date) -> int:
        """Return the segments that count for the day's limit. May raise `StoreUnavailable`."""

    def days(self, first: date, last: date) -> list[DayUsage]:
        """Return each day's usage. May raise `StoreUnavailable`."""


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

    def probe(self, credentials: Credentials) -> bool:
        """Make a call that cannot send anything; return whether a healthy gateway answered."""


class Queue(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, delay: float = 0.0) -> None:
        """Hand a stored message to the sender in `delay` seconds, `MAX_QUEUE_DELAY` at most."""

    def put_all(self, record_ids: Sequence[str]) -> Sequence[str]:
        """Hand stored messages to the sender; return the ids that the queue did not take.

        Never raises.
        """

    def put_probe(self, delay: float) -> None:
        """Ask the sender for a probe of the gateway in `delay` seconds."""

    def waiting(self) -> int:
        """Return about how many messages may be received now; many where nobody can tell."""


class Waker(Protocol):
    """The reconciler, which hands over what is held back no longer."""

    def call(self) -> None:
        """Let it run now. A failure is left to its next run."""


class Schedule(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, at: datetime) -> None:
        """Hand a stored message to the queue at a moment; twice is the same as once."""

    def remove(self, record_id: str) -> None: ...


class Counters(Protocol):
    """Guard items and rows of unused calls, by their subject. May raise `StoreUnavailable`."""

    def note(self, note: Note, now: datetime, *, instead_of: Mark | None = None) -> Noted:
        """Note a message by one write: again, it changes nothing in the same hour.

        Not if its text was another's within `SAME_TEXT_WITHIN`, unless that is `instead_of`.
        """

    def take_back(self, note: Note, now: datetime) -> None:
        """Let a message that was noted at this moment not count."""

    def look(self, subject: str, now: datetime) -> GuardItem:
        """Return an item, an empty one if there is none."""

    def pause(self, subject: str, until: datetime) -> None:
        """Mark the subject as paused."""

    def count_unused(self, subject: str, now: datetime, *, is_fault: bool) -> Unused:
        """Count a call that caused no message; the next `note` ends the row."""

    def end_unused(self, subject: str) -> None:
        """End the row of calls without a message."""


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

    def switched(self, sending: Sending) -> None:
        """A person stopped all sending, or let it go on."""

    def brake_changed(self, brake: Brake) -> None:
        """The brake shut, or opened by half or wholly."""

    def usage_not_counted(self, record: Record, error: Exception) -> None:
        """The day's counter did not take a change: the day has less left than it might."""

    def brake_not_changed(self, error: Exception) -> None:
        """An answer of the gateway could not be told to the brake."""

    def not_woken(self, error: Exception) -> None:
        """The reconciler could not be called at once."""

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
