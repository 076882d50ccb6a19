"""What only API and sender need: only they call the gateway and may read its secret."""

import random
import secrets
from functools import cache

from openvoip_sms.adapters.waker import LambdaWaker
from openvoip_sms.delivery.braking import Braking
from openvoip_sms.delivery.call import GatewayCall
from openvoip_sms.delivery.deliver import Delivery
from openvoip_sms.delivery.manual_actions import ManualActions
from openvoip_sms.intake.from_api import ApiIntake
from openvoip_sms.intake.from_queue import QueueIntake
from openvoip_sms.intake.queue_records import QueueRecords
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.openvoip.gateway import OpenvoipGateway
from openvoip_sms.wiring import core, settings


@cache
def gateway() -> OpenvoipGateway:
    client = OpenvoipClient(
        settings.gateway_url(core.env()),
        encode_destination_twice=core.env().flag("ENCODE_DESTINATION_TWICE"),
        connections=core.WORKERS,
        clock=core.clock,
        accepted_replies=settings.accepted(core.env()),
    )
    return OpenvoipGateway(client, core.secret("GATEWAY_SECRET_ARN"))


@cache
def delivery() -> Delivery[OpenvoipAccount]:
    call = GatewayCall(
        store=core.store(),
        gateway=gateway(),
        control=core.control(),
        usage=core.usage(),
        telemetry=core.telemetry(),
        policy=core.policy(),
        clock=core.clock,
        jitter=random.random,
    )
    return Delivery(
        store=core.store(),
        control=core.control(),
        braking=braking(),
        usage=core.usage(),
        call=call,
        telemetry=core.telemetry(),
        policy=core.policy(),
        clock=core.clock,
        jitter=random.random,
        new_claim=lambda: secrets.token_hex(8),
    )


@cache
def waker() -> LambdaWaker:
    name = core.env().required("RECONCILER_FUNCTION")
    return LambdaWaker(lambda: core.client("lambda"), name, core.telemetry().not_woken)


@cache
def braking() -> Braking:
    return Braking(core.control(), core.probes(), waker(), core.telemetry(), core.clock)


@cache
def queue_records() -> QueueRecords:
    intake = QueueIntake(delivery(), core.enqueuer(), braking(), gateway())
    return QueueRecords(intake, core.queue(), core.attempts(), core.telemetry(), core.clock)


@cache
def api_intake() -> ApiIntake:
    return ApiIntake(delivery(), core.enqueuer(), core.new_id)


@cache
def manual_actions() -> ManualActions:
    return ManualActions(
        core.store(),
        core.enqueuer(),
        core.schedule(),
        core.usage(),
        core.telemetry(),
        core.policy(),
        core.clock,
    )
