"""The delivery's ports in plain memory: what a test needs to run a use case and inspect it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from openvoip_sms.delivery.ports import (
    MAX_CONTROL_AGE,
    HeldMessage,
    QueueUnavailable,
    Sms,
    StoredResolution,
    StoreUnavailable,
    Unfinished,
)
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import Brake, Place
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.guard_item import GuardItem, Mark, Note, Noted
from openvoip_sms.rules.limits import MAX_NOTED, SAME_TEXT_WITHIN, hour_of
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.record import WAITING, Reason, Record, Status
from openvoip_sms.rules.resolution import Doubt, Resolution
from openvoip_sms.rules.sending import Sending
from openvoip_sms.rules.unused import Unused
from openvoip_sms.rules.usage import DayUsage, day_of_claim, source_of

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

    def claim(self, record_id: str, claim: str, now: datetime) -> Record | None:
        self._answer()
        current = self.records.get(record_id)
        if current is None or not _is_claimable(current, now):
            return current
        return self._write(transitions.claimed(current, claim, now))

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


def _is_claimable(record: Record, now: datetime) -> bool:
    is_due = record.send_at is None or record.send_at <= now
    return record.status in WAITING and record.expires_at > now and is_due


def _is_due(record: Record, now: datetime) -> bool:
    return record.check_at is not None and record.check_at <= now


class FakeHeldMessages:
    """The index over a `FakeStore`'s messages that are held back.

    `lagging`: entries that it shows instead of those of the store.
    """

    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self.lagging: list[HeldMessage] | None = None

    def oldest_first(self, reasons: Iterable[Reason]) -> Iterator[HeldMessage]:
        if self.lagging is not None:
            yield from self.lagging
            return
        wanted = frozenset(reasons)
        found = [one for one in self._store.records.values() if one.held_by in wanted]
        for record in sorted(found, key=lambda one: (one.created_at, one.id)):
            if (entry := _held_message(record)) is not None:
                yield entry

    def wake(self, held: HeldMessage, now: datetime) -> bool:
        record = self._still_held(held)
        if record is not None:
            self._store.replace(record, transitions.woken(record, now))
        return record is not None

    def hold_for(
        self, held: HeldMessage, reason: Reason, until: datetime | None, now: datetime
    ) -> bool:
        record = self._still_held(held)
        if record is not None:
            again = replace(
                transitions.waiting_for(record, reason, until),
                check_at=record.check_at,
                updated_at=now,
                version=record.version + 1,
            )
            self._store.replace(record, again)
        return record is not None

    def _still_held(self, held: HeldMessage) -> Record | None:
        record = self._store.get(held.id)
        return record if record is not None and record.held_by is held.reason else None


def _held_message(record: Record) -> HeldMessage | None:
    if record.held_by is None:
        return None
    return HeldMessage(
        id=record.id,
        reason=record.held_by,
        segments=record.segments or 0,
        expires_at=record.expires_at,
        held_until=record.held_until,
        maybe_sent=record.maybe_sent,
    )


class FakeControl:
    """The switch and the brake, with the cache that a container has.

    `down`: every call fails. `overtaken_by`: so many other workers change it between a read and the
    write that follows, each with the next of these.
    """

    def __init__(self, clock: FakeClock, sending: Sending | None = None) -> None:
        self._clock = clock
        self.stored = sending or Sending()
        self._known: tuple[Sending, datetime] | None = None
        self.down = False
        self.overtaken_by: list[Callable[[Sending], Sending]] = []
        self.reads = self.writes = 0

    def current(self) -> Sending:
        known, now = self._known, self._clock()
        if known is not None and known[1] <= now < known[1] + MAX_CONTROL_AGE:
            return known[0]
        return self.fresh()

    def fresh(self) -> Sending:
        self._answer()
        self.reads += 1
        return self._learn()

    def change(self, change: Callable[[Sending], Sending]) -> tuple[Sending, Sending]:
        before = self.current()
        if change(before) == before:
            before = self.fresh()
        while True:
            after = change(before)
            if after == before:
                return before, after
            self._answer()
            if self.overtaken_by:
                self.stored = self.overtaken_by.pop(0)(self.stored)
            if before.version == self.stored.version:
                self.stored, self.writes = after, self.writes + 1
                self._learn()
                return before, after
            before = self._learn()

    def _learn(self) -> Sending:
        self._known = self.stored, self._clock()
        return self.stored

    def _answer(self) -> None:
        if self.down:
            raise StoreUnavailable("ThrottlingException")


@dataclass
class _Figures:
    segments: int = 0
    messages: int = 0
    cost_eur: Decimal = Decimal(0)
    by_source: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record, sign: int) -> None:
        segments, source = sign * (record.segments or 0), source_of(record)
        self.segments += segments
        self.messages += sign
        self.cost_eur += sign * (record.cost_eur or 0)
        self.by_source[source] = self.by_source.get(source, 0) + segments


class FakeUsage:
    """The day's counters. `down`: every call fails before it does anything.

    `lost_responses`: so many of the next reservations are counted and then reported as failed.
    """

    def __init__(self) -> None:
        self.counted: dict[date, _Figures] = {}
        self.uncertain: dict[date, _Figures] = {}
        self.not_counted: list[Record] = []
        self.down = False
        self.lost_responses = 0

    def reserve(self, claimed: Record, limit: int) -> Place | None:
        if self.down:
            raise StoreUnavailable("ThrottlingException")
        day, segments = day_of_claim(claimed), claimed.segments or 0
        if day is None or (limit and self.used(day) + segments > limit):
            return None
        self._add(self.counted, claimed, 1)
        if self.lost_responses:
            self.lost_responses -= 1
            self.add_uncertain(claimed)
            raise StoreUnavailable("ReadTimeoutError")
        return Place(day, self.counted[day].messages, claimed.claim or "")

    def give_back(self, claimed: Record) -> None:
        self._add(self.counted, claimed, -1)

    def add_uncertain(self, claimed: Record) -> None:
        self._add(self.uncertain, claimed, 1)

    def remove_uncertain(self, claimed: Record) -> None:
        self._add(self.uncertain, claimed, -1)

    def used(self, day: date) -> int:
        return self.counted[day].segments if day in self.counted else 0

    def days(self, first: date, last: date) -> list[DayUsage]:
        return [self.of(first + timedelta(days=n)) for n in range((last - first).days + 1)]

    def of(self, day: date) -> DayUsage:
        all_, uncertain = (one.get(day, _Figures()) for one in (self.counted, self.uncertain))
        by_source = {
            source: segments - uncertain.by_source.get(source, 0)
            for source, segments in all_.by_source.items()
        }
        return DayUsage(
            day,
            all_.segments - uncertain.segments,
            all_.messages - uncertain.messages,
            all_.cost_eur - uncertain.cost_eur,
            uncertain.segments,
            {source: segments for source, segments in by_source.items() if segments},
        )

    def _add(self, figures: dict[date, _Figures], claimed: Record, sign: int) -> None:
        day = day_of_claim(claimed)
        if self.down:
            self.not_counted.append(claimed)
        elif day is not None:
            figures.setdefault(day, _Figures()).add(claimed, sign)


class FakeWaker:
    """Counts how often the reconciler was called."""

    def __init__(self) -> None:
        self.calls = 0

    def call(self) -> None:
        self.calls += 1


class FakeGateway:
    """Answers with the results of its script, then with `default`.

    A script's entry may be a function: it runs in the middle of the call, then gives the result.
    It has one account after another: a refresh goes on to the next. `secret_fails_with` is raised
    instead, as long as it is set. `healthy`: what a probe finds.
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
        self.healthy = True
        self.probes: list[OpenvoipAccount] = []

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

    def probe(self, credentials: OpenvoipAccount) -> bool:
        self.probes.append(credentials)
        return self.healthy


class FakeQueue:
    """Keeps (id, delay) of what was queued; `down`: every call fails; `refused`: ids not taken.

    `length`: how many messages it says are waiting, one after another, the last one for good.
    """

    def __init__(self) -> None:
        self.queued: list[tuple[str, float]] = []
        self.probes: list[float] = []
        self.down = False
        self.refused: set[str] = set()
        self.length = [0]

    def put(self, record_id: str, delay: float = 0.0) -> None:
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")
        self.queued.append((record_id, delay))

    def put_all(self, record_ids: Sequence[str]) -> Sequence[str]:
        refused = [one for one in record_ids if self.down or one in self.refused]
        self.queued += [(one, 0.0) for one in record_ids if one not in refused]
        return refused

    def put_probe(self, delay: float) -> None:
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")
        self.probes.append(delay)

    def waiting(self) -> int:
        return self.length.pop(0) if len(self.length) > 1 else self.length[0]


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
    brakes: list[Brake] = field(default_factory=list)

    def status_changed(self, record: Record) -> None:
        self.changes.append(record)

    def gateway_called(self, record: Record, result: CallResult, seconds: float) -> None:
        self.calls.append((record, result, seconds))

    def brake_changed(self, brake: Brake) -> None:
        self.brakes.append(brake)

    def brake_not_changed(self, error: Exception) -> None:
        self.failures.append(("brake", "", error))

    def usage_not_counted(self, record: Record, error: Exception) -> None:
        self.failures.append(("usage", record.id, error))

    def not_woken(self, error: Exception) -> None:
        self.failures.append(("waker", "", error))

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
