"""On a schedule: look after what was stored and never queued, claimed and never recorded."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms import wiring
from openvoip_sms.adapters.journal import logger


@logger.inject_lambda_context
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    found = wiring.reconciler().run(lambda: context.get_remaining_time_in_millis() / 1000)
    counts = asdict(found)
    if any(counts.values()):
        logger.info("reconciler.found", extra=counts)
        metrics = {"Requeued": found.queued, "ClaimsLapsed": found.died}
        wiring.journal().count(metrics, "reconciler")
    return counts
