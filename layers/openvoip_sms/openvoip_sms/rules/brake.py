"""The brake: no message is claimed while the gateway's answers are unclear (pure functions).

It shuts when half of ten answers in a row, or five of fewer, left it unclear whether the message
was sent. After a pause one worker makes a probe, a call that cannot send anything. When that is
answered as a healthy gateway does, the brake is half open: it lets 1, 2, 4 and 8 messages through.
Then it is open.

The answers themselves are not counted, as each would cost a write: a call's place in the day's
counter says how many clear answers lie between two unclear ones. A call that was certainly not
sent gives its place back, so it counts neither way.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

SPAN, UNCLEAR = 10, 5  # calls in a row, and how many unclear ones among them shut the brake
REMEMBERED = 64  # unclear answers: more than may be in flight while others are answered
FIRST_PAUSE, LAST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
CLOCKS_DIFFER = timedelta(seconds=1)  # of two containers: the message that asks comes once
PROBE_LEASE = timedelta(seconds=60)  # longer than the probe's call, shorter than a dead worker
FIRST_STEP, LAST_STEP = 1, 8  # messages at once
PERMIT_LEASE = timedelta(minutes=2)  # after this a message without an answer has no worker any more


class BrakeState(StrEnum):
    OPEN = "open"
    HOLDING = "holding"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a call stands among the calls of its day, and whose it is."""

    day: date
    number: int
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one message through a half-open brake, until its state changes."""

    of: datetime  # since when the brake was half open with this size
    size: int


@dataclass(frozen=True, slots=True)
class Brake:
    """`since` when it has been shut; `pauses` so far; `unclear` answers remembered while open."""

    state: BrakeState = BrakeState.OPEN
    since: datetime | None = None
    pauses: int = 0
    next_try: datetime | None = None
    probing_until: datetime | None = None
    unclear: tuple[Place, ...] = ()
    half_open_since: datetime | None = None
    half_open_size: int = 0
    half_open_taken: int = 0
    half_open_clear: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is BrakeState.OPEN

    def has_permits(self, now: datetime) -> bool:
        """Whether a message may be tried: one was not taken, or its worker died."""
        if self.state is not BrakeState.HALF_OPEN:
            return False
        return self.half_open_taken < self.half_open_size or self.is_stale(now)

    def is_stale(self, now: datetime) -> bool:
        """Whether answers are missing that would have come by now."""
        return self.half_open_since is not None and now - self.half_open_since >= PERMIT_LEASE


OPEN = Brake()

type Change = Callable[[Brake], Brake]


def unclear_answer(brake: Brake, place: Place, permit: Permit | None, now: datetime) -> Brake:
    """Return the brake after an answer that leaves it unclear whether a message was sent."""
    if brake.state is BrakeState.OPEN:
        remembered = sorted({*brake.unclear, place})[-REMEMBERED:]
        if _crowded(remembered):
            return _shut(now, now, pauses=0)
        return replace(brake, unclear=tuple(remembered))
    if brake.state is BrakeState.HALF_OPEN and permit == _permit(brake):
        return _shut(brake.since or now, now, pauses=brake.pauses + 1)
    return brake


def _crowded(places: list[Place]) -> bool:
    pairs = zip(places, places[UNCLEAR - 1 :], strict=False)
    return any(last.day == first.day and last.number - first.number < SPAN for first, last in pairs)


def _shut(since: datetime, now: datetime, *, pauses: int) -> Brake:
    return Brake(BrakeState.HOLDING, since, pauses, next_try=now + pause(pauses))


def pause(pauses: int) -> timedelta:
    """30 seconds, then 1, 2, 4, 8 and 15 minutes."""
    return min(LAST_PAUSE, FIRST_PAUSE * (1 << min(pauses, 10)))


def probing(brake: Brake, now: datetime) -> Brake | None:
    """Return the brake as one worker begins the probe; `None` when it is another's, or too early.

    The worker may die: then the lease ends, and another begins.
    """
    is_due = brake.next_try is not None and brake.next_try - CLOCKS_DIFFER <= now
    leased = brake.probing_until is not None and brake.probing_until > now
    if brake.state is not BrakeState.HOLDING or not is_due or leased:
        return None
    return replace(brake, probing_until=now + PROBE_LEASE)


def probed(brake: Brake, lease: datetime, now: datetime, *, healthy: bool) -> Brake:
    """Return the brake after the probe that was begun with this lease."""
    if brake.state is not BrakeState.HOLDING or brake.probing_until != lease:
        return brake
    if not healthy:
        return _shut(brake.since or now, now, pauses=brake.pauses + 1)
    return replace(_half_opened(brake, FIRST_STEP, now), next_try=None, probing_until=None)


def _half_opened(brake: Brake, size: int, now: datetime) -> Brake:
    return replace(
        brake,
        state=BrakeState.HALF_OPEN,
        half_open_since=now,
        half_open_size=size,
        half_open_taken=0,
        half_open_clear=0,
    )


def taken(brake: Brake, now: datetime) -> tuple[Brake, Permit] | None:
    """Return the brake and a permit for one message, `None` when there is none now.

    Permits whose workers died are given out again: their answers would have come by now.
    """
    if not brake.has_permits(now):
        return None
    if brake.is_stale(now):
        brake = replace(brake, half_open_taken=brake.half_open_clear, half_open_since=now)
    after = replace(brake, half_open_taken=brake.half_open_taken + 1)
    return after, Permit(after.half_open_since or now, after.half_open_size)


def clear_answer(brake: Brake, permit: Permit, now: datetime) -> Brake:
    """Return the brake after a message with a permit was answered clearly."""
    if brake.state is not BrakeState.HALF_OPEN or permit != _permit(brake):
        return brake
    clear, size = brake.half_open_clear + 1, brake.half_open_size
    if clear < size:
        return replace(brake, half_open_clear=clear)
    return OPEN if size >= LAST_STEP else _half_opened(brake, size * 2, now)


def returned(brake: Brake, permit: Permit) -> Brake:
    """Return the brake after a message with a permit was certainly not sent: another may go."""
    if brake.state is not BrakeState.HALF_OPEN or permit != _permit(brake):
        return brake
    return replace(brake, half_open_taken=max(brake.half_open_clear, brake.half_open_taken - 1))


def _permit(brake: Brake) -> Permit | None:
    since = brake.half_open_since
    return None if since is None else Permit(since, brake.half_open_size)
