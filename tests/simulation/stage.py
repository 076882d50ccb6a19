"""Simulated time and the actors on it.

Actors are threads, because the code under test is ordinary blocking code; but exactly one runs at
a time. Whoever waits hands over to whomever the calendar names next, so the seed alone decides
who overtakes whom.
"""

import heapq
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Lock, Thread


class Crash(BaseException):
    """The process is gone, here and now."""


class Actor:
    """A thread of a process: a name for the history, and the work it does."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name, self.work = name, work


class _Runner:
    """A thread that waits for its turn, with work to begin or to go on with."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.turn.acquire()
        self.actor: Actor | None = None


class Stage:
    """A calendar of what happens when; it ends when nothing more is planned, or at `horizon`."""

    def __init__(self, horizon: float) -> None:
        self.now = 0.0
        self.actor: Actor | None = None
        self._horizon = horizon
        self._calendar: list[tuple[float, int, _Runner | Actor | Callable[[], None]]] = []
        self._order = count()
        self._main = _Runner()
        self._runner = self._main
        self._idle: list[_Runner] = []
        self._closed = False

    def at(self, when: float, what: Actor | Callable[[], None]) -> None:
        """Plan a call that does not wait, or an actor's beginning."""
        self._plan(when, what)

    def wait(self, seconds: float) -> None:
        """Let time pass for the actor that runs; others act meanwhile."""
        self._plan(self.now + seconds, self._runner)
        self.park()

    def waker(self) -> Callable[[], None]:
        """Return what makes the actor that runs go on after it has parked."""
        runner = self._runner
        return lambda: self._plan(self.now, runner)

    def park(self) -> None:
        """Let others act until this actor's turn has been planned and comes."""
        actor, runner = self.actor, self._runner
        following = self._next()
        if following is not runner:
            self._hand_over(runner, following)
        self.actor, self._runner = actor, runner
        if self.now > self._horizon:
            raise Crash

    def play(self) -> None:
        with _one_processor():
            self._hand_over(self._main, self._next())
            self._closed = True
            for runner in self._idle:
                runner.turn.release()

    def _plan(self, when: float, what: "_Runner | Actor | Callable[[], None]") -> None:
        heapq.heappush(self._calendar, (when, next(self._order), what))

    def _next(self) -> _Runner | Actor:
        """Go through the calendar until somebody's turn comes; the main thread's is the end.

        After the horizon nothing new happens; an actor begins, and ends at its first wait.
        """
        while self._calendar:
            self.now, _, what = heapq.heappop(self._calendar)
            if isinstance(what, _Runner | Actor):
                return what
            if self.now <= self._horizon:
                what()
        return self._main

    def _hand_over(self, mine: _Runner, following: "_Runner | Actor") -> None:
        if following is mine:
            return
        if isinstance(following, Actor):
            following = self._runner_for(following)
        following.turn.release()
        mine.turn.acquire()

    def _runner_for(self, actor: Actor) -> _Runner:
        if self._idle:
            runner = self._idle.pop()
        else:
            runner = _Runner()
            Thread(target=self._work, args=(runner,), daemon=True).start()
        runner.actor = actor
        return runner

    def _work(self, runner: _Runner) -> None:
        runner.turn.acquire()
        while not self._closed:
            self.actor, self._runner = runner.actor, runner
            if runner.actor is not None:
                runner.actor.work()
            following = self._next()
            if isinstance(following, Actor):
                runner.actor = following
            else:
                self._idle.append(runner)
                self._hand_over(runner, following)


class _one_processor:  # noqa: N801 - read as a word in `with`
    """Threads that take turns do so eight times faster on one processor: the one they are on."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        if self._before:
            os.sched_setaffinity(0, {_processor()} & self._before or self._before)

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)


def _processor() -> int:
    """Where the kernel has put this thread; it keeps busy processes apart (proc(5), field 39)."""
    fields = Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()
    return int(fields[39 - 3])
