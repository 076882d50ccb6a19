"""Hand over the messages that were held back, when what held them has ended.

Oldest first, whatever held them, and no faster than the sender's concurrency allows: what is queued
beyond that would only make new messages wait. If the sender is faster, the queue is kept filled for
half a minute. Two runs may overlap: a message is queued only by the run whose conditional write has
taken its reason away.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, islice

from openvoip_sms.delivery.braking import Probes
from openvoip_sms.delivery.ports import (
    Clock,
    HeldMessage,
    HeldMessages,
    Queue,
    SendingControl,
    Store,
    StoreUnavailable,
    Usage,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.brake import FIRST_STEP, Brake
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import HELD_BY, WAITING, Reason
from openvoip_sms.rules.rome import day_of, midnight_after

BATCH = 100  # messages between two looks at the queue, the switch and the brake
MAX_LEFT = 10_000  # entries of the index that a run passes without a change
SECONDS_KEPT = 20.0  # for what the reconciler does besides
SECONDS_AHEAD = 30.0  # of the sender's work
LOOK_AGAIN = 1.0  # seconds, while the queue is full

type ForEach = Callable[[Callable[[HeldMessage], bool], Sequence[HeldMessage]], Iterable[bool]]


@dataclass(slots=True)
class _Room:
    """Segments that today's limit leaves, as far as this run knows; `None`: no limit."""

    left: int | None

    def takes(self, segments: int) -> bool:
        if self.left is None:
            return True
        if segments > self.left:
            return False
        self.left -= segments
        return True


@dataclass(frozen=True, slots=True)
class Waking:
    """May raise `StoreUnavailable`: the next run continues."""

    held: HeldMessages
    store: Store
    control: SendingControl
    probes: Probes
    usage: Usage
    queue: Queue
    policy: Policy
    clock: Clock
    rate: float  # messages a second, as the sender's concurrency allows
    sleep: Callable[[float], None]

    def run(self, seconds_left: Callable[[], float], for_each: ForEach) -> int:
        """Return how many messages were handed over. `for_each` works on several at once."""
        sending = self.control.fresh()
        if sending.pause is not None:
            return 0
        if not sending.brake.is_open:
            self.probes.ask_if_late(sending.brake)
            return self._try_some(sending.brake, for_each)
        return self._wake_all(seconds_left, for_each)

    def _try_some(self, brake: Brake, for_each: ForEach) -> int:
        """As many as a half-open brake has permits for; the first is none that was in doubt."""
        now = self.clock()
        if not brake.has_permits(now):
            return 0
        permits = brake.half_open_size - min(brake.half_open_taken, brake.half_open_size - 1)
        first = brake.half_open_size == FIRST_STEP
        waiting = (
            one
            for one in self.held.oldest_first(HELD_BY)
            if one.expires_at > now
            and one.reason is not Reason.DAILY_LIMIT
            and not (first and one.maybe_sent)
        )
        return self._wake(list(islice(waiting, permits)), for_each)

    def _wake_all(self, seconds_left: Callable[[], float], for_each: ForEach) -> int:
        room, woken, left, began = self._room(), 0, 0, self.clock()
        for batch in batched(self.held.oldest_first(HELD_BY), BATCH, strict=False):
            if left > MAX_LEFT or not self._wait_for_the_sender(woken, began, seconds_left):
                break
            if self.control.current().held_by(self.clock()) is not None:
                break
            to_wake, to_keep = self._sorted(batch, room)
            woken += self._wake(to_wake, for_each)
            kept = sum(for_each(self._keep, to_keep))
            left += len(batch) - len(to_wake) - kept
        return woken

    def _room(self) -> _Room:
        limit = self.policy.daily_segment_limit
        return _Room(limit - self.usage.used(day_of(self.clock())) if limit else None)

    def _sorted(
        self, batch: Iterable[HeldMessage], room: _Room
    ) -> tuple[list[HeldMessage], list[HeldMessage]]:
        """Those that may go; and those that the day's limit holds now, and do not say so yet."""
        now = self.clock()
        to_wake, to_keep = list[HeldMessage](), list[HeldMessage]()
        for one in batch:
            if one.expires_at <= now:
                continue  # the reconciler ends it
            if room.takes(one.segments):
                to_wake.append(one)
            elif not _is_held_today(one, now):
                to_keep.append(one)
        return to_wake, to_keep

    def _wait_for_the_sender(
        self, woken: int, began: datetime, seconds_left: Callable[[], float]
    ) -> bool:
        """Return whether the next ones may be queued, and false when this run has no time left."""
        while seconds_left() > SECONDS_KEPT:
            behind = woken <= self.rate * (self.clock() - began).total_seconds()
            if behind or self.queue.waiting() < self.rate * SECONDS_AHEAD:
                return True
            self.sleep(LOOK_AGAIN)
        return False

    def _wake(self, messages: Sequence[HeldMessage], for_each: ForEach) -> int:
        """Write first, queue second: what the queue does not take is found by its check."""
        now = self.clock()
        changed = for_each(lambda one: self.held.wake(one, now), messages)
        ids = [one.id for one, woken in zip(messages, changed, strict=True) if woken]
        for record_id in self.queue.put_all(ids) if ids else ():
            self._check_soon(record_id)
        return len(ids)

    def _keep(self, one: HeldMessage) -> bool:
        now = self.clock()
        return self.held.hold_for(one, Reason.DAILY_LIMIT, midnight_after(now), now)

    def _check_soon(self, record_id: str) -> None:
        with suppress(StoreUnavailable):
            record = self.store.get(record_id)
            if record is not None and record.status in WAITING and record.held_by is None:
                again = transitions.to_hand_over_again(record, self.clock())
                self.store.replace(record, again)


def _is_held_today(one: HeldMessage, now: datetime) -> bool:
    """Whether it says that the limit holds it, and until a midnight that is to come."""
    says_so = one.reason is Reason.DAILY_LIMIT and one.held_until is not None
    return says_so and one.held_until is not None and one.held_until > now
