"""Logs and metrics: in the form that CloudWatch reads, and without personal data."""

import json
import logging
import re
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from openvoip_sms.adapters.telemetry import (
    LIBRARIES,
    CloudWatchTelemetry,
    HandlerFailed,
    entry_point,
    logger,
)
from openvoip_sms.delivery.ports import StoreUnavailable, UnreadableRecord
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.unused import Unused
from tests.fakes import START
from tests.functions import context
from tests.records import waiting

# The units of the specification ("Embedded metric format", CloudWatch user guide).
UNITS = {"Count", "Milliseconds", "Seconds", "None"}
CANARY = waiting(
    text="testo-canarino",
    reference="riferimento-canarino",
    sender="Canarino",
    segments=2,
    cost_eur=Decimal("0.18"),
    source="webhook:shopify",
)


class TelemetryOutput:
    """Telemetry and the lines that it wrote."""

    def __init__(self):
        self.lines = []
        self.telemetry = CloudWatchTelemetry("shop", self.lines.append)

    def metrics(self):
        """Name and value of each metric, with the checks of the specification."""
        found = {}
        for line in self.lines:
            assert "\n" not in line
            document = json.loads(line)
            envelope = document["_aws"]
            assert type(envelope["Timestamp"]) is int
            [directive] = envelope["CloudWatchMetrics"]
            assert directive["Namespace"] == "OpenVoipSms"
            assert 1 <= len(directive["Metrics"]) <= 100
            for dimensions in directive["Dimensions"]:
                assert len(dimensions) <= 30
                assert all(isinstance(document[name], str) for name in dimensions)
            for metric in directive["Metrics"]:
                assert metric["Unit"] in UNITS
                [value] = document[metric["Name"]]
                found[metric["Name"]] = (value, metric["Unit"])
        return found


@pytest.fixture
def output():
    return TelemetryOutput()


@pytest.fixture
def log_lines():
    """The log's lines, formatted as they are output."""
    logger.clear_state()  # a handler that ran before has left its context
    lines = []

    class Capture(logging.Handler):
        def emit(self, record):
            lines.append(logger.registered_formatter.format(record))

    capture = Capture(logging.DEBUG)
    logger.addHandler(capture)
    level = logger.log_level
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.setLevel(level)
    logger.removeHandler(capture)


def test_a_sent_message_counts_its_segments_cost_and_time(output):
    sent = replace(CANARY, status=Status.SENT, sent_at=START + timedelta(seconds=3))
    output.telemetry.status_changed(sent)
    assert output.metrics() == {
        "Sent": (1, "Count"),
        "Segments": (2, "Count"),
        "CostEur": (0.18, "None"),
        "TimeToSend": (3.0, "Seconds"),
    }


def test_time_to_send_starts_at_the_requested_time(output):
    requested = START + timedelta(hours=5)
    sent = replace(
        CANARY, status=Status.SENT, send_at=requested, sent_at=requested + timedelta(seconds=2)
    )
    output.telemetry.status_changed(sent)
    assert output.metrics()["TimeToSend"] == (2.0, "Seconds")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("rejected", "Rejected"),
        ("failed", "Failed"),
        ("unknown", "Unknown"),
        ("expired", "Expired"),
        ("suppressed", "Suppressed"),
    ],
)
def test_each_status_without_a_delivery_is_counted(output, status, name):
    output.telemetry.status_changed(replace(CANARY, status=Status(status)))
    assert output.metrics() == {name: (1, "Count")}


def test_a_message_that_waits_after_an_attempt_counts_as_retried(output):
    output.telemetry.status_changed(replace(CANARY, attempts=1))
    assert output.metrics() == {"Retried": (1, "Count")}


def test_a_message_that_was_just_accepted_costs_no_metric(output):
    output.telemetry.status_changed(CANARY)
    assert output.lines == []


@pytest.mark.parametrize("reason", ["bad_credentials", "secret_not_set", "gateway_misconfigured"])
def test_what_only_a_person_can_repair_is_counted_for_the_alarm(output, reason):
    output.telemetry.status_changed(replace(CANARY, attempts=1, reason=Reason(reason)))
    assert output.metrics()["ConfigurationErrors"] == (1, "Count")


def test_calls_and_duplicates_are_counted(output):
    output.telemetry.gateway_called(CANARY, CallResult(CallOutcome.ACCEPTED), 0.25)
    output.telemetry.duplicate_received(CANARY)
    assert output.metrics() == {
        "GatewayLatency": (250.0, "Milliseconds"),
        "Duplicates": (1, "Count"),
    }


def dimensions(line):
    """Each set of dimensions as names with values: a metric of its own in CloudWatch."""
    document = json.loads(line)
    [directive] = document["_aws"]["CloudWatchMetrics"]
    return [{name: document[name] for name in names} for names in directive["Dimensions"]]


def test_metrics_are_counted_for_the_stack_and_by_source(output):
    output.telemetry.duplicate_received(CANARY)
    assert dimensions(output.lines[0]) == [
        {"stack": "shop"},
        {"stack": "shop", "source": "webhook:shopify"},
    ]


def test_all_campaigns_are_one_source(output):
    output.telemetry.duplicate_received(replace(CANARY, source="campaign:natale-2026"))
    assert dimensions(output.lines[0])[1] == {"stack": "shop", "source": "campaign"}


def test_what_has_no_source_is_counted_for_the_stack_alone(output):
    output.telemetry.unhandled_error("api", RuntimeError())
    assert dimensions(output.lines[0]) == [{"stack": "shop"}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POWERTOOLS_SERVICE_NAME", "other"),
        ("POWERTOOLS_METRICS_NAMESPACE", "Other"),
        ("POWERTOOLS_METRICS_DISABLED", "true"),
        ("POWERTOOLS_DEV", "true"),
    ],
)
def test_no_variable_hides_a_metric_from_its_alarm(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    output = TelemetryOutput()
    output.telemetry.duplicate_received(CANARY)
    assert output.metrics() == {"Duplicates": (1, "Count")}
    assert dimensions(output.lines[0])[0] == {"stack": "shop"}


def test_ten_threads_at_once_lose_no_metric_and_mix_no_lines(capfd):
    telemetry, start = CloudWatchTelemetry("shop"), threading.Barrier(10)

    def report(worker):
        start.wait()
        for n in range(200):
            segments = worker * 1000 + n
            telemetry.status_changed(
                replace(CANARY, status=Status.SENT, sent_at=START, segments=segments)
            )

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(report, range(10)))
    documents = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line]
    metrics = [one for one in documents if "_aws" in one]
    assert len(metrics) == 2000
    assert all(one["Sent"] == [1.0] for one in metrics)
    assert {one["Segments"][0] for one in metrics} == {
        float(worker * 1000 + n) for worker in range(10) for n in range(200)
    }


@pytest.mark.parametrize(
    ("tell", "metric"),
    [
        (lambda t: t.webhook_ignored("shopify", "why"), "WebhooksIgnored"),
        (lambda t: t.webhook_unreadable("shopify", "why"), "WebhooksUnreadable"),
        (lambda t: t.source_unused("shopify", "why", Unused(3, 3, START)), "SourcesUnused"),
    ],
)
def test_what_causes_no_message_is_counted_by_source_with_its_reason(output, tell, metric):
    tell(output.telemetry)
    [line] = [json.loads(one) for one in output.lines]
    assert (line[metric], line["source"], line["reason"]) == ([1.0], "webhook:shopify", "why")
    sets = line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert sorted(map(sorted, sets)) == [["source", "stack"], ["stack"]]  # a reason would cost


def test_lines_go_to_standard_output_where_lambda_reads_them(capsys):
    CloudWatchTelemetry("shop").duplicate_received(CANARY)
    lines = capsys.readouterr().out.splitlines()
    assert any("CloudWatchMetrics" in line for line in lines)


def report_everything(telemetry):
    reply = CallResult(CallOutcome.UNCERTAIN, "http_500", "risposta-canarino +393331234567")
    for status in Status:
        telemetry.status_changed(replace(CANARY, status=status, gateway_reply=reply.raw))
    telemetry.gateway_called(CANARY, reply, 1.0)
    telemetry.duplicate_received(CANARY)
    telemetry.source_paused(CANARY)
    telemetry.webhook_refused("shopify", "bad_signature", configuration_error=True)
    telemetry.limit_exceeded(CANARY, Reason.RECIPIENT_LIMIT)
    telemetry.webhook_ignored("shopify", "no_mobile")
    telemetry.webhook_unreadable("shopify", "json")
    telemetry.source_unused("shopify", "json", Unused(3, 3, START))
    telemetry.not_counted("shopify", StoreUnavailable("ThrottlingException"))
    telemetry.no_such_source("shopify")
    error = StoreUnavailable("errore-canarino")
    telemetry.hand_over_failed("m-1", error)
    telemetry.schedule_not_removed("m-1", error)
    telemetry.secret_unavailable("m-1", error)
    telemetry.outcome_not_recorded(CANARY)


def test_no_line_shows_number_text_reply_or_anything_else_of_a_message(output, log_lines):
    report_everything(output.telemetry)
    shown = "\n".join([*output.lines, *log_lines])
    assert "anarino" not in shown
    assert "3331234567" not in shown
    assert "+39333*****67" in shown


def test_every_log_line_is_json_with_a_fixed_event_and_the_messages_id(output, log_lines):
    report_everything(output.telemetry)
    documents = [json.loads(line) for line in log_lines]
    assert len(documents) == len(Status) + 14
    assert {one["message"] for one in documents} >= {"sms.sent", "sms.unknown", "gateway.called"}
    assert all(one["message_id"] == "m-1" for one in documents if "to" in one)


def test_what_a_person_should_see_is_a_warning_or_an_error(output, log_lines):
    report_everything(output.telemetry)
    levels = {one["message"]: one["level"] for one in map(json.loads, log_lines)}
    assert [levels[f"sms.{status}"] for status in ("unknown", "failed", "expired")] == [
        "WARNING"
    ] * 3
    assert levels["sms.sent"] == "INFO"
    assert levels["message.not_handed_over"] == "ERROR"


def test_a_record_that_cannot_be_read_is_counted_and_logged_by_its_attribute_only(
    output, log_lines
):
    texts = {"to": "+393331234567", "text": CANARY.text}
    output.telemetry.record_unreadable(UnreadableRecord("m-1", texts, "status held"))
    output.telemetry.record_unreadable(UnreadableRecord("avviso-3331234567", texts, "text"))
    assert output.metrics() == {"UnreadableRecords": (1, "Count")}
    lines = [json.loads(one) for one in log_lines]
    assert [(one["message"], one["level"], one["why"]) for one in lines] == [
        ("record.unreadable", "ERROR", "status held"),
        ("record.unreadable", "ERROR", "text"),
    ]
    assert lines[0]["message_id"] == "m-1"
    assert "3331234567" not in json.dumps(lines)
    assert CANARY.text not in json.dumps(lines)


def test_an_unhandled_error_is_counted_and_logged_by_place_only(output, log_lines):
    def fail():
        raise RuntimeError(CANARY.text)

    with pytest.raises(RuntimeError) as failed:
        fail()
    output.telemetry.unhandled_error("api", failed.value, sqs_id="1")
    assert output.metrics() == {"UnhandledErrors": (1, "Count")}
    [line] = [json.loads(one) for one in log_lines]
    assert (line["message"], line["error"]) == ("service.unhandled_error", "RuntimeError")
    assert "in fail" in line["where"][-1]
    assert CANARY.text not in json.dumps(line)


@pytest.mark.parametrize(
    "personal",
    [
        "3478831234",
        "cliente3478831234",
        "347-883-1234",
        "347.8831234",
        "00393478831234",
        "RSSMRA80A01H501U",
        "IT60X0542811101000000123456",
        "modulo:3478831234:3f0c9d1e5a7b2c4d6e8f",
        "modulo:Mario-Rossi:3f0c9d1e5a7b2c4d6e8f",
    ],
)
def test_an_id_that_holds_a_number_or_a_tax_code_is_not_shown(output, log_lines, personal):
    output.telemetry.status_changed(replace(CANARY, id=personal))
    for report in (
        output.telemetry.hand_over_failed,
        output.telemetry.schedule_not_removed,
        output.telemetry.secret_unavailable,
    ):
        report(personal, RuntimeError())
    output.telemetry.record_unreadable(UnreadableRecord(personal, {}, "text"))
    output.telemetry.unhandled_error("reconciler", RuntimeError(), message_id=personal)
    ids = {json.loads(line)["message_id"] for line in log_lines}
    assert len(ids) == 1
    assert "78831234" not in re.sub("[^0-9]", "", ids.pop())
    assert not [line for line in log_lines if personal in line]


@pytest.mark.parametrize("shown", ["019a3a33cafe45fc0a1b2c3d4e5f6a7b", "ordine-1042"])
def test_an_id_that_says_nothing_is_shown_so_that_it_can_be_searched_for(output, log_lines, shown):
    output.telemetry.status_changed(replace(CANARY, id=shown))
    assert json.loads(log_lines[-1])["message_id"] == shown


def test_a_dead_letters_reason_shows_no_name_of_a_field_that_a_caller_invented(output, log_lines):
    reason = "Ciao_Mario: unknown_field, rssmra: unknown_field, text: missing"
    output.telemetry.message_dead_lettered(reason)
    shown = json.loads(log_lines[-1])["reason"]
    assert shown == "*: unknown_field, *: unknown_field, text: missing"


@pytest.mark.parametrize(
    "number",
    [
        "333 1234567",
        "+39 (333) 123/4567",
        "333\u00a01234567",
        "333\u20111234567",
        "\uff13\uff13\uff13\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
        "333,1234567",
    ],
)
def test_what_says_why_shows_no_number_either(output, log_lines, number):
    output.telemetry.configuration_error(f"TEST_RECIPIENTS: {number}")
    output.telemetry.sources_invalid(f"sources.yaml:3: to: {number} is no path")
    output.telemetry.request_failed(RuntimeError(number))
    output.telemetry.message_dead_lettered(f"{number}: unknown_field")
    output.telemetry.webhook_ignored("modulo", f"topic {number}")
    output.telemetry.queue_failed(RuntimeError(number))
    assert len(log_lines) == 6
    written = [json.dumps(json.loads(line), ensure_ascii=False) for line in log_lines]
    assert not [line for line in written if "1234567" in line or number in line]


@pytest.mark.parametrize("name", ["a", "botocore", "botocore.endpoint", "urllib3.connectionpool"])
def test_a_root_logger_at_debug_lets_no_library_through(name):
    """Lambda's own handler hangs there; its level is what an operator sets in the console."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    root, keep = logging.getLogger(), Keep(logging.DEBUG)
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        logging.getLogger(name).debug("segreto-canarino")
    finally:
        root.setLevel(level)
        root.removeHandler(keep)
    assert lines == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_not_even_a_librarys_warning_is_logged(name):
    assert not logging.getLogger(f"{name}.part").isEnabledFor(logging.CRITICAL)


def handle_with(handler):
    return entry_point(handler)({"body": CANARY.text}, context())


def test_a_function_that_fails_tells_lambda_the_errors_class_and_no_more(log_lines):
    def handler(_event, _context):
        raise KeyError(CANARY.text)

    with pytest.raises(HandlerFailed) as failed:
        handle_with(handler)
    shown = "".join(traceback.format_exception(failed.value))
    assert "KeyError" in shown
    assert CANARY.text not in shown
    [line] = map(json.loads, log_lines)
    assert (line["message"], line["error"]) == ("function.failed", "KeyError")
    assert "in handler" in line["where"][-1]
    assert CANARY.text not in json.dumps(line)


def test_an_error_of_fixed_wording_reaches_lambda_as_it_is():
    def handler(_event, _context):
        raise StoreUnavailable("ThrottlingException")

    with pytest.raises(StoreUnavailable, match="ThrottlingException"):
        handle_with(handler)


def test_the_event_is_not_logged_even_if_powertools_is_told_to(log_lines, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    assert handle_with(lambda _event, _context: {"status": "ok"}) == {"status": "ok"}
    assert log_lines == []
