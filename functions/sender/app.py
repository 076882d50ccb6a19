"""SQS batch in, the ids that must come back out. All messages of a batch are sent at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms import wiring
from openvoip_sms.adapters.journal import logger
from openvoip_sms.delivery.from_queue import Handled, with_identity
from openvoip_sms.delivery.ports import QueueUnavailable, StoreUnavailable
from openvoip_sms.rules.transitions import backoff
from openvoip_sms.settings import BadSetting

MOST_SURPRISES = 5  # receives after which a message that makes us stumble is set aside

workers = ThreadPoolExecutor(wiring.WORKERS)


def handled(record: dict[str, Any], seconds_left: Callable[[], float]) -> Handled:
    """Whatever goes wrong with one message stays with that message."""
    received = int(record["attributes"]["ApproximateReceiveCount"])
    try:
        return wiring.intake().handle(record["body"], record["messageId"], seconds_left)
    except (StoreUnavailable, QueueUnavailable) as error:
        logger.error("message.waits", extra={"sqs_id": record["messageId"], "error": str(error)})
        wiring.journal().count({"Retried": 1}, "queue")
    except BadSetting as error:
        logger.error("message.waits", extra={"sqs_id": record["messageId"], "error": str(error)})
        wiring.journal().count({"SetupProblems": 1}, "queue")
    except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the batch with it
        wiring.journal().surprise("message.stumbled", error, sqs_id=record["messageId"])
        if received >= MOST_SURPRISES:
            body = with_identity(record["body"], record["messageId"])
            return Handled(set_aside=f"unexpected: {type(error).__name__}", body=body)
    return Handled(retry_in=backoff(received, 1.0))


def comes_again(record: dict[str, Any], seconds_left: Callable[[], float]) -> bool:
    outcome, queue = handled(record, seconds_left), wiring.queue()
    try:
        if outcome.set_aside:
            logger.warning("message.set_aside", extra={"reason": outcome.set_aside})
            queue.dead_letter(outcome.body or record["body"], outcome.set_aside)
        elif outcome.retry_in is not None:
            queue.hide(record["receiptHandle"], outcome.retry_in)
    except QueueUnavailable as error:
        # The queue's own visibility brings it back.
        logger.error("queue.unavailable", extra={"error": str(error)})
        return True
    return outcome.retry_in is not None


def build() -> None:
    """Build the parts before ten threads at once would build them ten times over."""
    with suppress(Exception):  # each message says for itself what is wrong
        wiring.intake()
        wiring.queue()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    build()
    records = event["Records"]
    again = workers.map(lambda record: comes_again(record, seconds_left), records)
    failed = [r["messageId"] for r, comes in zip(records, again, strict=True) if comes]
    return {"batchItemFailures": [{"itemIdentifier": sqs_id} for sqs_id in failed]}
