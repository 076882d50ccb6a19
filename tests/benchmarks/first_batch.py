"""`python -m tests.benchmarks.first_batch former|now FOLDER`: one batch in a fresh process.

Prints the processor time of the sender's first batch, all threads together, in milliseconds.
"""

import json
import sys
from pathlib import Path
from time import process_time

from openvoip_sms.adapters import authorities
from openvoip_sms.openvoip import connection
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.rules.call_result import CallOutcome
from openvoip_sms.wiring import sending
from tests.functions import context, load

BATCH = 10


def former() -> None:
    """Whole bundles for each connection; they are named in the environment."""
    from tests.benchmarks.former import FormerGateway  # noqa: PLC0415 - not to be paid for now

    sending.OpenvoipClient = FormerGateway


def now(folder: Path) -> None:
    """The files that are used now, with the test authority added."""
    authorities.AMAZON_ROOTS = folder / "amazon_roots.pem"
    connection.where = lambda: str(folder / "certifi.pem")


def recorded_outcomes() -> list[CallOutcome]:
    """The outcome of each call from now on: a batch that sends nothing would be cheap."""
    outcomes, call = [], OpenvoipClient.send

    def record_outcome(self, *args):
        reply = call(self, *args)
        outcomes.append(reply.outcome)
        return reply

    OpenvoipClient.send = record_outcome
    return outcomes


def record(number: int) -> dict:
    message = {"to": f"333 12345{number:02}", "text": "Il tuo ordine è pronto", "id": f"m-{number}"}
    return {
        "messageId": f"sqs-{number}",
        "receiptHandle": f"receipt-{number}",
        "body": json.dumps(message),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def main(way: str, folder: Path) -> None:
    sender = load("sender")
    former() if way == "former" else now(folder)
    outcomes = recorded_outcomes()
    event = {"Records": [record(number) for number in range(BATCH)]}
    began = process_time()
    answer = sender.handler(event, context())
    took = process_time() - began
    if outcomes != [CallOutcome.ACCEPTED] * BATCH or answer["batchItemFailures"]:
        sys.exit(f"not sent: {outcomes}, {answer}")
    sys.stderr.write(f"{took * 1000:.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
