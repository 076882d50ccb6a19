"""Compares what telemetry counts with what happened: all of it once, and nothing else.

What happened is due to be counted when its answer arrives, before the same thread leaves again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from openvoip_sms.adapters.telemetry import CloudWatchTelemetry
from tests.simulation.stage import Actor
from tests.simulation.world import Process, World

# Compared one by one. Not times and money; what a whole run counts is compared at its end.
EXACT = frozenset(
    "Sent Rejected Failed Unknown Expired Suppressed Retried Held Segments Duplicates SourcesPaused"
    " GatewayLatency ConfigurationErrors UnhandledErrors".split()
)
COUNTED, DIED, ANSWER_LOST = "counted", "died", "answer lost"

type Metrics = dict[str, int]


@dataclass(frozen=True, slots=True)
class _Written:
    """A change in the table whose answer has not arrived."""

    text: str
    metrics: Metrics


class Ledger:
    """What is due to be counted, by thread, and what was counted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.counted: Counter[str] = Counter()
        self.not_counted: Counter[tuple[str, str]] = Counter()  # metric and why
        self.counted_twice: Counter[str] = Counter()
        self.unknown: dict[str, set[str]] = {}  # by text: counted, or why not
        self._unanswered: dict[Actor, _Written] = {}
        self._due: dict[Actor, Counter[str]] = {}
        self._may: dict[Actor, str] = {}
        world.on_leave = self._leaves
        world.on_death.append(self._died)

    def written(self, text: str, metrics: Metrics) -> None:
        """A change was written; nobody knows yet."""
        if "Unknown" in metrics:
            self.unknown.setdefault(text, set())
        self._unanswered[self._world.actor()] = _Written(text, metrics)

    def answered(self) -> None:
        """The thread that wrote a change knows it."""
        change = self._unanswered.pop(self._world.actor(), None)
        if change is not None:
            self.happened(change.metrics)

    def answer_lost(self) -> bool:
        """Whether a change was written that the thread will never know of."""
        return self._not_counted(self._world.actor(), ANSWER_LOST)

    def happened(self, metrics: Metrics) -> None:
        """The thread knows something that is to be counted."""
        self._due.setdefault(self._world.actor(), Counter()).update(metrics)

    def happened_twice(self, metrics: Metrics) -> None:
        """Another thread has done the same; both will count it."""
        self.counted_twice.update(metrics)
        self.happened(metrics)

    def may_count(self, metric: str) -> None:
        """The thread saw something that may, but need not, lead to this metric."""
        self._may[self._world.actor()] = metric

    def count(self, metrics: Mapping[str, float]) -> None:
        """Telemetry counted this."""
        actor = self._world.actor()
        due = self._due.get(actor) or Counter[str]()
        for name, value in metrics.items():
            times = 1 if name == "GatewayLatency" else int(value)
            self.counted[name] += times
            if name not in EXACT:
                continue
            if due[name] >= times:
                due[name] -= times
                if name == "Unknown":
                    self.unknown.setdefault(self._world.text(), set()).add(COUNTED)
            elif self._may.pop(actor, None) != name:
                self._world.violation(f"{name} was counted and did not happen", self._world.text())

    def _leaves(self, actor: Actor) -> None:
        self._may.pop(actor, None)
        for name, times in self._due.pop(actor, Counter[str]()).items():
            if times:
                self._world.violation(f"{name} happened and was not counted", self._world.text())

    def _died(self, actor: Actor, _process: Process, _text: str) -> None:
        self._not_counted(actor, DIED)
        self._due.pop(actor, None)
        self._may.pop(actor, None)

    def _not_counted(self, actor: Actor, why: str) -> bool:
        change = self._unanswered.pop(actor, None)
        if change is None:
            return False
        for name, times in change.metrics.items():
            self.not_counted[name, why] += times
        if "Unknown" in change.metrics:
            self.unknown[change.text].add(why)
        return True


class CountingTelemetry(CloudWatchTelemetry):
    """The real telemetry up to the line it would write: its serialization is tested elsewhere."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        super().__init__("simulated")
        self._world, self._ledger = world, ledger

    def _count(
        self, metrics: Mapping[str, float], source: str | None = None, reason: str | None = None
    ) -> None:
        del source, reason
        self._ledger.count(metrics)

    def message_delayed(self, sqs_id: str, error: Exception) -> None:
        self._ledger.happened({"Retried": 1})
        super().message_delayed(sqs_id, error)

    def unhandled_error(self, component: str, error: Exception, **ids: str) -> None:
        """What the code does not expect is a finding here."""
        self._world.violation(f"unhandled in {component}: {error!r}", self._world.text())
        super().unhandled_error(component, error, **ids)
