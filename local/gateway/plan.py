"""Which call meets which fault: the next ones, those to a number, or some at a seeded rate."""

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

from local.gateway.faults import Fault


@dataclass(slots=True)
class _Order:
    fault: Fault
    left: int | None  # None: until cleared
    to: str | None  # None: to anyone

    def fits(self, to: str) -> bool:
        return self.to in {None, to}


@dataclass(frozen=True, slots=True)
class _Chance:
    rate: float
    faults: tuple[Fault, ...]
    seed: int
    draw: random.Random


class FaultPlan:
    """Orders go first, in the order they came; a rate applies to the calls that none fits."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []
        self._chance: _Chance | None = None

    def add(self, fault: Fault, count: int | None, to: str | None) -> None:
        """For so many calls; `None` for all that come."""
        self._orders.append(_Order(fault, count, to))

    def set_rate(self, rate: float, faults: Sequence[Fault], seed: int) -> None:
        """A share of the calls, in the order they arrive; the same seed gives the same draws.

        Raises:
            ValueError: With a sentence, for a rate that is none or no fault to choose from.
        """
        if not 0 <= rate <= 1:
            raise ValueError("A rate is a number from 0 to 1.")
        if not faults:
            raise ValueError("A rate needs at least one fault to choose from.")
        draw = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._chance = _Chance(rate, tuple(faults), seed, draw)

    def clear(self) -> None:
        self._orders.clear()
        self._chance = None

    def next(self, to: str) -> Fault | None:
        """The fault of the call that arrives now, used up by it."""
        order = next((order for order in self._orders if order.fits(to)), None)
        return self._use(order) if order else self._drawn()

    def _use(self, order: _Order) -> Fault:
        if order.left is not None:
            order.left -= 1
            if order.left == 0:
                self._orders.remove(order)
        return order.fault

    def _drawn(self) -> Fault | None:
        chance = self._chance
        if chance is None or chance.draw.random() >= chance.rate:
            return None
        return chance.draw.choice(chance.faults)

    def described(self) -> dict[str, object]:
        """What is still to come, for the page."""
        next_ones = [
            {**dataclasses.asdict(order.fault), "left": order.left, "to": order.to}
            for order in self._orders
        ]
        chance = self._chance
        rate = chance and {
            "rate": chance.rate,
            "seed": chance.seed,
            "faults": [dataclasses.asdict(fault) for fault in chance.faults],
        }
        return {"orders": next_ones, "rate": rate}
