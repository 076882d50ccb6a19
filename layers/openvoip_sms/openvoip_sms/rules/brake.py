"""The brake: no message is claimed while the gateway's answers are unclear (pure functions).

It shuts when half of ten answers in a row, or five of fewer, left it unclear whether the message
was sent. After a pause one worker makes a probe, a call that cannot send anything. When that is
answered as a healthy gateway does, a trial lets 1, 2, 4 and 8 messages through; then it is open.

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
PROBE_LEASE = timedelta(seconds=60)  # longer than the probe's call, shorter than a dead worker
FIRST_TRIAL, LAST_TRIAL = 1, 8  # messages at once
TRIAL_LEASE = timedelta(minutes=2)  # after this a message without an answer has no worker any more


class BrakeState(StrEnum):
    OPEN = "open"
    HOLDING = "holding"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a call stands among the calls of its day, and whose it is."""

    day: date
    number: int
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to send one message of a trial, until the trial's state changes."""

    of: datetime  # the beginning of the trial
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
    trial_since: datetime | None = None
    trial_size: int = 0
    trial_taken: int = 0
    trial_clear: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is BrakeState.OPEN

    def has_permits(self, now: datetime) -> bool:
        """Whether a message may be tried: one was not taken, or its worker died."""
        if self.state is not BrakeState.TRIAL:
            return False
        return self.trial_taken < self.trial_size or self.is_stale(now)

    def is_stale(self, now: datetime) -> bool:
        """Whether answers of the trial are missing that would have come by now."""
        return self.trial_since is not None and now - self.trial_since >= TRIAL_LEASE


OPEN = Brake()

type Change = Callable[[Brake], Brake]


def unclear_answer(brake: Brake, place: Place, permit: Permit | None, now: datetime) -> Brake:
    """Return the brake after an answer that leaves it unclear whether a message was sent."""
    if brake.state is BrakeState.OPEN:
        remembered = sorted({*brake.unclear, place})[-REMEMBERED:]
        if _crowded(remembered):
            return _shut(now, now, pauses=0)
        return replace(brake, unclear=tuple(remembered))
    if brake.state is BrakeState.TRIAL and permit == _permit(brake):
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
    is_due = brake.next_try is not None and brake.next_try <= now
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
    return replace(_trial(brake, FIRST_TRIAL, now), next_try=None, probing_until=None)


def _trial(brake: Brake, size: int, now: datetime) -> Brake:
    return replace(
        brake,
        state=BrakeState.TRIAL,
        trial_since=now,
        trial_size=size,
        trial_taken=0,
        trial_clear=0,
    )


def taken(brake: Brake, now: datetime) -> tuple[Brake, Permit] | None:
    """Return the brake and a permit for one message, `None` when there is none now.

    Permits whose workers died are given out again: their answers would have come by now.
    """
    if not brake.has_permits(now):
        return None
    if brake.is_stale(now):
        brake = replace(brake, trial_taken=brake.trial_clear, trial_since=now)
    after = replace(brake, trial_taken=brake.trial_taken + 1)
    return after, Permit(after.trial_since or now, after.trial_size)


def clear_answer(brake: Brake, permit: Permit, now: datetime) -> Brake:
    """Return the brake after a message of a trial was answered clearly."""
    if brake.state is not BrakeState.TRIAL or permit != _permit(brake):
        return brake
    clear = brake.trial_clear + 1
    if clear < brake.trial_size:
        return replace(brake, trial_clear=clear)
    return OPEN if brake.trial_size >= LAST_TRIAL else _trial(brake, brake.trial_size * 2, now)


def returned(brake: Brake, permit: Permit) -> Brake:
    """Return the brake after a message of a trial was certainly not sent: another may be tried."""
    if brake.state is not BrakeState.TRIAL or permit != _permit(brake):
        return brake
    return replace(brake, trial_taken=max(brake.trial_clear, brake.trial_taken - 1))


def _permit(brake: Brake) -> Permit | None:
    since = brake.trial_since
    return None if since is None else Permit(since, brake.trial_size)
