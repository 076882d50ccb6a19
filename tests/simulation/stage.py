"""Simulated time and the actors on it.

Actors are threads, because the code under test is ordinary blocking code; but exactly one runs at
a time. Whoever waits hands over to whomever the calendar names next, so the seed alone decides
who overtakes whom.
"""

import heapq
import os
from collections.abc import Callable
from itertools import count
from threading import Lock, Thread


class Crash(BaseException):
    """The process is gone, here and now."""


class Actor:
    """A piece of work in one process; `fate` is what its process shares."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name, self.work = name, work


class _Seat:
    """A thread that waits for its turn, with work to begin or to go on with."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.turn.acquire()
        self.actor: Actor | None = None


class Stage:
    """A calendar of what happens when; it ends when nothing more is planned, or at `curfew`."""

    def __init__(self, curfew: float) -> None:
        self.now = 0.0
        self.actor: Actor | None = None
        self._curfew = curfew
        self._calendar: list[tuple[float, int, _Seat | Actor | Callable[[], None]]] = []
        self._order = count()
        self._main = _Seat()
        self._seat = self._main
        self._idle: list[_Seat] = []
        self._closed = False

    def at(self, when: float, what: Actor | Callable[[], None]) -> None:
        """Plan a call that does not wait, or an actor's beginning."""
        self._plan(when, what)

    def wait(self, seconds: float) -> None:
        """Let time pass for the actor that runs; others act meanwhile."""
        actor, seat = self.actor, self._seat
        self._plan(self.now + seconds, seat)
        following = self._next()
        if following is not seat:
            self._hand_over(seat, following)
        self.actor, self._seat = actor, seat
        if self.now > self._curfew:
            raise Crash

    def play(self) -> None:
        with _one_processor():
            self._hand_over(self._main, self._next())
            self._closed = True
            for seat in self._idle:
                seat.turn.release()

    def _plan(self, when: float, what: "_Seat | Actor | Callable[[], None]") -> None:
        heapq.heappush(self._calendar, (when, next(self._order), what))

    def _next(self) -> _Seat | Actor:
        """Go through the calendar until somebody's turn comes; the main thread's is the end."""
        while self._calendar:
            self.now, _, what = heapq.heappop(self._calendar)
            if isinstance(what, _Seat):
                return what
            if self.now > self._curfew:
                continue
            if isinstance(what, Actor):
                return what
            what()
        return self._main

    def _hand_over(self, mine: _Seat, following: "_Seat | Actor") -> None:
        if following is mine:
            return
        if isinstance(following, Actor):
            following = self._seat_for(following)
        following.turn.release()
        mine.turn.acquire()

    def _seat_for(self, actor: Actor) -> _Seat:
        if self._idle:
            seat = self._idle.pop()
        else:
            seat = _Seat()
            Thread(target=self._work, args=(seat,), daemon=True).start()
        seat.actor = actor
        return seat

    def _work(self, seat: _Seat) -> None:
        seat.turn.acquire()
        while not self._closed:
            self.actor, self._seat = seat.actor, seat
            if seat.actor is not None:
                seat.actor.work()
            following = self._next()
            if isinstance(following, Actor):
                seat.actor = following
            else:
                self._idle.append(seat)
                self._hand_over(seat, following)


class _one_processor:  # noqa: N801 - read as a word in `with`
    """Threads that take turns do so eight times faster on one processor."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        if self._before:
            os.sched_setaffinity(0, {sorted(self._before)[os.getpid() % len(self._before)]})

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)
