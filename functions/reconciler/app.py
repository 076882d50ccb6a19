"""Every five minutes: repair messages that were stored but not queued, claimed but not recorded."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import logger
from openvoip_sms.wiring import core


@logger.inject_lambda_context
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    found = core.reconciler().run(lambda: context.get_remaining_time_in_millis() / 1000)
    counts: dict[str, int] = asdict(found)
    if any(counts.values()):
        core.telemetry().reconciled(**counts)
    return counts
