"""Logs and metrics: in the form CloudWatch reads, and without what must not be read."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from openvoip_sms.adapters.journal import CloudWatchJournal, logger
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.replies import Reply, Verdict
from tests.fakes import START, FakeClock
from tests.records import waiting

# The specification's words ("Embedded metric format", CloudWatch user guide).
UNITS = {"Count", "Milliseconds", "Seconds", "None"}
CANARY = waiting(
    text="testo-canarino",
    reference="riferimento-canarino",
    sender="Canarino",
    segments=2,
    cost_eur=Decimal("0.18"),
    source="webhook:shopify",
)


class Written:
    """A journal and the lines it wrote."""

    def __init__(self):
        self.lines = []
        self.journal = CloudWatchJournal(FakeClock(), self.lines.append)

    def metrics(self):
        """Name and value of each metric, with the checks that the specification asks for."""
        found = {}
        for line in self.lines:
            assert "\n" not in line
            document = json.loads(line)
            envelope = document["_aws"]
            assert envelope["Timestamp"] == int(START.timestamp() * 1000)
            [directive] = envelope["CloudWatchMetrics"]
            assert directive["Namespace"] == "OpenVoipSms"
            assert 1 <= len(directive["Metrics"]) <= 100
            for dimensions in directive["Dimensions"]:
                assert len(dimensions) <= 30
                assert all(isinstance(document[name], str) for name in dimensions)
            for metric in directive["Metrics"]:
                assert metric["Unit"] in UNITS
                assert type(document[metric["Name"]]) in (int, float)
                found[metric["Name"]] = (document[metric["Name"]], metric["Unit"])
        return found


@pytest.fixture
def written():
    return Written()


@pytest.fixture
def logged():
    """The log's lines, formatted as they are written."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(logger.registered_formatter.format(record))

    keep = Keep(logging.DEBUG)
    logger.addHandler(keep)
    level = logger.log_level
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.setLevel(level)
    logger.removeHandler(keep)


def test_a_sent_message_counts_its_segments_cost_and_time(written):
    sent = replace(CANARY, status=Status.SENT, sent_at=START + timedelta(seconds=3))
    written.journal.changed(sent)
    assert written.metrics() == {
        "Sent": (1, "Count"),
        "Segments": (2, "Count"),
        "CostEur": (0.18, "None"),
        "TimeToSend": (3.0, "Seconds"),
    }


def test_time_to_send_begins_at_the_time_that_was_asked_for(written):
    asked = START + timedelta(hours=5)
    sent = replace(CANARY, status=Status.SENT, send_at=asked, sent_at=asked + timedelta(seconds=2))
    written.journal.changed(sent)
    assert written.metrics()["TimeToSend"] == (2.0, "Seconds")


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
def test_each_end_is_counted(written, status, name):
    written.journal.changed(replace(CANARY, status=Status(status)))
    assert written.metrics() == {name: (1, "Count")}


def test_a_message_that_waits_after_a_try_was_retried(written):
    written.journal.changed(replace(CANARY, attempts=1))
    assert written.metrics() == {"Retried": (1, "Count")}


def test_a_message_that_was_just_accepted_costs_no_metric(written):
    written.journal.changed(CANARY)
    assert written.lines == []


@pytest.mark.parametrize("reason", ["bad_credentials", "secret_not_set", "gateway_misconfigured"])
def test_what_only_a_person_can_repair_is_counted_for_the_alarm(written, reason):
    written.journal.changed(replace(CANARY, attempts=1, reason=Reason(reason)))
    assert written.metrics()["SetupProblems"] == (1, "Count")


def test_calls_and_duplicates_are_counted(written):
    written.journal.called(CANARY, Reply(Verdict.ACCEPTED), 0.25)
    written.journal.duplicate(CANARY)
    assert written.metrics() == {
        "GatewayLatency": (250.0, "Milliseconds"),
        "Duplicates": (1, "Count"),
    }


def test_metrics_are_counted_in_all_and_by_source(written):
    written.journal.duplicate(CANARY)
    document = json.loads(written.lines[0])
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[], ["source"]]
    assert document["source"] == "webhook:shopify"


def test_lines_go_to_standard_output_where_lambda_reads_them(capsys):
    CloudWatchJournal(FakeClock()).duplicate(CANARY)
    lines = capsys.readouterr().out.splitlines()
    assert any("CloudWatchMetrics" in line for line in lines)


def everything(journal):
    reply = Reply(Verdict.UNCERTAIN, "http_500", "risposta-canarino +393331234567")
    for status in Status:
        journal.changed(replace(CANARY, status=status, gateway_reply=reply.raw))
    journal.called(CANARY, reply, 1.0)
    journal.duplicate(CANARY)
    journal.source_paused(CANARY)
    journal.refused("shopify", "bad_signature", ours=True)
    journal.trouble("message.not_handed_over", "m-1", StoreUnavailable("errore-canarino"))


def test_no_line_shows_number_text_reply_or_anything_else_of_a_message(written, logged):
    everything(written.journal)
    shown = "\n".join([*written.lines, *logged])
    assert "anarino" not in shown
    assert "3331234567" not in shown
    assert "+39333*****67" in shown


def test_every_log_line_is_json_with_a_fixed_event_and_the_messages_id(written, logged):
    everything(written.journal)
    documents = [json.loads(line) for line in logged]
    assert len(documents) == len(Status) + 5
    assert {one["message"] for one in documents} >= {"sms.sent", "sms.unknown", "gateway.called"}
    assert all(one["message_id"] == "m-1" for one in documents if "to" in one)


def test_bad_news_are_warnings(written, logged):
    everything(written.journal)
    levels = {one["message"]: one["level"] for one in map(json.loads, logged)}
    assert [levels[f"sms.{status}"] for status in ("unknown", "failed", "expired")] == [
        "WARNING"
    ] * 3
    assert levels["sms.sent"] == "INFO"
    assert levels["message.not_handed_over"] == "ERROR"


def test_a_mistake_of_ours_is_counted_and_told_by_place_only(written, logged):
    def stumble():
        raise RuntimeError(CANARY.text)

    with pytest.raises(RuntimeError) as stumbled:
        stumble()
    written.journal.surprise("api.stumbled", stumbled.value, sqs_id="1")
    assert written.metrics() == {"Stumbles": (1, "Count")}
    [line] = [json.loads(one) for one in logged]
    assert (line["message"], line["error"]) == ("api.stumbled", "RuntimeError")
    assert "in stumble" in line["where"][-1]
    assert CANARY.text not in json.dumps(line)


@pytest.mark.parametrize("number", ["3331234567", "+393331234567", "00393331234567"])
def test_an_id_that_is_a_phone_number_is_masked_and_an_order_number_is_not(written, logged, number):
    written.journal.changed(replace(CANARY, id=f"avviso-{number}"))
    written.journal.trouble("message.not_handed_over", number, RuntimeError())
    written.journal.changed(replace(CANARY, id="01a3a333123456fc"))
    written.journal.changed(replace(CANARY, id="shopify:6172839405061"))
    assert not [line for line in logged if "3331234567" in line]
    assert '"message_id":"01a3a333123456fc"' in logged[-2]
    assert '"message_id":"shopify:6172839405061"' in logged[-1]
