"""SQS batch in, failed message ids out. All messages of a batch are sent concurrently."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.intake.received_message import received_message
from openvoip_sms.wiring import core, sending
from openvoip_sms.wiring.settings import BadSetting

workers = ThreadPoolExecutor(core.WORKERS)


class NoBatch(Exception):
    """The event holds no list of records: it was not SQS that called."""


def failed(event: object, context: LambdaContext) -> list[str]:
    """Return the SQS ids to be delivered again: all of them while the stack is misconfigured."""
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        core.telemetry().unhandled_error("queue", NoBatch())
        return []
    try:
        parts = sending.queue_records()  # once, before ten threads build them ten times
    except BadSetting as error:
        core.telemetry().configuration_error(str(error), "queue")
        return [received_message(record).sqs_id for record in records]
    return parts.failed(records, lambda: context.get_remaining_time_in_millis() / 1000, workers.map)


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ids = failed(event, context)
    return {"batchItemFailures": [{"itemIdentifier": sqs_id} for sqs_id in ids]}
