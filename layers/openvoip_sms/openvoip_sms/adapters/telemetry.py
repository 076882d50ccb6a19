"""Logs and metrics: every event and metric has its name here, behind a typed method.

Never logged: secrets, texts, full numbers, ids that may hold one; whatever an operator sets.
Metrics use CloudWatch's embedded metric format, one line for each event, with the dimensions
`stack` and `stack, source`. Each event has a metrics object of its own, so that threads share
nothing but the output.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from threading import Lock
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from openvoip_sms.delivery.ports import UnreadableRecord
from openvoip_sms.rules.brake import Brake
from openvoip_sms.rules.call_result import CallResult
from openvoip_sms.rules.log_id import log_id
from openvoip_sms.rules.phone import mask, mask_within
from openvoip_sms.rules.record import Reason, Record, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.rules.sending import Sending
from openvoip_sms.rules.unused import Unused

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
# Reasons that last until a person changes something.
_CONFIGURATION = {Reason.BAD_CREDENTIALS, Reason.SECRET_NOT_SET, Reason.GATEWAY_MISCONFIGURED}
_UNKNOWN_FIELD = re.compile(r"[^ :]+(?=: unknown_field)")  # its name is the caller's
_WARNINGS = {Status.UNKNOWN, Status.FAILED, Status.EXPIRED}

# What libraries log shows requests and responses: secrets, items of the table, URLs, forms; their
# warnings quote them too. Whatever level an operator gives to the root logger, none of it passes.
LIBRARIES = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "charset_normalizer",
    "jmespath",
    "multipart",
    "phonenumbers",
    "python_multipart",
    "requests",
    "s3transfer",
    "urllib3",
)


def silence_libraries() -> None:
    """Let nothing but this package's own events be logged."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logging.disable(logging.DEBUG)  # and none that is not named here; the events are above it


silence_libraries()
logger = Logger(service="openvoip-sms")
_line = Lock()  # keeps a line and its end together


def _write_line(line: str) -> None:
    with _line:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


type Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class HandlerFailed(Exception):
    """A function failed. Its message is the class of the error: Lambda writes it into the log."""


def entry_point(handler: Handler) -> Handler:
    """Make a function's handler log with the request's id, and never the event or an error's text.

    Powertools would log the whole event when POWERTOOLS_LOGGER_LOG_EVENT is set.
    """
    logged: Handler = logger.inject_lambda_context(handler, log_event=False)

    @wraps(handler)
    def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        try:
            return logged(event, context)
        except Exception as error:
            if type(error).__module__.startswith("openvoip_sms."):  # of a fixed wording
                raise
            where = traceback.format_tb(error.__traceback__)
            extra = {"error": type(error).__name__, "where": where}
            logger.error("function.failed", extra=extra)  # noqa: TRY400 - not the error's text
            raise HandlerFailed(type(error).__name__) from None

    return run


class CloudWatchTelemetry:
    """Implements the delivery's `Telemetry`, and the events that only functions know.

    `id_key` makes the digest of ids that are not shown: see `rules/log_id.py`.
    """

    def __init__(
        self, stack: str, write_line: Callable[[str], None] = _write_line, *, id_key: str = ""
    ) -> None:
        self._stack, self._write_line, self._id_key = stack, write_line, id_key

    # ---- A message -------------------------------------------------------------------------

    def status_changed(self, record: Record) -> None:
        log = logger.warning if record.status in _WARNINGS else logger.info
        log(f"sms.{record.status}", extra=self._fields(record))
        self._count(_metrics(record), record.source)

    def gateway_called(self, record: Record, result: CallResult, seconds: float) -> None:
        extra = self._fields(record) | {"outcome": result.outcome, "code": result.code}
        logger.info("gateway.called", extra=extra | {"fault": result.fault})
        self._count({"GatewayLatency": seconds * 1000}, record.source)

    def usage_not_counted(self, record: Record, error: Exception) -> None:
        self._operation_failed("usage.not_counted", record.id, error)

    def outcome_not_recorded(self, record: Record) -> None:
        extra = self._fields(record) | {"status": record.status}
        logger.error("sms.outcome_not_recorded", extra=extra)

    def duplicate_received(self, record: Record) -> None:
        logger.info("sms.duplicate", extra=self._fields(record))
        self._count({"Duplicates": 1}, record.source)

    def hand_over_failed(self, record_id: str, error: Exception) -> None:
        self._operation_failed("message.not_handed_over", record_id, error)

    def schedule_not_removed(self, record_id: str, error: Exception) -> None:
        self._operation_failed("schedule.not_removed", record_id, error)

    def secret_unavailable(self, record_id: str, error: Exception) -> None:
        self._operation_failed("gateway.secret_unavailable", record_id, error)

    def record_unreadable(self, record: UnreadableRecord) -> None:
        """A record was found that this version cannot read; nothing is sent for it."""
        extra = {"message_id": log_id(record.id, self._id_key), "why": record.why}
        logger.error("record.unreadable", extra=extra)
        self._count({"UnreadableRecords": 1})

    # ---- Switch and brake ------------------------------------------------------------------

    def switched(self, sending: Sending) -> None:
        if sending.pause is None:
            logger.warning("sending.resumed")
        else:
            logger.warning("sending.paused", extra={"since": to_rfc3339(sending.pause.since)})

    def brake_changed(self, brake: Brake) -> None:
        """The brake shut, or opened by half or wholly."""
        next_try = brake.next_try and to_rfc3339(brake.next_try)
        extra = {"pauses": brake.pauses, "next_try": next_try, "half_open": brake.half_open_size}
        log = logger.info if brake.is_open else logger.error
        log(f"brake.{brake.state}", extra=extra)

    def brake_not_changed(self, error: Exception) -> None:
        logger.error("brake.not_changed", extra={"error": mask_within(str(error))})

    def sending_paused(self, hours: float) -> None:
        """All sending has been paused by a person for so long."""
        logger.warning("sending.is_paused", extra={"hours": round(hours, 1)})
        self._count({"PausedHours": hours})

    def not_woken(self, error: Exception) -> None:
        """The reconciler could not be called at once; its next run hands over what waits."""
        logger.warning("reconciler.not_called", extra={"error": mask_within(str(error))})

    # ---- The queue -------------------------------------------------------------------------

    def message_delayed(self, sqs_id: str, error: Exception) -> None:
        """A queue message is retried because the table or the queue did not answer."""
        logger.error("message.delayed", extra={"sqs_id": sqs_id, "error": mask_within(str(error))})
        self._count({"Retried": 1}, "queue")

    def message_interrupted(self, sqs_id: str, deaths: int) -> None:
        logger.error("message.interrupted", extra={"sqs_id": sqs_id, "deaths": deaths})

    def message_dead_lettered(self, reason: str) -> None:
        shown = mask_within(_UNKNOWN_FIELD.sub("*", reason))
        logger.warning("message.dead_lettered", extra={"reason": shown})

    def queue_failed(self, error: Exception) -> None:
        logger.error("queue.failed", extra={"error": mask_within(str(error))})

    # ---- Webhooks --------------------------------------------------------------------------

    def source_paused(self, record: Record) -> None:
        logger.error("source.paused", extra=self._fields(record))
        self._count({"SourcesPaused": 1}, record.source)

    def limit_exceeded(self, record: Record, reason: Reason) -> None:
        """A signed source exceeded a limit; its messages are sent."""
        logger.warning("source.limit_exceeded", extra=self._fields(record) | {"reason": reason})
        self._count({"LimitsExceeded": 1}, record.source)

    def webhook_refused(self, source: str, reason: str, *, configuration_error: bool) -> None:
        """A webhook was not authentic, or the webhook secret is missing or malformed."""
        logger.warning("webhook.refused", extra={"source": source, "reason": mask_within(reason)})
        errors = {"ConfigurationErrors": 1} if configuration_error else {}
        self._count({"WebhooksRefused": 1} | errors, f"webhook:{source}", reason)

    def webhook_ignored(self, source: str, reason: str) -> None:
        """A webhook was authentic, and nothing was to be sent."""
        logger.info("webhook.ignored", extra={"source": source, "reason": mask_within(reason)})
        self._count({"WebhooksIgnored": 1}, f"webhook:{source}", reason)

    def webhook_unreadable(self, source: str, reason: str) -> None:
        """A webhook was authentic, and its body could not be read."""
        logger.warning("webhook.unreadable", extra={"source": source, "reason": reason})
        self._count({"WebhooksUnreadable": 1}, f"webhook:{source}", reason)

    def no_such_source(self, meant: str | None) -> None:
        """A call for a source that `sources.yaml` does not have; anybody can make one.

        The name is a stranger's, a misplaced secret even: shown is the source that may be meant.
        """
        logger.info("webhook.no_such_source", extra={"meant": meant})

    def source_unused(self, source: str, reason: str, unused: Unused) -> None:
        row = {"calls": unused.calls, "faults": unused.faults, "since": to_rfc3339(unused.since)}
        logger.error("source.unused", extra={"source": source, "reason": reason, **row})
        self._count({"SourcesUnused": 1}, f"webhook:{source}", reason)

    def not_counted(self, source: str, error: Exception) -> None:
        logger.warning(
            "webhook.not_counted", extra={"source": source, "error": mask_within(str(error))}
        )

    def sources_invalid(self, mistakes: str) -> None:
        """Logged once per container; `no_sources` counts each call."""
        logger.error("sources.invalid", extra={"mistakes": mask_within(mistakes)})

    def no_sources(self) -> None:
        """A webhook could not be read because `sources.yaml` has mistakes."""
        self._count({"ConfigurationErrors": 1})

    # ---- The service itself ----------------------------------------------------------------

    def request_failed(self, error: Exception) -> None:
        """An HTTP call was answered with a 5xx of a known kind."""
        why = mask_within(str(error))
        logger.error("request.failed", extra={"error": type(error).__name__, "why": why})

    def admin_refused(self, route: tuple[str, str]) -> None:
        """A call with a valid API key lacked the admin key, or had another."""
        logger.warning("admin.refused", extra={"route": " ".join(route)})
        self._count({"AdminRefused": 1})

    def configuration_error(self, why: str, source: str | None = None) -> None:
        """A setting, a secret or `sources.yaml` is wrong: a person must act."""
        logger.error("configuration.error", extra={"why": mask_within(why)})
        self._count({"ConfigurationErrors": 1}, source)

    def unhandled_error(self, component: str, error: Exception, **ids: str) -> None:
        """Log class and stack trace, but not the error's message, which may contain a text."""
        where = traceback.format_tb(error.__traceback__)
        ids = {name: log_id(value, self._id_key) for name, value in ids.items()}
        extra = {**ids, "component": component, "error": type(error).__name__, "where": where}
        logger.error("service.unhandled_error", extra=extra)
        self._count({"UnhandledErrors": 1})

    def reconciled(self, *, queued: int, leases_expired: int, ended: int, woken: int) -> None:
        """One run of the reconciler changed records."""
        extra = {
            "queued": queued,
            "leases_expired": leases_expired,
            "ended": ended,
            "woken": woken,
        }
        logger.info("reconciler.found", extra=extra)
        self._count({"Requeued": queued, "LeasesExpired": leases_expired})

    def unknown_messages(self, count: int) -> None:
        """How many messages are in doubt now: what a death left uncounted is among them."""
        self._count({"UnknownMessages": count})

    def unknown_not_counted(self, error: Exception) -> None:
        logger.warning("reconciler.unknown_not_counted", extra={"error": str(error)})

    def _operation_failed(self, event: str, record_id: str, error: Exception) -> None:
        shown = log_id(record_id, self._id_key)
        logger.error(event, extra={"message_id": shown, "error": type(error).__name__})

    def _fields(self, record: Record) -> dict[str, object]:
        return {
            "message_id": log_id(record.id, self._id_key),
            "to": mask(record.to),
            "source": record.source,
            "segments": record.segments,
            "attempts": record.attempts,
            "reason": record.reason,
        }

    def _count(
        self, metrics: Mapping[str, float], source: str | None = None, reason: str | None = None
    ) -> None:
        """Write metrics for the stack, and for stack and source where there is a source.

        A reason stands beside them, for the log's queries: as a dimension it would cost money.
        """
        if not metrics:
            return
        # An empty service: POWERTOOLS_SERVICE_NAME would become a dimension, which no alarm names.
        event = EphemeralMetrics(namespace=NAMESPACE, service="")
        event.add_dimension("stack", self._stack)
        if source is not None:
            event.add_dimensions(stack=self._stack, source=_dimension(source))
        if reason is not None:
            event.add_metadata("reason", reason)
        for name, value in metrics.items():
            event.add_metric(name, _UNITS.get(name, "Count"), value)
        self._write_line(json.dumps(event.serialize_metric_set()))


def _dimension(source: str) -> str:
    """One value for all campaigns: each value of a dimension is a metric that costs money."""
    return "campaign" if source.startswith("campaign:") else source


def _metrics(record: Record) -> dict[str, float]:
    metrics: dict[str, float] = {}
    if name := _COUNTED.get(record.status):
        metrics[name] = 1
    if record.status is Status.SENT:
        began = max(record.created_at, record.send_at or record.created_at)
        metrics["Segments"] = record.segments or 0
        metrics["CostEur"] = float(record.cost_eur or 0)
        metrics["TimeToSend"] = ((record.sent_at or began) - began).total_seconds()
    if record.held_by is not None:
        metrics["Held"] = 1
    elif record.status is Status.QUEUED and record.attempts:
        metrics["Retried"] = 1
    if record.reason in _CONFIGURATION:
        metrics["ConfigurationErrors"] = 1
    return metrics
