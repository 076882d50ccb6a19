"""What the use cases need of the world; `adapters` implements it, tests and simulation fake it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from openvoip_sms.rules.limits import Counts
from openvoip_sms.rules.record import Record
from openvoip_sms.rules.replies import Reply

POINTER = "stored_message"  # a queue body with this key alone stands for a stored message
QUEUE_DELAY_LIMIT = timedelta(minutes=15)  # SQS DelaySeconds; further ahead needs the scheduler


class StoreUnavailable(Exception):
    """The table did not answer: whether it wrote is not known. Try again later."""


class OutcomeUnrecorded(StoreUnavailable):
    """The gateway was called, and what came of it could not be written: it will be `unknown`."""

    def __init__(self, record_id: str) -> None:
        super().__init__("the outcome of a call could not be written")
        self.record_id = record_id


class QueueUnavailable(Exception):
    """The queue (or the scheduler) did not take the message. The reconciler will hand it over."""


class AccountUnavailable(Exception):
    """A secret, the gateway's or the webhooks', cannot be read now. Try again later."""


class AccountNotSet(AccountUnavailable):
    """It holds a placeholder, lacks a key or is no JSON object. A person must fill it in."""


@dataclass(frozen=True, slots=True)
class Account:
    """The customer's account at the gateway. Its secret does not print."""

    call_group: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sms:
    """What one call hands to the gateway. Its text and number do not print."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    to: str = field(repr=False)
    archive: bool = True


class Store(Protocol):
    """The table. Every method may raise `StoreUnavailable`."""

    def create(self, record: Record) -> Record:
        """Write the record if its id is new; return what now stands under that id."""

    def get(self, record_id: str) -> Record | None:
        """Return the record as of all writes that were answered."""

    def replace(self, old: Record, new: Record) -> Record | None:
        """Write `new` if `old`'s version still stands; return what now stands under that id."""

    def due(self, now: datetime) -> Iterable[Record]:
        """Return the open records whose `check_at` has passed, page by page."""


class Gateway(Protocol):
    def call(self, sms: Sms, account: Account) -> Reply:
        """Make exactly one call; never raises."""


class Accounts(Protocol):
    """May raise `AccountUnavailable`."""

    def current(self) -> Account: ...

    def afresh(self) -> Account:
        """Read past every cache."""


class Queue(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, delay: float = 0.0) -> None:
        """Hand a stored message to the sender in `delay` seconds, `QUEUE_DELAY_LIMIT` at most."""


class Schedule(Protocol):
    """May raise `QueueUnavailable`."""

    def put(self, record_id: str, at: datetime) -> None:
        """Hand a stored message to the queue at a moment; twice is the same as once."""

    def remove(self, record_id: str) -> None: ...


class Counters(Protocol):
    """Counts that hold however many count at the same time. May raise `StoreUnavailable`."""

    def count(self, subject: str, now: datetime) -> Counts:
        """Count one more; return the counts with this one."""

    def pause(self, subject: str, until: datetime) -> None:
        """Let every later count of this subject say that it is paused."""

    def first_with(self, subject: str, record_id: str, now: datetime, within: timedelta) -> str:
        """Return the id that took the subject first within that time: `record_id` if none had."""


class Journal(Protocol):
    """Logs and metrics: what happened, for people."""

    def changed(self, record: Record) -> None:
        """A record reached a status."""

    def called(self, record: Record, reply: Reply, seconds: float) -> None:
        """The gateway was called for a record."""

    def unrecorded(self, record: Record) -> None:
        """This is what came of a call, and the table did not take it."""

    def duplicate(self, record: Record) -> None:
        """A message came again and caused nothing."""

    def source_paused(self, record: Record) -> None:
        """A limit was passed: the source of this record sends nothing for a while."""

    def trouble(self, event: str, record_id: str, error: Exception) -> None:
        """Something behind us failed; nothing is lost, but a person may want to know."""


type Clock = Callable[[], datetime]
type Chance = Callable[[], float]
type NewClaim = Callable[[], str]
