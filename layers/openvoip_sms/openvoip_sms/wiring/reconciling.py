"""What only the reconciler needs."""

import random
import time
from functools import cache

from openvoip_sms.adapters.held_messages import DynamoHeldMessages
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.delivery.wake import Waking
from openvoip_sms.wiring import core

_SECONDS_EACH = 0.35  # that a message takes a worker, most of them the gateway's


@cache
def reconciler() -> Reconciler:
    return Reconciler(
        core.store(),
        core.enqueuer(),
        core.usage(),
        core.telemetry(),
        core.policy(),
        core.clock,
        random.random,
    )


@cache
def waking() -> Waking:
    batches = core.env().whole("SENDER_CONCURRENCY")
    return Waking(
        held=DynamoHeldMessages(core.client("dynamodb"), core.env().required("TABLE_NAME")),
        store=core.store(),
        control=core.control(),
        probes=core.probes(),
        usage=core.usage(),
        queue=core.queue(),
        policy=core.policy(),
        clock=core.clock,
        rate=batches * core.WORKERS / _SECONDS_EACH,
        sleep=time.sleep,
    )
