"""The world that one seed makes: time, chance, processes that die or freeze, and the history."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.faults import Faults
from tests.simulation.stage import Actor, Crash, Stage

START = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
DAY = 86_400.0
HORIZON = 9 * DAY  # what is open then, after the longest validity, is lost
CONTAINERS = 6
FROZEN_SECONDS = (20.0, 400.0)  # around the lease of 90 and the visibility of 360


@dataclass(slots=True)
class Container:
    """Where processes run one after another: a clock of its own, and cached secrets."""

    clock_off: float = 0.0  # seconds
    secrets: dict[str, tuple[dict[str, str], float]] = field(default_factory=dict)  # and since when
    control: Any = None  # what it knows of switch and brake


@dataclass(slots=True, eq=False)
class Process:
    """One run of a function: its threads live and die together, by `deadline` at the latest.

    A handler gets it as its context.
    """

    name: str
    stage: Stage
    container: Container
    deadline: float
    alive: bool = True
    claims: set[str] = field(default_factory=set)

    def get_remaining_time_in_millis(self) -> int:
        return int(max(0.0, self.deadline - self.stage.now) * 1000)


class World:
    """Shared by all that is simulated."""

    def __init__(
        self, seed: int, rates: dict[str, float], *, dies_at: int | None = None, traced: bool = True
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a simulation must repeat itself
        self.stage = Stage(HORIZON)
        self.faults = Faults(self.random, rates)
        self.violations: list[str] = []
        self.causes_of_unknown: Counter[str] = Counter()  # by text: faults that nobody can see past
        self.history: list[tuple[float, str, str, str]] = []
        self.points = 0  # at which a process could have died
        self.on_death: list[Callable[[Actor, Process, str], None]] = []
        self.on_leave: Callable[[Actor], None] = lambda _actor: None
        self._dies_at, self._traced = dies_at, traced
        self._containers = [Container(self._clock_error()) for _ in range(CONTAINERS)]
        self._processes: dict[Actor, Process] = {}
        self._texts: dict[Actor, str] = {}
        self._begun = 0

    def clock(self) -> datetime:
        """Now, in milliseconds, as the container of the one who asks sees it."""
        off = self.process().container.clock_off if self.stage.actor in self._processes else 0.0
        return START + timedelta(milliseconds=int((self.stage.now + off) * 1000))

    def process(self) -> Process:
        """The process of the one who acts now."""
        return self._processes[self.actor()]

    def actor(self) -> Actor:
        assert self.stage.actor is not None
        return self.stage.actor

    def begin(self, kind: str, seconds: float) -> Process:
        """A new run of a function, in whatever container."""
        self._begun += 1
        container = self.random.choice(self._containers)
        return Process(f"{kind}-{self._begun}", self.stage, container, self.stage.now + seconds)

    def act(
        self,
        process: Process,
        work: Callable[[], None],
        done: Callable[[], None],
        *,
        may_raise: tuple[type[Exception], ...] = (),
    ) -> None:
        """Let a thread of a process work; `done` is called however it ends."""

        def guarded() -> None:
            try:
                work()
                self.on_leave(actor)
            except Crash:
                self._died(actor)
            except may_raise:
                self.on_leave(actor)
            except Exception as error:  # noqa: BLE001 - whatever gets out is a finding
                self.violation(f"{process.name}: {type(error).__name__} got out: {error}", "")
            del self._processes[actor]
            self._texts.pop(actor, None)
            done()

        actor = Actor(process.name, guarded)
        self._processes[actor] = process
        self.stage.at(self.stage.now + self.random.uniform(0.0, 0.2), actor)

    def leave(self, text: str, seconds: float) -> None:
        """A call leaves the process, which may die first, freeze, or be overtaken meanwhile.

        `text` names the message that the call is about.
        """
        actor = self.actor()
        self.on_leave(actor)
        process = self._processes[actor]
        if text:
            self._texts[actor] = text
        self._may_die_here("crash_before_a_call")
        fault = self.faults.happens("crash_before_a_call", "frozen")
        if fault == "frozen":
            seconds += self._freeze(process)
        elif fault:
            self._die(fault)
        self.pause(seconds)

    def pause(self, seconds: float) -> None:
        """Wait for something outside; the process may not live to see it."""
        self.stage.wait(seconds)
        self.check_alive()

    def check_alive(self) -> None:
        """End the thread whose process has died or run out of time meanwhile."""
        process = self.process()
        if process.alive and self.stage.now > process.deadline:
            self.faults.happened["function_timed_out"] += 1
            process.alive = False
        if not process.alive:
            raise Crash

    def come_back(self) -> None:
        """A call's effect is done; the process may die before it learns."""
        self._may_die_here("crash_after_a_call")
        if fault := self.faults.happens("crash_after_a_call"):
            self._die(fault)

    def may_become_unknown(self, text: str) -> None:
        """From now on nobody needs to know what became of this message."""
        self.causes_of_unknown[text] += 1

    def note(self, what: str, text: str) -> None:
        if self._traced:
            actor = self.stage.actor
            self.history.append((self.stage.now, actor.name if actor else "", text, what))

    def violation(self, sentence: str, text: str) -> None:
        self.note(f"VIOLATION {sentence}", text)
        self.violations.append(f"{text}: {sentence}")

    def text(self) -> str:
        """The message that the last call of the one who acts was about."""
        return self._texts.get(self.actor(), "")

    def _may_die_here(self, fault: str) -> None:
        self.points += 1
        if self.points == self._dies_at:
            self.faults.happened[fault] += 1
            self._die(fault)

    def _die(self, fault: str) -> None:
        self.note(fault, "")
        self.process().alive = False
        raise Crash

    def _died(self, actor: Actor) -> None:
        text = self._texts.get(actor, "")
        self.note("died", text)
        for told in self.on_death:
            told(actor, self._processes[actor], text)

    def _freeze(self, process: Process) -> float:
        """Seconds that a process stands still; its time-out may or may not stand still with it."""
        seconds = self.random.uniform(*FROZEN_SECONDS)
        self.note(f"frozen for {seconds:.0f} s", "")
        if self.random.random() < 0.5:
            process.deadline += seconds
        return seconds

    def _clock_error(self) -> float:
        return self.random.uniform(-300.0, 300.0) if self.faults.happens("clock_wrong") else 0.0
