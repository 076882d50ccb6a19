"""Bodies from the queue: completed, retried, or dead-lettered with a reason."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.intake.from_queue import (
    COMPLETED,
    QueueIntake,
    QueueOutcome,
    unwrap,
    with_identity,
)
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from tests.deliveries import delivery_on
from tests.fakes import (
    START,
    FakeClock,
    FakeGateway,
    FakeQueue,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
)
from tests.records import waiting

POLICY = Policy(default_sender="Bottega", live=True)
MINIMAL = {"to": "333 1234567", "text": "Ciao"}
BUSY = CallResult(CallOutcome.BUSY, retry_after=120.0)


class Setup:
    """An intake on fakes."""

    def __init__(self, *script):
        self.gateway, self.store, self.queue = FakeGateway(*script), FakeStore(), FakeQueue()
        self.schedule, self.telemetry, self.clock = FakeSchedule(), FakeTelemetry(), FakeClock()
        delivery = delivery_on(
            self.gateway,
            self.store,
            telemetry=self.telemetry,
            policy=POLICY,
            clock=self.clock,
            new_claim=lambda: f"claim-{len(self.store.history)}",
        )
        enqueuer = Enqueuer(
            self.store, self.queue, self.schedule, self.telemetry, POLICY, self.clock
        )
        self.intake = QueueIntake(delivery, enqueuer, delivery.braking, self.gateway)

    def handle(self, body, sqs_id="sqs-1", queued_at=None):
        written = body if isinstance(body, str) else json.dumps(body)
        return self.intake.handle(written, sqs_id, lambda: 60.0, queued_at)


# Messages


def test_a_message_is_sent_and_completed():
    setup = Setup()
    assert setup.handle(MINIMAL | {"id": "m-1"}) == COMPLETED
    assert [(sms.to, sms.text) for sms in setup.gateway.accepted] == [("+393331234567", "Ciao")]
    assert (setup.store["m-1"].status, setup.store["m-1"].source) == ("sent", "queue")


def test_without_an_id_the_sqs_id_is_used():
    setup = Setup()
    setup.handle(MINIMAL)
    assert setup.store["sqs-1"].status is Status.SENT


def test_a_message_delivered_twice_is_sent_once():
    setup = Setup()
    assert [setup.handle(MINIMAL) for _ in range(3)] == [COMPLETED] * 3
    assert len(setup.gateway.calls) == 1


def test_the_same_id_with_other_content_is_dead_lettered():
    setup = Setup()
    setup.handle(MINIMAL | {"id": "m-1"})
    assert setup.handle(MINIMAL | {"id": "m-1", "text": "Altro"}) == QueueOutcome(
        dead_letter="id_in_use"
    )
    assert len(setup.gateway.calls) == 1


def test_what_was_not_sent_is_retried_and_then_sent():
    setup = Setup(BUSY)
    assert setup.handle(MINIMAL | {"id": "m-1"}) == QueueOutcome(retry_in=120.0)
    setup.clock.advance(120)
    assert setup.handle(MINIMAL | {"id": "m-1"}) == COMPLETED
    assert setup.store["m-1"].status is Status.SENT


def test_a_message_without_an_id_is_retried_as_a_pointer_to_its_record():
    """Its SQS id would change with a redrive from the dead-letter queue."""
    setup = Setup(BUSY)
    assert setup.handle(MINIMAL) == COMPLETED
    assert setup.queue.queued == [("sqs-1", 120.0)]
    assert setup.handle({"stored_message": "sqs-1"}) == COMPLETED
    assert setup.store["sqs-1"].status is Status.SENT


def test_a_pointer_that_cannot_be_queued_leaves_the_message_in_the_queue():
    setup = Setup(BUSY)
    setup.queue.down = True
    assert setup.handle(MINIMAL) == QueueOutcome(retry_in=120.0)


def test_a_delay_longer_than_the_queue_allows_leaves_the_message_in_the_queue():
    setup = Setup(replace(BUSY, retry_after=7200.0))
    assert setup.handle(MINIMAL) == QueueOutcome(retry_in=7200.0)
    assert setup.queue.queued == []


def test_a_message_that_another_worker_is_sending_is_retried():
    meanwhile = []

    def delivered_twice():
        meanwhile.append(setup.handle(MINIMAL))
        return CallResult(CallOutcome.ACCEPTED)

    setup = Setup(delivered_twice)
    assert setup.handle(MINIMAL) == COMPLETED
    assert meanwhile == [QueueOutcome(retry_in=91.0)]
    assert len(setup.gateway.calls) == 1


def test_a_message_for_later_is_scheduled_once():
    setup = Setup()
    body = MINIMAL | {"id": "m-1", "send_at": "2026-11-25T09:00:00+01:00"}
    assert [setup.handle(body) for _ in range(2)] == [COMPLETED] * 2
    assert setup.store["m-1"].status is Status.SCHEDULED
    assert list(setup.schedule.at) == ["m-1"]
    assert setup.gateway.calls == []
    other = body | {"text": "Altro"}
    assert setup.handle(other) == QueueOutcome(dead_letter="id_in_use")


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat()


def test_a_send_at_that_had_passed_when_it_was_queued_becomes_a_rejected_record():
    setup = Setup()
    body = MINIMAL | {"id": "m-1", "send_at": at(-301)}
    assert setup.handle(body, queued_at=START) == COMPLETED
    assert (setup.store["m-1"].status, setup.store["m-1"].reason) == ("rejected", "in_the_past")
    assert setup.gateway.calls == []
    assert setup.handle(body, queued_at=START) == COMPLETED
    assert len(setup.telemetry.changes) == 1


def test_a_send_at_that_passed_while_the_message_waited_in_the_queue_is_sent():
    setup = Setup()
    queued_at = START - timedelta(hours=1)
    assert setup.handle(MINIMAL | {"send_at": at(-3300)}, queued_at=queued_at) == COMPLETED
    assert len(setup.gateway.accepted) == 1


def test_without_a_moment_of_queueing_the_moment_of_receiving_counts():
    setup = Setup()
    assert setup.handle(MINIMAL | {"send_at": at(-301)}) == COMPLETED
    assert setup.store["sqs-1"].status is Status.REJECTED


@pytest.mark.parametrize("result", [CallResult(CallOutcome.ACCEPTED), BUSY])
def test_a_known_id_is_answered_before_its_send_at_is_looked_at(result):
    """The same message, queued once more when its time has passed, is still the same message."""
    setup = Setup(result)
    body = MINIMAL | {"id": "m-1", "send_at": at(-60)}
    setup.handle(body, queued_at=START)
    status = setup.store["m-1"].status
    setup.clock.advance(3600)
    again = setup.handle(body, "sqs-2", queued_at=setup.clock.now)
    assert again == COMPLETED
    assert setup.store["m-1"].status is Status.SENT
    assert status in ("sent", "queued")
    other = body | {"text": "Altro"}
    assert setup.handle(other, "sqs-3", setup.clock.now).dead_letter == "id_in_use"


# A byte order mark, and what is not set


@pytest.mark.parametrize(
    "wrap", ["plain", "sns", "event_bridge", "sns_event_bridge", "text_detail"]
)
def test_a_byte_order_mark_is_no_part_of_a_message(wrap):
    """.NET and PowerShell files begin with one."""
    inner = "\ufeff" + json.dumps(MINIMAL | {"id": "bom-1"})
    body = {
        "plain": inner,
        "sns": "\ufeff" + json.dumps(sns(MINIMAL) | {"Message": inner}),
        "event_bridge": "\ufeff" + json.dumps(event_bridge(MINIMAL | {"id": "bom-1"})),
        "sns_event_bridge": json.dumps(
            sns(MINIMAL)
            | {"Message": "\ufeff" + json.dumps(event_bridge(MINIMAL | {"id": "bom-1"}))}
        ),
        "text_detail": json.dumps(event_bridge(inner)),
    }[wrap]
    setup = Setup()
    assert setup.handle(body) == COMPLETED
    assert setup.store["bom-1"].status is Status.SENT


def test_a_byte_order_mark_before_a_pointer_is_none_either():
    setup = Setup()
    setup.store.records["m-1"] = waiting()
    assert setup.handle('\ufeff{"stored_message": "m-1"}') == COMPLETED
    assert len(setup.gateway.accepted) == 1


@pytest.mark.parametrize(
    ("body", "identity"),
    [
        (MINIMAL, "sqs-1"),
        (MINIMAL | {"id": None}, "sqs-1"),
        (MINIMAL | {"id": "m-1"}, "m-1"),
        ("\ufeff" + json.dumps(MINIMAL | {"id": None}), "sqs-1"),
    ],
)
def test_a_body_keeps_its_identity_through_the_dead_letter_queue(body, identity):
    written = body if isinstance(body, str) else json.dumps(body)
    setup = Setup()
    assert setup.handle(with_identity(written, "sqs-1"), "sqs-of-the-redrive") == COMPLETED
    assert list(setup.store.records) == [identity]
    assert setup.store[identity].status is Status.SENT


@pytest.mark.parametrize("how_often", [1, 5])
def test_envelopes_keep_their_identity_through_the_dead_letter_queue_however_often(how_often):
    """One whose id no message can have counts as none: the SQS id was used."""
    for envelope_id, identity in (("x", "x"), ("a b", "sqs-1")):
        envelope = sns(event_bridge(MINIMAL | {"id": None}) | {"id": envelope_id})
        body = json.dumps(envelope | {"MessageId": None})
        for n in range(how_often):
            body = with_identity(body, f"sqs-{n + 1}")
        setup = Setup()
        assert setup.handle(body, "sqs-of-the-redrive") == COMPLETED
        assert list(setup.store.records) == [identity]


def test_a_pointer_needs_no_envelope_in_the_dead_letter_queue():
    assert with_identity('{"stored_message": "m-1"}', "sqs-1") == '{"stored_message": "m-1"}'


def test_an_envelope_s_id_serves_where_the_message_s_own_is_null():
    setup = Setup()
    nothing_set = MINIMAL | {"id": None, "sender": None, "send_at": None, "reference": None}
    assert setup.handle(event_bridge(nothing_set) | {"id": "x"}) == COMPLETED
    assert setup.handle(nothing_set, "sqs-2") == COMPLETED
    assert list(setup.store.records) == ["x", "sqs-2"]
    assert {one.status for one in setup.store.records.values()} == {Status.SENT}


def test_a_bad_number_with_nulls_becomes_a_rejected_record():
    setup = Setup()
    assert (
        setup.handle({"to": "06 1234567", "text": "x", "id": None, "category": None}) == COMPLETED
    )
    assert setup.store["sqs-1"].reason == "landline"


# Pointers


def test_a_pointer_sends_the_stored_message():
    setup = Setup()
    setup.store.records["m-1"] = waiting()
    assert setup.handle({"stored_message": "m-1"}) == COMPLETED
    assert setup.store["m-1"].status is Status.SENT


def test_a_pointer_that_is_received_too_early_is_retried():
    setup = Setup()
    setup.store.records["m-1"] = waiting(send_at=START + timedelta(seconds=60))
    assert setup.handle({"stored_message": "m-1"}) == QueueOutcome(retry_in=60.0)


@pytest.mark.parametrize("key", ["m-9", "", "a b", "x" * 3000, 7, None, {"a": 1}, ["m-1"]])
def test_a_pointer_to_nothing_is_dead_lettered(key):
    setup = Setup()
    looked_up = []
    setup.store.claim = lambda key, *_: looked_up.append(key)  # and finds nothing
    assert setup.handle({"stored_message": key}) == QueueOutcome(dead_letter="no_such_message")
    assert looked_up == (["m-9"] if key == "m-9" else [])  # the table knows no other keys


# Invalid messages


@pytest.mark.parametrize(
    "body",
    [
        "",
        "ciao",
        "{",
        '{"to": NaN}',
        '{"to":"333 1234567","to":"334 1234567","text":"x"}',
        "[" * 100_000,
        "1" * 10_000,
        "\x00",
    ],
)
def test_what_is_not_json_is_dead_lettered(body):
    assert Setup().handle(body) == QueueOutcome(dead_letter="not_json")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], ": not_an_object"),
        ("7", ": not_an_object"),
        ({}, "to: missing, text: missing"),
        (MINIMAL | {"testo": "x"}, "testo: unknown_field"),
        (MINIMAL | {"to": 3331234567}, "to: wrong_type"),
        (MINIMAL | {"id": "a b"}, "id: bad_id"),
        (MINIMAL | {"dry_run": True}, "dry_run_in_queue"),
        ({"Records": []}, "Records: unknown_field, to: missing, text: missing"),
    ],
)
def test_an_invalid_message_is_dead_lettered_with_its_mistakes(body, reason):
    setup = Setup()
    assert setup.handle(body) == QueueOutcome(dead_letter=reason)
    assert setup.store.records == {}


def test_the_reason_fits_an_attribute_and_shows_nothing_of_the_message():
    message = {f"campo{n}": "segreto" for n in range(100)} | {"segreto\n": 1, "to": 333_1234567}
    reason = Setup().handle(message).dead_letter
    assert len(reason) <= 256
    assert reason.isprintable()
    assert "segreto" not in reason
    assert "1234567" not in reason


def test_a_message_with_a_bad_number_becomes_a_rejected_record():
    setup = Setup()
    body = MINIMAL | {"id": "m-1", "to": "06 1234567"}
    assert setup.handle(body) == COMPLETED
    setup.clock.advance(0.001)
    assert setup.handle(body) == COMPLETED
    assert (setup.store["m-1"].status, setup.store["m-1"].reason) == ("rejected", "landline")
    assert len(setup.telemetry.changes) == 1


def test_a_rejected_message_does_not_replace_another():
    setup = Setup()
    setup.handle(MINIMAL | {"id": "m-1"})
    assert (
        setup.handle({"id": "m-1", "to": "06 1234567", "text": "Ciao"}).dead_letter == "id_in_use"
    )
    assert setup.store["m-1"].status is Status.SENT


# Envelopes


def sns(inner):
    return {"Type": "Notification", "MessageId": "x", "Message": json.dumps(inner)}


def event_bridge(inner):
    return {"version": "0", "detail-type": "SmsWanted", "source": "shop", "detail": inner}


@pytest.mark.parametrize(
    "envelope", [sns(MINIMAL), event_bridge(MINIMAL), sns(event_bridge(MINIMAL)), sns(sns(MINIMAL))]
)
def test_envelopes_are_unwrapped(envelope):
    setup = Setup()
    assert setup.handle(envelope) == COMPLETED
    assert len(setup.gateway.accepted) == 1


@pytest.mark.parametrize(
    "envelope",
    [
        sns(MINIMAL),
        event_bridge(MINIMAL) | {"id": "x"},
        sns(event_bridge(MINIMAL) | {"id": "x"}) | {"MessageId": "another-each-time"},
    ],
)
def test_an_envelope_that_is_delivered_twice_is_one_sms(envelope):
    """SNS and EventBridge deliver at least once, and the queue gives each copy another id."""
    setup = Setup()
    assert setup.handle(envelope, "sqs-1") == COMPLETED
    assert setup.handle(envelope, "sqs-2") == COMPLETED
    assert list(setup.store.records) == ["x"]
    assert len(setup.gateway.accepted) == 1


def test_a_messages_own_id_takes_precedence_over_its_envelopes():
    setup = Setup()
    setup.handle(sns(MINIMAL | {"id": "m-1"}))
    assert list(setup.store.records) == ["m-1"]


@pytest.mark.parametrize("envelope_id", [None, 7, "", "a b", "x" * 129, {}])
def test_an_envelopes_id_that_no_message_can_have_is_ignored(envelope_id):
    setup = Setup()
    assert setup.handle(sns(MINIMAL) | {"MessageId": envelope_id}) == COMPLETED
    assert list(setup.store.records) == ["sqs-1"]


def test_an_envelope_around_a_pointer_is_one_to_the_stored_message():
    setup = Setup()
    setup.store.records["m-1"] = waiting()
    assert setup.handle(event_bridge({"stored_message": "m-1"})) == COMPLETED
    assert len(setup.gateway.accepted) == 1


@pytest.mark.parametrize(
    "envelope",
    [
        {"Type": "Notification", "Message": "testo semplice"},
        {"Type": "Notification", "Message": ""},
    ],
)
def test_an_envelope_around_a_plain_text_is_dead_lettered(envelope):
    assert Setup().handle(envelope) == QueueOutcome(dead_letter="not_json")


def test_envelopes_nested_too_deeply_are_dead_lettered():
    inner = MINIMAL
    for _ in range(50):
        inner = event_bridge(inner)
    assert "unknown_field" in Setup().handle(inner).dead_letter


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    "Type Message detail detail-type to text stored_message id".split()
                ),
                inner | st.sampled_from(["Notification", "[1]", '{"to":"3331234567","text":"x"}']),
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_is_in_the_queue_is_completed_retried_or_dead_lettered(body):
    setup = Setup()
    handled = setup.handle(body)
    assert handled == COMPLETED or handled.dead_letter or handled.retry_in
    assert handled != COMPLETED or setup.store.records


def test_what_is_not_an_envelope_is_left_unchanged():
    assert unwrap({"Type": "Notification", "Message": 7}) == {"Type": "Notification", "Message": 7}
