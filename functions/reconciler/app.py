"""Every five minutes: repair messages that were stored but not queued, claimed but not recorded.

Then count what is `unknown`, for the alarm.
"""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import Status
from openvoip_sms.wiring import core


def count_unknown() -> None:
    """A failure leaves it to the next run."""
    try:
        core.telemetry().unknown_messages(core.lists().count(Status.UNKNOWN))
    except StoreUnavailable as error:
        core.telemetry().unknown_not_counted(error)


@entry_point
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    found = core.reconciler().run(lambda: context.get_remaining_time_in_millis() / 1000)
    count_unknown()
    counts: dict[str, int] = asdict(found)
    if any(counts.values()):
        core.telemetry().reconciled(**counts)
    return counts
