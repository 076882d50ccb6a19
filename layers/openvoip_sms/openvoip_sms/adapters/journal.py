"""Logs and metrics. What must not be read is not written: no secret, no text, no full number.

Metrics are CloudWatch's embedded metric format, one line an event, counted in all and by source.
Specification: "Embedded metric format" in the CloudWatch user guide.
"""

import json
import sys
import traceback
from collections.abc import Callable, Mapping

from aws_lambda_powertools import Logger

from openvoip_sms.delivery.ports import Clock
from openvoip_sms.rules.phone import mask, mask_within
from openvoip_sms.rules.record import Reason, Record, Status
from openvoip_sms.rules.replies import Reply

NAMESPACE = "OpenVoipSms"
_UNITS = {"GatewayLatency": "Milliseconds", "TimeToSend": "Seconds", "CostEur": "None"}
_COUNTED = {
    Status.SENT: "Sent",
    Status.REJECTED: "Rejected",
    Status.FAILED: "Failed",
    Status.UNKNOWN: "Unknown",
    Status.EXPIRED: "Expired",
    Status.SUPPRESSED: "Suppressed",
}
# Reasons that go on until a person changes something.
_SETUP = {Reason.BAD_CREDENTIALS, Reason.SECRET_NOT_SET, Reason.GATEWAY_MISCONFIGURED}
_BAD_NEWS = {Status.UNKNOWN, Status.FAILED, Status.EXPIRED}

logger = Logger(service="openvoip-sms")


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")


class CloudWatchJournal:
    """Implements the delivery's `Journal`."""

    def __init__(self, clock: Clock, write_line: Callable[[str], None] = _write_line) -> None:
        self._clock, self._write_line = clock, write_line

    def changed(self, record: Record) -> None:
        log = logger.warning if record.status in _BAD_NEWS else logger.info
        log(f"sms.{record.status}", extra=_fields(record))
        self.count(_metrics(record), record.source)

    def called(self, record: Record, reply: Reply, seconds: float) -> None:
        extra = _fields(record) | {"verdict": reply.verdict, "code": reply.code}
        logger.info("gateway.called", extra=extra | {"fault": reply.fault})
        self.count({"GatewayLatency": seconds * 1000}, record.source)

    def unrecorded(self, record: Record) -> None:
        logger.error("sms.outcome_unrecorded", extra=_fields(record) | {"status": record.status})

    def duplicate(self, record: Record) -> None:
        logger.info("sms.duplicate", extra=_fields(record))
        self.count({"Duplicates": 1}, record.source)

    def source_paused(self, record: Record) -> None:
        logger.error("source.paused", extra=_fields(record))
        self.count({"SourcesPaused": 1}, record.source)

    def refused(self, source: str, reason: str, *, ours: bool) -> None:
        """A webhook was not authentic; `ours` says that it is our secret's fault."""
        logger.warning("webhook.refused", extra={"source": source, "reason": reason})
        metrics = {"WebhooksRefused": 1} | ({"SetupProblems": 1} if ours else {})
        self.count(metrics, f"webhook:{source}")

    def sources_invalid(self, mistakes: str) -> None:
        logger.error("sources.invalid", extra={"mistakes": mistakes})

    def trouble(self, event: str, record_id: str, error: Exception) -> None:
        logger.error(
            event, extra={"message_id": mask_within(record_id), "error": type(error).__name__}
        )

    def surprise(self, event: str, error: Exception, **fields: str) -> None:
        """A mistake of ours: what and where, but not what it says, which may repeat a text."""
        where = traceback.format_tb(error.__traceback__)
        logger.error(event, extra={**fields, "error": type(error).__name__, "where": where})
        self.count({"Stumbles": 1}, "service")

    def count(self, metrics: Mapping[str, float], source: str) -> None:
        """Write metrics, in all and by source."""
        if not metrics:
            return
        definitions = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in metrics]
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [[], ["source"]],
            "Metrics": definitions,
        }
        stamp = int(self._clock().timestamp() * 1000)
        line = {"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]}, "source": source}
        self._write_line(json.dumps(line | dict(metrics)))


def _fields(record: Record) -> dict[str, object]:
    return {
        "message_id": mask_within(record.id),
        "to": mask(record.to),
        "source": record.source,
        "segments": record.segments,
        "attempts": record.attempts,
        "reason": record.reason,
    }


def _metrics(record: Record) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if name := _COUNTED.get(record.status):
        metrics[name] = 1
    if record.status is Status.SENT:
        began = max(record.created_at, record.send_at or record.created_at)
        metrics["Segments"] = record.segments or 0
        metrics["CostEur"] = float(record.cost_eur or 0)
        metrics["TimeToSend"] = ((record.sent_at or began) - began).total_seconds()
    if record.status is Status.QUEUED and record.attempts:
        metrics["Retried"] = 1
    if record.reason in _SETUP:
        metrics["SetupProblems"] = 1
    return metrics
