"""The delivery's ports in plain memory: what a test needs to run a use case and inspect it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from openvoip_sms.delivery.ports import (
    QueueUnavailable,
    Sms,
    StoredResolution,
    StoreUnavailable,
    Unfinished,
)
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.guard_item import GuardItem, Mark, Note, Noted
from openvoip_sms.rules.limits import MAX_NOTED, SAME_TEXT_WITHIN, hour_of
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.record import Reason, Record, Status
from openvoip_sms.rules.resolution import Doubt, Resolution
from openvoip_sms.rules.unused import Unused

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
ACCEPTED = CallResult(CallOutcome.ACCEPTED, "000", "000 messaggio inoltrato correttamente")


class FakeClock:
    """A clock that moves only when a test advances it."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeStore:
    """A table. `down`: every call fails before it does anything.

    `lost_responses`: so many of the next writes are stored and then reported as failed.
    """

    def __init__(self, *records: Record) -> None:
        self.records = {record.id: record for record in records}
        self.down = False
        self.lost_responses = 0
        self.history: list[Record] = list(records)

    def create(self, record: Record) -> Record:
        self._answer()
        return self.records[record.id] if record.id in self.records else self._write(record)

    def get(self, record_id: str) -> Record | None:
        self._answer()
        return self.records.get(record_id)

    def get_many(self, record_ids: Iterable[str]) -> Iterable[Record]:
        self._answer()
        return [self.records[key] for key in record_ids if key in self.records]

    def replace(self, old: Record, new: Record) -> Record | None:
        self._answer()
        current = self.records.get(old.id)
        if current is None or current.version != old.version:
            return current
        return self._write(new)

    def due(self, now: datetime) -> Iterable[Record]:
        self._answer()
        keys = [key for key, record in self.records.items() if _is_due(record, now)]
        for key in keys:
            if _is_due(self.records[key], now):  # another run may have been faster
                yield self.records[key]

    def __getitem__(self, record_id: str) -> Record:
        return self.records[record_id]

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("ThrottlingException")

    def _write(self, record: Record) -> Record:
        self.records[record.id] = record
        self.history.append(record)
        if self.lost_responses:
            self.lost_responses -= 1
            raise StoreUnavailable("ReadTimeoutError")
        return record


def _is_due(record: Record, now: datetime) -> bool:
    return record.check_at is not None and record.check_at <= now


class FakeGateway:
    """Answers with the results of its script, then with `default`.

    A script's entry may be a function: it runs in the middle of the call, then gives the result.
    It has one account after another: a refresh goes on to the next. `secret_fails_with` is raised
    instead, as long as it is set.
    """

    def __init__(
        self,
        *script: CallResult | Callable[[], CallResult],
        default: CallResult = ACCEPTED,
        accounts: tuple[OpenvoipAccount, ...] = (OpenvoipAccount("9999", "a-secret"),),
        secret_fails_with: Exception | None = None,
    ) -> None:
        self._script: Iterator[CallResult | Callable[[], CallResult]] = iter(script)
        self.default = default
        self.calls: list[tuple[Sms, OpenvoipAccount]] = []
        self.accepted: list[Sms] = []
        self.accounts = list(accounts)
        self.secret_fails_with = secret_fails_with
        self.refreshed = 0

    def credentials(self, *, refresh: bool = False) -> OpenvoipAccount:
        self.refreshed += refresh
        if refresh and len(self.accounts) > 1:
            self.accounts.pop(0)
        if self.secret_fails_with is not None:
            raise self.secret_fails_with
        return self.accounts[0]

    def send(self, sms: Sms, credentials: OpenvoipAccount) -> CallResult:
        self.calls.append((sms, credentials))
        entry = next(self._script, self.default)
        result = entry() if callable(entry) else entry
        if result.outcome is CallOutcome.ACCEPTED:
            self.accepted.append(sms)
        return result


class FakeQueue:
    """Keeps (id, delay) of what was queued; `down`: every call fails."""

    def __init__(self) -> None:
        self.queued: list[tuple[str, float]] = []
        self.down = False

    def put(self, record_id: str, delay: float = 0.0) -> None:
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")
        self.queued.append((record_id, delay))


class FakeSchedule:
    """Keeps the time of each id; `down`: every call fails."""

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


class FakeLists:
    """The index by status of a store; `lagging`: ids that it does not know yet."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.lagging: set[str] = set()

    def ids_in_status(self, status: Status, period: Period, maximum: int) -> list[str]:
        found = sorted(
            (record.created_at, key)
            for key, record in self._store.records.items()
            if record.status is status and _is_within(record.created_at, period)
        )
        return [key for _, key in found if key not in self.lagging][-maximum:]


def _is_within(moment: datetime, period: Period) -> bool:
    return (period.since is None or moment >= period.since) and (
        period.until is None or moment < period.until
    )


class FakeResolutions:
    """Keeps what was stored first under each id."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredResolution] = {}

    def get(self, resolution_id: str) -> StoredResolution | None:
        return self.stored.get(resolution_id)

    def create(
        self, resolution: Resolution, doubts: Sequence[Doubt], _now: datetime
    ) -> StoredResolution:
        new = StoredResolution(resolution, tuple(doubts))
        return self.stored.setdefault(resolution.id, new)


@dataclass
class FakeTelemetry:
    """Keeps what was reported."""

    changes: list[Record] = field(default_factory=list)
    calls: list[tuple[Record, CallResult, float]] = field(default_factory=list)
    duplicates: list[Record] = field(default_factory=list)
    failures: list[tuple[str, str, Exception]] = field(default_factory=list)
    pauses: list[Record] = field(default_factory=list)
    exceeded: list[tuple[str, Reason]] = field(default_factory=list)
    unused: list[tuple[str, str, Unused]] = field(default_factory=list)
    not_recorded: list[Record] = field(default_factory=list)
    interrupted: list[tuple[str, int]] = field(default_factory=list)
    dead_lettered: list[str] = field(default_factory=list)
    unhandled: list[Exception] = field(default_factory=list)

    def status_changed(self, record: Record) -> None:
        self.changes.append(record)

    def gateway_called(self, record: Record, result: CallResult, seconds: float) -> None:
        self.calls.append((record, result, seconds))

    def duplicate_received(self, record: Record) -> None:
        self.duplicates.append(record)

    def hand_over_failed(self, record_id: str, error: Exception) -> None:
        self.failures.append(("hand_over", record_id, error))

    def schedule_not_removed(self, record_id: str, error: Exception) -> None:
        self.failures.append(("schedule", record_id, error))

    def secret_unavailable(self, record_id: str, error: Exception) -> None:
        self.failures.append(("secret", record_id, error))

    def message_delayed(self, sqs_id: str, error: Exception) -> None:
        self.failures.append(("delayed", sqs_id, error))

    def queue_failed(self, error: Exception) -> None:
        self.failures.append(("queue", "", error))

    def outcome_not_recorded(self, record: Record) -> None:
        self.not_recorded.append(record)

    def source_paused(self, record: Record) -> None:
        self.pauses.append(record)

    def limit_exceeded(self, record: Record, reason: Reason) -> None:
        self.exceeded.append((record.id, reason))

    def source_unused(self, source: str, reason: str, unused: Unused) -> None:
        self.unused.append((source, reason, unused))

    def not_counted(self, source: str, error: Exception) -> None:
        self.failures.append(("not_counted", source, error))

    def message_interrupted(self, sqs_id: str, deaths: int) -> None:
        self.interrupted.append((sqs_id, deaths))

    def message_dead_lettered(self, reason: str) -> None:
        self.dead_lettered.append(reason)

    def unhandled_error(self, _component: str, error: Exception, **_ids: str) -> None:
        self.unhandled.append(error)


class FakeAttempts:
    """Keeps what was noted; `down`: every call fails; `not_cleared`: only those of a 0."""

    def __init__(self) -> None:
        self.noted: dict[str, Unfinished] = {}
        self.down = self.not_cleared = False
        self.calls = 0

    def unfinished(self, sqs_id: str) -> Unfinished | None:
        self._answer(fails=self.down)
        return self.noted.get(sqs_id)

    def note(self, sqs_id: str, count: int, now: datetime) -> None:
        self._answer(fails=self.down or (self.not_cleared and count == 0))
        self.noted[sqs_id] = Unfinished(count, now)

    def _answer(self, *, fails: bool) -> None:
        self.calls += 1
        if fails:
            raise StoreUnavailable("ThrottlingException")


class FakeCounters:
    """Items in memory, by subject; `writes` are the subjects of the notes that were written."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, int], frozenset[str]] = {}
        self.marks: dict[tuple[str, str], Mark] = {}
        self.paused: dict[str, datetime] = {}
        self.rows: dict[str, Unused] = {}
        self.writes: list[str] = []
        self.looks = 0
        self.down = False

    def note(self, note: Note, now: datetime, *, instead_of: Mark | None = None) -> Noted:
        key = note.subject, hour_of(now)
        item, first = self._item(note.subject, now), self.marks.get((note.subject, note.mark))
        is_active = first is not None and first.at > now - SAME_TEXT_WITHIN
        if first is not None and is_active and first != instead_of:
            return Noted(item, None if first.id == note.id else first)
        if len(item.this_hour) >= MAX_NOTED:
            return Noted(item, is_full=note.entry not in item.this_hour)
        self.writes.append(note.subject)
        self.marks[note.subject, note.mark] = Mark(note.mark, note.id, now)
        self.entries[key] = item.this_hour | {note.entry}
        self.rows.pop(note.subject, None)
        return Noted(self._item(note.subject, now))

    def take_back(self, note: Note, now: datetime) -> None:
        key = note.subject, hour_of(now)
        self.entries[key] = self.entries[key] - {note.entry}

    def look(self, subject: str, now: datetime) -> GuardItem:
        self.looks += 1
        return self._item(subject, now)

    def pause(self, subject: str, until: datetime) -> None:
        self.paused[subject] = until

    def count_unused(self, subject: str, now: datetime, *, is_fault: bool) -> Unused:
        if self.down:
            raise StoreUnavailable("ThrottlingException")
        row = self.rows.get(subject, Unused(0, 0, now))
        self.rows[subject] = Unused(row.calls + 1, row.faults + is_fault, row.since)
        return self.rows[subject]

    def end_unused(self, subject: str) -> None:
        self.rows.pop(subject, None)

    def _item(self, subject: str, now: datetime) -> GuardItem:
        return GuardItem(
            self.entries.get((subject, hour_of(now)), frozenset()),
            self.entries.get((subject, hour_of(now) - 1), frozenset()),
            tuple(mark for (of, _), mark in self.marks.items() if of == subject),
            self.paused.get(subject),
            subject in self.rows,
        )
