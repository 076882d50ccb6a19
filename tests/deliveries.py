"""A delivery on fakes, with everything that it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms.delivery.braking import Braking, Probes
from openvoip_sms.delivery.call import GatewayCall
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import SendingControl, Store, Usage
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from tests.fakes import (
    FakeClock,
    FakeControl,
    FakeGateway,
    FakeQueue,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
    FakeUsage,
    FakeWaker,
)
from tests.records import waiting

POLICY = Policy(default_sender="Bottega", live=True)
UNCERTAIN = CallResult(CallOutcome.UNCERTAIN, fault="ReadTimeoutError")
BAD_CREDENTIALS = CallResult(CallOutcome.BAD_CREDENTIALS, "-1", '{"exit_status":"-1"}')
BUSY = CallResult(CallOutcome.BUSY, "http_503", retry_after=120.0)


def braking_on(
    control: SendingControl,
    clock: FakeClock,
    *,
    queue: FakeQueue | None = None,
    waker: FakeWaker | None = None,
    telemetry: FakeTelemetry | None = None,
) -> Braking:
    """The brake at work on fakes."""
    told = telemetry or FakeTelemetry()
    probes = Probes(queue or FakeQueue(), told, clock)
    return Braking(control, probes, waker or FakeWaker(), told, clock)


def delivery_on(
    gateway: FakeGateway,
    store: Store | None = None,
    *,
    policy: Policy,
    clock: FakeClock | None = None,
    telemetry: FakeTelemetry | None = None,
    new_claim: Callable[[], str],
    control: SendingControl | None = None,
    usage: Usage | None = None,
    braking: Braking | None = None,
) -> Delivery[OpenvoipAccount]:
    """A delivery whose retries are never spread; what is not given is a new fake."""
    clock, telemetry = clock or FakeClock(), telemetry or FakeTelemetry()
    store = store or FakeStore()
    control, usage = control or FakeControl(clock), usage or FakeUsage()
    settings: dict[str, Any] = {"policy": policy, "clock": clock, "jitter": lambda: 1.0}
    shared: dict[str, Any] = {"control": control, "usage": usage, "telemetry": telemetry}
    return Delivery(
        store=store,
        braking=braking or braking_on(control, clock, telemetry=telemetry),
        call=GatewayCall(store=store, gateway=gateway, **shared, **settings),
        new_claim=new_claim,
        **shared,
        **settings,
    )


def enough_time() -> float:
    return 60.0


@dataclass
class Setup:
    """A delivery on fakes."""

    gateway: FakeGateway = field(default_factory=FakeGateway)
    store: FakeStore = field(default_factory=FakeStore)
    policy: Policy = POLICY
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    usage: FakeUsage = field(default_factory=FakeUsage)
    claims: int = 0

    def __post_init__(self):
        self.queue, self.waker = FakeQueue(), FakeWaker()
        self.control = FakeControl(self.clock)
        self.braking = braking_on(
            self.control,
            self.clock,
            queue=self.queue,
            waker=self.waker,
            telemetry=self.telemetry,
        )

    def delivery(self):
        return delivery_on(
            self.gateway,
            self.store,
            telemetry=self.telemetry,
            policy=self.policy,
            clock=self.clock,
            new_claim=self._claim,
            control=self.control,
            usage=self.usage,
            braking=self.braking,
        )

    def _claim(self):
        self.claims += 1
        return f"claim-{self.claims}"

    def send_new(self, record=None, seconds_left=enough_time):
        return self.delivery().send_new(record or waiting(), seconds_left)

    def send_stored(self, seconds_left=enough_time):
        return self.delivery().send_stored("m-1", seconds_left)

    def reconcile(self):
        queue = FakeQueue()
        enqueuer = Enqueuer(
            self.store, queue, FakeSchedule(), self.telemetry, self.policy, self.clock
        )
        reconciler = Reconciler(
            self.store, enqueuer, self.usage, self.telemetry, self.policy, self.clock, lambda: 1.0
        )
        return reconciler.run(enough_time), queue.queued
