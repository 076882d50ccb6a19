"""Assigns faults to calls: the next ones, those to a number, or some at a seeded rate."""

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

from local.gateway.faults import Fault


@dataclass(slots=True)
class _Scheduled:
    fault: Fault
    left: int | None  # None: until cleared
    to: str | None  # None: to anyone

    def applies_to(self, number: str) -> bool:
        return self.to in {None, number}


@dataclass(frozen=True, slots=True)
class _Rate:
    rate: float
    faults: tuple[Fault, ...]
    seed: int
    generator: random.Random


class FaultSchedule:
    """Scheduled faults apply first, in their order; the rate applies to all other calls."""

    def __init__(self) -> None:
        self._scheduled: list[_Scheduled] = []
        self._rate: _Rate | None = None

    def add(self, fault: Fault, count: int | None, to: str | None) -> None:
        """Schedule a fault for `count` calls (`None`: for all), to `to` or any number."""
        self._scheduled.append(_Scheduled(fault, count, to))

    def set_rate(self, rate: float, faults: Sequence[Fault], seed: int) -> None:
        """Set a share of the calls; the same seed chooses the same calls and faults.

        Raises:
            ValueError: With a sentence, for a bad rate or no faults.
        """
        if not 0 <= rate <= 1:
            raise ValueError("A rate is a number from 0 to 1.")
        if not faults:
            raise ValueError("A rate needs at least one fault to choose from.")
        generator = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._rate = _Rate(rate, tuple(faults), seed, generator)

    def clear(self) -> None:
        self._scheduled.clear()
        self._rate = None

    def next(self, to: str) -> Fault | None:
        """Return the fault of the next call, and count it."""
        first = next((one for one in self._scheduled if one.applies_to(to)), None)
        return self._use(first) if first else self._at_random()

    def _use(self, scheduled: _Scheduled) -> Fault:
        if scheduled.left is not None:
            scheduled.left -= 1
            if scheduled.left == 0:
                self._scheduled.remove(scheduled)
        return scheduled.fault

    def _at_random(self) -> Fault | None:
        rate = self._rate
        if rate is None or rate.generator.random() >= rate.rate:
            return None
        return rate.generator.choice(rate.faults)

    def as_json(self) -> dict[str, object]:
        """The faults that are still due, for the page."""
        scheduled = [
            {**dataclasses.asdict(one.fault), "left": one.left, "to": one.to}
            for one in self._scheduled
        ]
        rate = self._rate and {
            "rate": self._rate.rate,
            "seed": self._rate.seed,
            "faults": [dataclasses.asdict(fault) for fault in self._rate.faults],
        }
        return {"scheduled": scheduled, "rate": rate}
