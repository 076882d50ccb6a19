"""Every five minutes, and when what held messages back has ended: hand them over, and repair.

Repaired are messages that were stored but not queued, claimed but not recorded. Then what is
`unknown` is counted, and how long sending has been paused, for the alarms.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core, reconciling

workers = ThreadPoolExecutor(core.WORKERS)


def count_for_alarms() -> None:
    """A failure leaves it to the next run."""
    try:
        core.telemetry().unknown_messages(core.lists().count(Status.UNKNOWN))
        pause = core.control().current().pause
    except StoreUnavailable as error:
        core.telemetry().unknown_not_counted(error)
        return
    if pause is not None:
        core.telemetry().sending_paused((core.clock() - pause.since).total_seconds() / 3600)


@entry_point
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    woken = reconciling.waking().run(seconds_left, workers.map)
    found = reconciling.reconciler().run(seconds_left)
    found.woken = woken
    count_for_alarms()
    counts: dict[str, int] = asdict(found)
    if any(counts.values()):
        core.telemetry().reconciled(**counts)
    return counts
