"""The delivery's ports in plain memory: what a test needs to drive a use case and look at it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from openvoip_sms.delivery.ports import Account, QueueUnavailable, Sms, StoreUnavailable
from openvoip_sms.rules.limits import Counts, hour_of
from openvoip_sms.rules.record import Record
from openvoip_sms.rules.replies import Reply, Verdict

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ACCEPTED = Reply(Verdict.ACCEPTED, "000", "000 messaggio inoltrato correttamente")


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeStore:
    """A table. `down`: every call fails before it does anything.

    `loses_answers`: so many of the next writes are done and then reported as failed.
    """

    def __init__(self, *records: Record) -> None:
        self.records = {record.id: record for record in records}
        self.down = False
        self.loses_answers = 0
        self.history: list[Record] = list(records)

    def create(self, record: Record) -> Record:
        self._answer()
        return self.records[record.id] if record.id in self.records else self._write(record)

    def get(self, record_id: str) -> Record | None:
        self._answer()
        return self.records.get(record_id)

    def replace(self, old: Record, new: Record) -> Record | None:
        self._answer()
        stands = self.records.get(old.id)
        if stands is None or stands.version != old.version:
            return stands
        return self._write(new)

    def due(self, now: datetime) -> Iterable[Record]:
        self._answer()
        keys = [key for key, record in self.records.items() if _is_due(record, now)]
        for key in keys:
            if _is_due(self.records[key], now):  # another run may have been quicker
                yield self.records[key]

    def __getitem__(self, record_id: str) -> Record:
        return self.records[record_id]

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("ThrottlingException")

    def _write(self, record: Record) -> Record:
        self.records[record.id] = record
        self.history.append(record)
        if self.loses_answers:
            self.loses_answers -= 1
            raise StoreUnavailable("ReadTimeoutError")
        return record


def _is_due(record: Record, now: datetime) -> bool:
    return record.check_at is not None and record.check_at <= now


class FakeGateway:
    """Answers with the replies of its script, then with `otherwise`.

    A script's entry may be a function: it runs in the middle of the call, then gives the reply.
    """

    def __init__(self, *script: Reply | Callable[[], Reply], otherwise: Reply = ACCEPTED) -> None:
        self._script: Iterator[Reply | Callable[[], Reply]] = iter(script)
        self.otherwise = otherwise
        self.calls: list[tuple[Sms, Account]] = []
        self.accepted: list[Sms] = []

    def call(self, sms: Sms, account: Account) -> Reply:
        self.calls.append((sms, account))
        entry = next(self._script, self.otherwise)
        reply = entry() if callable(entry) else entry
        if reply.verdict is Verdict.ACCEPTED:
            self.accepted.append(sms)
        return reply


class FakeAccounts:
    """Gives one account after another: `afresh` goes on to the next.

    `fails_with` is raised instead, as long as it stands.
    """

    def __init__(self, *accounts: Account, fails_with: Exception | None = None) -> None:
        self.accounts = list(accounts) or [Account("9999", "a-secret")]
        self.fails_with = fails_with
        self.read_afresh = 0

    def current(self) -> Account:
        if self.fails_with is not None:
            raise self.fails_with
        return self.accounts[0]

    def afresh(self) -> Account:
        self.read_afresh += 1
        if len(self.accounts) > 1:
            self.accounts.pop(0)
        return self.current()


class FakeQueue:
    """Keeps (id, delay) of what was put; `down`: takes nothing."""

    def __init__(self) -> None:
        self.put_in: list[tuple[str, float]] = []
        self.down = False

    def put(self, record_id: str, delay: float = 0.0) -> None:
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")
        self.put_in.append((record_id, delay))


class FakeSchedule:
    """Keeps the moment of each id; `down`: does nothing."""

    def __init__(self) -> None:
        self.at: dict[str, datetime] = {}
        self.down = False

    def put(self, record_id: str, at: datetime) -> None:
        self._answer()
        self.at.setdefault(record_id, at)

    def remove(self, record_id: str) -> None:
        self._answer()
        self.at.pop(record_id, None)

    def _answer(self) -> None:
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")


@dataclass
class FakeJournal:
    """Keeps what was told to people."""

    changes: list[Record] = field(default_factory=list)
    calls: list[tuple[Record, Reply, float]] = field(default_factory=list)
    duplicates: list[Record] = field(default_factory=list)
    troubles: list[tuple[str, str, Exception]] = field(default_factory=list)
    pauses: list[Record] = field(default_factory=list)
    lost_outcomes: list[Record] = field(default_factory=list)

    def changed(self, record: Record) -> None:
        self.changes.append(record)

    def called(self, record: Record, reply: Reply, seconds: float) -> None:
        self.calls.append((record, reply, seconds))

    def duplicate(self, record: Record) -> None:
        self.duplicates.append(record)

    def trouble(self, event: str, record_id: str, error: Exception) -> None:
        self.troubles.append((event, record_id, error))

    def unrecorded(self, record: Record) -> None:
        self.lost_outcomes.append(record)

    def source_paused(self, record: Record) -> None:
        self.pauses.append(record)


class FakeCounters:
    """Counts in memory, by subject and clock hour."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], int] = {}
        self.paused: dict[str, datetime] = {}
        self.texts: dict[str, tuple[str, datetime]] = {}

    def count(self, subject: str, now: datetime) -> Counts:
        hour = hour_of(now)
        self.counts[subject, hour] = self.counts.get((subject, hour), 0) + 1
        last = self.counts.get((subject, hour - 1), 0)
        return Counts(self.counts[subject, hour], last, self.paused.get(subject))

    def pause(self, subject: str, until: datetime) -> None:
        self.paused[subject] = until

    def first_with(self, subject: str, record_id: str, now: datetime, within: timedelta) -> str:
        first, since = self.texts.get(subject, (record_id, now - within))
        if since > now - within:
            return first
        self.texts[subject] = record_id, now
        return record_id
