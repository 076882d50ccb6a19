"""What AWS puts between the queue and the sender: batches, and what their answers mean."""

from typing import Any

from tests.simulation.functions import Functions
from tests.simulation.sqs import Queued, SimSqs
from tests.template import resource, template


class EventSource:
    """Up to so many batches at once, as the template says. What a batch acknowledges is deleted."""

    def __init__(self, sqs: SimSqs, functions: Functions, *, acknowledges_first: bool) -> None:
        self._sqs, self._functions = sqs, functions
        self._acknowledges_first = acknowledges_first
        mapping = resource("SenderMessages")
        self._batch_size = mapping["BatchSize"]
        self._reads_answers = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", ())
        self._free = template()["Parameters"]["SenderConcurrency"]["Default"]
        sqs.on_ready = self.poll

    def poll(self) -> None:
        while self._free and (batch := self._sqs.receive(self._batch_size)):
            self._free -= 1
            self._invoke(batch)

    def _invoke(self, batch: list[Queued]) -> None:
        if self._acknowledges_first:
            for message in batch:
                self._sqs.delete(message)

        def on_answer(answer: Any) -> None:
            for message in self._completed(batch, answer):
                self._sqs.acknowledge(message)
            self._free += 1
            self.poll()

        self._functions.invoke("sender", {"Records": list(map(_record, batch))}, on_answer)

    def _completed(self, batch: list[Queued], answer: Any) -> list[Queued]:
        """The messages that a batch acknowledges (AWS Lambda guide, "partial batch responses").

        None of a batch that failed; all of one that ended well, unless its answer is read.
        """
        if answer is None:
            return []
        if not self._reads_answers:
            return batch
        failures = (answer or {}).get("batchItemFailures") or []
        named = {one.get("itemIdentifier") for one in failures}
        if named - {message.sqs_id for message in batch}:
            return []  # an id that is none of the batch's: all of it has failed
        return [message for message in batch if message.sqs_id not in named]


def _record(message: Queued) -> dict[str, Any]:
    return {
        "messageId": message.sqs_id,
        "receiptHandle": message.sqs_id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.received)},
    }
