"""Every five minutes: repair messages that were stored but not queued, claimed but not recorded."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.wiring import core


@entry_point
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    found = core.reconciler().run(lambda: context.get_remaining_time_in_millis() / 1000)
    counts: dict[str, int] = asdict(found)
    if any(counts.values()):
        core.telemetry().reconciled(**counts)
    return counts
