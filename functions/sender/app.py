"""SQS batch in, failed message ids out. All messages of a batch are sent concurrently."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.adapters.telemetry import entry_point
from openvoip_sms.wiring import core, sending
from openvoip_sms.wiring.settings import BadSetting

workers = ThreadPoolExecutor(core.WORKERS)


def failed(records: list[dict[str, Any]], context: LambdaContext) -> list[str]:
    """Return the SQS ids to be delivered again: all of them while the stack is misconfigured."""

    def should_retry(record: dict[str, Any]) -> bool:
        return parts.should_retry(record, lambda: context.get_remaining_time_in_millis() / 1000)

    try:
        parts = sending.queue_records()  # once, before ten threads build them ten times
    except BadSetting as error:
        core.telemetry().configuration_error(str(error), "queue")
        return [record["messageId"] for record in records]
    retries = workers.map(should_retry, records)
    return [one["messageId"] for one, retry in zip(records, retries, strict=True) if retry]


@entry_point
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    ids = failed(event["Records"], context)
    return {"batchItemFailures": [{"itemIdentifier": sqs_id} for sqs_id in ids]}
