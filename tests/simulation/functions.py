"""The real functions, invoked as Lambda does: a process each, with a context and a time-out."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from openvoip_sms.adapters import telemetry
from openvoip_sms.delivery.ports import StoreUnavailable
from tests.functions import load
from tests.simulation.world import World
from tests.template import resource

FUNCTIONS = ("api", "webhooks", "sender", "reconciler")

type Event = dict[str, Any]


class SilentLogger:
    """The history tells more than the log would."""

    def info(self, event: str, **fields: object) -> None: ...

    warning = error = info

    def inject_lambda_context[Handler](self, handler: Handler, *, log_event: bool) -> Handler:
        assert not log_event
        return handler


@cache
def module(name: str) -> ModuleType:
    """A function's own module, apart from the ones that other tests load."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry, "logger", SilentLogger())
        return load(name)


class Functions:
    """Invokes a handler in a process of its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    def invoke(
        self,
        name: str,
        event: Event,
        on_answer: Callable[[Any], None],
        *,
        may_raise: tuple[type[Exception], ...] = (),
    ) -> None:
        """`on_answer` gets what the handler returns, `None` when it raised, died or timed out."""
        process = self._world.begin(name, resource(f"{name.title()}Function")["Timeout"])
        handler, returned = module(name).handler, None

        def work() -> None:
            nonlocal returned
            returned = handler(event, process)

        self._world.act(process, work, lambda: on_answer(returned), may_raise=may_raise)


class SimLambda:
    """The SDK's client that invokes the reconciler, and does not wait for it."""

    def __init__(self, world: World, functions: Functions) -> None:
        self._world, self._functions = world, functions
        self.on_answer: Callable[[Any], None] = lambda _answer: None

    def invoke(self, **request: Any) -> None:
        assert request == {"FunctionName": "ReconcilerFunction", "InvocationType": "Event"}
        world = self._world
        world.leave("", world.random.uniform(0.01, 0.05))
        if world.faults.happens("invoke_refused"):
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
        may_raise = (StoreUnavailable,)
        self._functions.invoke("reconciler", {}, self.on_answer, may_raise=may_raise)
        world.come_back()


class ActorPool:
    """Takes the place of the sender's thread pool: each item has an actor in the same process."""

    def __init__(self, world: World) -> None:
        self._world = world

    def map[Item, Result](
        self, work: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Work on all items at once; like a pool's, the iterator raises what a thread raised."""
        if len(items) <= 1:  # nobody can tell the thread that works from the one that waits
            return iter(list(map(work, items)))
        world = self._world
        process, wake = world.process(), world.stage.waker()
        ended: dict[int, Result | Exception] = {}
        working = len(items)

        def one(place: int, item: Item) -> None:
            try:
                ended[place] = work(item)
            except Exception as error:  # noqa: BLE001 - as a pool does
                ended[place] = error

        def done() -> None:
            nonlocal working
            working -= 1
            if not working:
                wake()

        for place, item in enumerate(items):
            world.act(process, lambda place=place, item=item: one(place, item), done)
        world.stage.park()
        world.check_alive()
        return _in_order([ended[place] for place in range(len(items))])


def _in_order[Result](ended: list[Result | Exception]) -> Iterator[Result]:
    for one in ended:
        if isinstance(one, Exception):
            raise one
        yield one
