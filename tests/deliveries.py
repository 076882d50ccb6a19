"""A delivery on fakes, with everything that it needs."""

from collections.abc import Callable
from typing import Any

from openvoip_sms.delivery.braking import Braking, Probes
from openvoip_sms.delivery.call import GatewayCall
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.ports import SendingControl, Store, Usage
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.policy import Policy
from tests.fakes import (
    FakeClock,
    FakeControl,
    FakeGateway,
    FakeQueue,
    FakeStore,
    FakeTelemetry,
    FakeUsage,
    FakeWaker,
)


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
    control, usage = control or FakeControl(clock), usage or FakeUsage()
    settings: dict[str, Any] = {"policy": policy, "clock": clock, "jitter": lambda: 1.0}
    shared: dict[str, Any] = {"control": control, "usage": usage, "telemetry": telemetry}
    return Delivery(
        store=store or FakeStore(),
        braking=braking or braking_on(control, clock, telemetry=telemetry),
        call=GatewayCall(gateway=gateway, **shared, **settings),
        new_claim=new_claim,
        **shared,
        **settings,
    )
