"""A batch of the queue: what is wrong with one record stays with it, the function's death too."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import QueueUnavailable, Unfinished
from openvoip_sms.intake.from_queue import COMPLETED, QueueIntake
from openvoip_sms.intake.queue_records import (
    MAX_DEATHS,
    MAX_RECEIVES,
    MAY_STILL_RUN,
    QueueRecords,
)
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Status
from tests.deliveries import delivery_on
from tests.fakes import (
    START,
    FakeAttempts,
    FakeClock,
    FakeGateway,
    FakeQueue,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
)
from tests.function_calls import count_calls
from tests.records import sending, waiting
from tests.template import resource

POLICY = Policy(default_sender="Bottega", live=True)
MEBIBYTE = 1024 * 1024
VISIBILITY = resource("MessageQueue")["VisibilityTimeout"]
DEADLY = "mortale"


class Death(BaseException):
    """The function is gone: no `except Exception` sees it."""


@dataclass
class FakeReceived:
    """What became of received messages; `down`: no call succeeds."""

    delayed: dict[str, float] = field(default_factory=dict)
    dead: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def delay_redelivery(self, receipt_handle, seconds):
        self._answer()
        self.delayed[receipt_handle] = seconds

    def dead_letter(self, body, reason, _queued_at):
        self._answer()
        self.dead.append((body, reason))

    def _answer(self):
        if self.down:
            raise QueueUnavailable("ServiceUnavailable")


class DiesAsItReads(QueueIntake):
    """The real intake, but that some messages make the function die."""

    def handle(self, body, *more):
        if DEADLY in body:
            raise Death
        return super().handle(body, *more)


class Setup:
    """The sender's records and all that is around them."""

    def __init__(self, *script, intake=QueueIntake, **gateway):
        self.gateway, self.store = FakeGateway(*script, **gateway), FakeStore()
        self.received, self.attempts, self.clock = FakeReceived(), FakeAttempts(), FakeClock()
        self.telemetry = FakeTelemetry()
        delivery = delivery_on(
            self.gateway,
            self.store,
            telemetry=self.telemetry,
            policy=POLICY,
            clock=self.clock,
            new_claim=lambda: f"claim-{len(self.store.history)}",
        )
        enqueuer = Enqueuer(
            self.store, FakeQueue(), FakeSchedule(), self.telemetry, POLICY, self.clock
        )
        self.records = QueueRecords(
            intake(delivery, enqueuer, delivery.braking, self.gateway),
            self.received,
            self.attempts,
            self.telemetry,
            self.clock,
        )

    def failed(self, *records, seconds=60.0):
        return self.records.failed(records, lambda: seconds, map)

    def lives(self, *records):
        """Handle a batch, after a visibility time-out; return whether the function survives it."""
        self.clock.advance(VISIBILITY)
        try:
            self.failed(*records)
        except Death:
            return False
        return True

    def deaths_until_all_are_gone(self, *bodies, most=40):
        """Deliver a batch, and what is left of it, again and again."""
        left, deaths = {f"sqs-{n}": body for n, body in enumerate(bodies)}, 0
        for receives in range(1, most):
            if not left:
                return deaths
            self.clock.advance(VISIBILITY)
            try:
                failed = self.failed(*(record(body, one, receives) for one, body in left.items()))
            except Death:
                deaths += 1
            else:
                left = {sqs_id: left[sqs_id] for sqs_id in failed}
        raise AssertionError("it does not end")

    def dead(self):
        """The identities and bodies of the dead letters."""
        bodies = [json.loads(body) for body, _ in self.received.dead]
        return [(body["id"], body["detail"]) for body in bodies]


def record(body=None, sqs_id="sqs-1", receives=1):
    given = {"to": "333 1234567", "text": f"Ciao {sqs_id}"} if body is None else body
    return {
        "messageId": sqs_id,
        "receiptHandle": f"handle of {sqs_id}",
        "body": given if isinstance(given, str) else json.dumps(given),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


def batch(deadly=()):
    """Ten bodies, some of which make the function die."""
    bodies = [{"to": f"333 123450{n}", "text": f"Ciao {n}"} for n in range(10)]
    for n in deadly:
        bodies[n]["text"] = DEADLY
    return bodies


# Shapes


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "record",
        [],
        {},
        {"messageId": "sqs-9"},
        {"messageId": "sqs-9", "body": None},
        {"messageId": "sqs-9", "body": {"to": "333 1234567", "text": "x"}},
        {"body": '{"to": "333 1234567", "text": "x"}'},
    ],
)
def test_a_malformed_record_is_dead_lettered_and_harms_no_other(odd):
    setup = Setup()
    assert setup.failed(record(sqs_id="sqs-1"), odd, record(sqs_id="sqs-2")) == []
    assert len(setup.gateway.accepted) == 2
    [(body, reason)] = setup.received.dead
    assert reason == "malformed_record"
    assert body


ODD = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
ODD_RECORDS = ODD | st.dictionaries(
    st.sampled_from(["messageId", "body", "receiptHandle", "attributes"]),
    ODD | st.sampled_from(["sqs-1", "sqs-11", '{"to": 7}', '{"Message": "{}"}']),
)


@given(ODD_RECORDS, st.integers(0, 9), st.booleans())
def test_nine_good_records_are_sent_once_whatever_the_tenth_is(odd, place, down):
    """Also where the odd one cannot be dead-lettered, and all ten are delivered again."""
    setup = Setup()
    batch = [record(sqs_id=f"sqs-{n}") for n in range(9)]
    batch.insert(place, odd)
    setup.received.down = down
    failed = setup.failed(*batch)
    assert len(setup.gateway.accepted) == 9
    assert len(failed) == len(set(failed)) <= 1
    again = [record(sqs_id=f"sqs-{n}", receives=2) for n in range(9)]
    setup.failed(*again, odd)
    assert len(setup.gateway.accepted) == 9


@pytest.mark.parametrize("missing", ["attributes", "receiptHandle"])
def test_a_record_that_lacks_what_is_not_needed_is_sent(missing):
    setup = Setup()
    given = {name: value for name, value in record().items() if name != missing}
    assert setup.failed(given) == []
    assert len(setup.gateway.accepted) == 1


def test_a_record_without_a_handle_is_delivered_again_after_the_visibility_time_out():
    setup = Setup(default=CallResult(CallOutcome.BUSY))
    given = record({"id": "m-1", "to": "333 1234567", "text": "x"})
    assert setup.failed(given | {"receiptHandle": None}) == ["sqs-1"]
    assert setup.received.delayed == {}


def test_a_message_that_a_batch_holds_twice_is_named_once():
    setup = Setup(default=CallResult(CallOutcome.BUSY))
    given = record({"id": "m-1", "to": "333 1234567", "text": "x"})
    assert setup.failed(given, given) == ["sqs-1"]


def test_a_malformed_record_that_cannot_be_dead_lettered_is_delivered_again_with_its_batch():
    """Without an id it cannot be named; an empty one makes SQS deliver the whole batch again."""
    setup = Setup()
    setup.received.down = True
    assert setup.failed(record(), {"body": "x"}) == [""]
    assert setup.failed(record(), {"body": "x"}) == [""]
    assert len(setup.gateway.accepted) == 1


def test_an_error_outside_of_the_work_stays_with_its_record(monkeypatch):
    setup = Setup()

    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr(FakeReceived, "dead_letter", broken)
    assert setup.failed(record("non JSON", "sqs-1"), record(sqs_id="sqs-2")) == ["sqs-1"]
    assert len(setup.gateway.accepted) == 1
    assert [type(error) for error in setup.telemetry.unhandled] == [RuntimeError]


def test_an_error_in_the_reading_of_a_body_ends_after_five_receives(monkeypatch):
    """What cannot be read cannot be read for the dead-letter queue either."""
    setup = Setup()

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("openvoip_sms.intake.from_queue.read_json", broken)
    assert setup.failed(record("{}", receives=4)) == ["sqs-1"]
    assert setup.failed(record("{}", receives=5)) == []
    assert setup.dead() == [("sqs-1", "{}")]


# A message that waits


def test_a_message_that_waits_through_an_outage_is_sent_however_often_it_was_received():
    setup = Setup(default=CallResult(CallOutcome.UNREACHABLE))
    given = {"id": "m-1", "to": "333 1234567", "text": "x", "valid_for": 604_800}
    for receives in range(1, 700):
        assert setup.failed(record(given, receives=receives)) == ["sqs-1"]
        setup.clock.advance(800)
    setup.gateway.default = CallResult(CallOutcome.ACCEPTED)
    assert setup.failed(record(given, receives=700)) == []
    assert setup.store["m-1"].status is Status.SENT
    assert setup.received.dead == setup.telemetry.interrupted == []


def test_a_message_that_waits_for_the_table_is_never_given_up():
    setup = Setup()
    setup.store.down = True
    for receives in range(1, 300):
        assert setup.failed(record(receives=receives)) == ["sqs-1"]
    setup.store.down, setup.attempts.down = False, True
    for receives in range(300, 600):
        assert setup.failed(record(receives=receives)) == ["sqs-1"]
    setup.attempts.down = False
    assert setup.failed(record(receives=600)) == []
    assert len(setup.gateway.accepted) == 1
    assert setup.received.dead == []


def test_the_first_receive_costs_no_call_of_the_table_and_the_next_ones_two_writes():
    setup = Setup()
    setup.failed(record())
    assert setup.attempts.calls == 0
    setup.failed(record(receives=2))
    assert setup.attempts.calls == 3  # a read, and two writes


def test_a_note_that_was_not_cleared_is_no_death_while_the_message_is_retried_soon():
    setup = Setup(default=CallResult(CallOutcome.BUSY))
    setup.attempts.not_cleared = True
    given = {"id": "m-1", "to": "333 1234567", "text": "x"}
    for receives in range(2, 50):
        assert setup.failed(record(given, receives=receives)) == ["sqs-1"]
        setup.clock.advance(100)
    assert setup.telemetry.interrupted == setup.received.dead == []


def test_a_note_that_was_not_cleared_costs_an_attempt_alone_and_nothing_else():
    setup = Setup(CallResult(CallOutcome.BUSY))
    given = {"id": "m-1", "to": "333 1234567", "text": "x"}
    setup.attempts.not_cleared = True
    assert setup.failed(record(given, receives=2)) == ["sqs-1"]
    setup.attempts.not_cleared = False
    setup.clock.advance(900)
    assert setup.failed(record(given, receives=3)) == []
    assert len(setup.gateway.accepted) == 1
    assert setup.attempts.noted["sqs-1"].count == 0


def test_a_message_that_was_received_too_often_is_dead_lettered_with_its_identity():
    """Its call was made, its record cannot be read, and a redrive gives it a new SQS id."""
    setup = Setup()
    body = {"to": "333 1234567", "text": "x"}
    setup.failed(record(body))
    setup.store.down = True
    assert setup.failed(record(body, receives=MAX_RECEIVES - 1)) == ["sqs-1"]
    assert setup.failed(record(body, receives=MAX_RECEIVES)) == []
    [(redriven, reason)] = setup.received.dead
    assert reason == "received_too_often"
    setup.store.down = False
    assert setup.failed(record(redriven, "sqs-of-the-redrive")) == []
    assert len(setup.gateway.calls) == 1


def test_no_message_is_dead_lettered_by_sqs_before_the_sender_does():
    limit = resource("MessageQueue")["RedrivePolicy"]["maxReceiveCount"]
    deaths_of_its_batch = 5 * (2 + MAX_DEATHS)
    assert 700 < MAX_RECEIVES <= limit - deaths_of_its_batch


# Death


def test_a_message_in_which_the_function_dies_is_dead_lettered_after_a_few_receives():
    setup = Setup(intake=DiesAsItReads)
    body = json.dumps({"to": "333 1234567", "text": DEADLY})
    assert setup.deaths_until_all_are_gone(body) == 1 + MAX_DEATHS
    assert setup.dead() == [("sqs-0", body)]
    assert setup.telemetry.dead_lettered == ["interrupted"]
    assert setup.telemetry.interrupted == [("sqs-0", n) for n in range(1, MAX_DEATHS + 1)]


@pytest.mark.parametrize("place", range(10))
def test_the_others_of_its_batch_are_all_sent_once_and_none_is_dead_lettered(place):
    setup = Setup(intake=DiesAsItReads)
    bodies = batch(deadly=[place])
    assert setup.deaths_until_all_are_gone(*bodies) <= 2 + MAX_DEATHS
    assert sorted(sms.text for sms in setup.gateway.accepted) == sorted(
        body["text"] for body in bodies if body["text"] != DEADLY
    )
    assert [sqs_id for sqs_id, _ in setup.dead()] == [f"sqs-{place}"]


def test_two_deadly_messages_of_a_batch_are_both_found():
    setup = Setup(intake=DiesAsItReads)
    assert setup.deaths_until_all_are_gone(*batch(deadly=[2, 7])) <= 2 * (2 + MAX_DEATHS)
    assert len(setup.gateway.accepted) == 8
    assert sorted(sqs_id for sqs_id, _ in setup.dead()) == ["sqs-2", "sqs-7"]


def test_a_message_that_always_meets_new_deadly_ones_is_not_taken_for_one():
    """Its note counts only what happens while it is tried alone."""
    setup = Setup(CallResult(CallOutcome.BUSY), intake=DiesAsItReads)
    given = {"id": "m-1", "to": "333 1234567", "text": "x"}
    setup.lives(record(given, "sqs-0", 1))
    for n in range(1, 20):
        deadly = record({"to": "333 1234567", "text": DEADLY}, f"sqs-{n}", 1)
        assert not setup.lives(deadly, record(given, "sqs-0", n + 1))
    assert setup.lives(record(given, "sqs-0", 99))
    assert setup.received.dead == []
    assert setup.store["m-1"].status is Status.SENT


def test_a_suspect_is_tried_after_the_others_and_not_among_them():
    setup = Setup()
    setup.attempts.noted["sqs-1"] = Unfinished(1, START - MAY_STILL_RUN)
    order = []

    def for_each(handle, messages):
        for message in messages:
            order.append(message.sqs_id)
            yield handle(message)
        order.append("all")

    given = [record(sqs_id="sqs-1", receives=2), record(sqs_id="sqs-2", receives=2)]
    assert setup.records.failed(given, lambda: 60.0, for_each) == []
    assert order == ["sqs-1", "sqs-2", "all"]
    assert [sms.text for sms in setup.gateway.accepted] == ["Ciao sqs-2", "Ciao sqs-1"]
    assert {note.count for note in setup.attempts.noted.values()} == {0}


def test_of_several_suspects_one_is_tried_and_the_others_are_delivered_again_at_once():
    """They are delayed before it is tried: after its death nobody would."""
    setup = Setup(intake=DiesAsItReads)
    old = START - MAY_STILL_RUN
    setup.attempts.noted |= {f"sqs-{n}": Unfinished(1, old) for n in (1, 2, 3)}
    given = [record(sqs_id="sqs-0", receives=2), record(DEADLY, "sqs-1", 2)]
    given += [record(sqs_id=f"sqs-{n}", receives=2) for n in (2, 3)]
    with pytest.raises(Death):
        setup.failed(*given)
    assert [sms.text for sms in setup.gateway.accepted] == ["Ciao sqs-0"]
    assert setup.received.delayed == {"handle of sqs-2": 1.0, "handle of sqs-3": 1.0}
    assert setup.attempts.noted["sqs-1"].count == 2


def test_an_attempt_that_another_worker_may_be_making_is_no_death():
    """SQS delivers some messages twice, and to two workers at the same time."""
    setup = Setup()
    for n in range(5):
        setup.attempts.noted["sqs-1"] = Unfinished(1, setup.clock.now)
        assert setup.failed(record(receives=2 + n)) == []
    assert setup.telemetry.interrupted == setup.received.dead == []
    assert len(setup.gateway.accepted) == 1


def test_no_attempt_outlasts_what_tells_it_from_a_death():
    time_out = resource("SenderFunction")["Timeout"]
    assert time_out < MAY_STILL_RUN.total_seconds() < VISIBILITY - time_out


def test_a_suspect_is_not_begun_when_the_functions_time_out_could_end_it():
    setup = Setup()
    note = setup.attempts.noted["sqs-1"] = Unfinished(MAX_DEATHS - 1, START - MAY_STILL_RUN)
    assert setup.failed(record(receives=3), seconds=29.0) == ["sqs-1"]
    assert setup.attempts.noted == {"sqs-1": note}
    assert setup.received.delayed == {"handle of sqs-1": 30.0}


def test_a_stored_message_that_makes_the_function_die_fails_and_is_not_queued_again():
    """In the dead-letter queue alone the reconciler would queue it again and again."""
    setup = Setup(intake=DiesAsItReads)
    setup.store.records[DEADLY] = waiting(id=DEADLY)
    assert setup.deaths_until_all_are_gone({"stored_message": DEADLY}) == 1 + MAX_DEATHS
    failed = setup.store[DEADLY]
    assert (failed.status, failed.reason) == (Status.FAILED, "interrupted")
    assert failed.check_at is None
    assert [change.id for change in setup.telemetry.changes] == [DEADLY]
    assert setup.received.dead == []


def test_a_stored_message_that_may_have_been_sent_becomes_unknown():
    setup = Setup(intake=DiesAsItReads)
    setup.store.records[DEADLY] = waiting(id=DEADLY, maybe_sent=True)
    setup.deaths_until_all_are_gone({"stored_message": DEADLY})
    assert setup.store[DEADLY].status is Status.UNKNOWN


def test_a_stored_message_that_is_claimed_is_left_to_its_lease():
    setup = Setup(intake=DiesAsItReads)
    claimed = setup.store.records[DEADLY] = sending(id=DEADLY)
    setup.deaths_until_all_are_gone({"stored_message": DEADLY})
    assert setup.store[DEADLY] == claimed  # the reconciler finds it


def test_a_pointer_to_nothing_in_which_the_function_dies_is_dead_lettered_as_it_is():
    setup = Setup(intake=DiesAsItReads)
    setup.deaths_until_all_are_gone({"stored_message": DEADLY})
    assert setup.received.dead == [(json.dumps({"stored_message": DEADLY}), "interrupted")]


def test_a_message_whose_end_makes_the_function_die_too_is_dead_lettered(monkeypatch):
    def dies(*_):
        raise Death

    setup = Setup(intake=DiesAsItReads)
    setup.store.records[DEADLY] = waiting(id=DEADLY)
    monkeypatch.setattr(DiesAsItReads, "give_up", dies)
    assert setup.deaths_until_all_are_gone({"stored_message": DEADLY}) == 2 + MAX_DEATHS
    assert setup.received.dead == [(json.dumps({"stored_message": DEADLY}), "interrupted")]


def test_a_redrive_of_what_was_interrupted_after_its_call_sends_nothing_twice():
    setup = Setup(intake=DiesAsItReads)
    setup.failed(record({"to": "333 1234567", "text": "x"}))
    setup.attempts.noted["sqs-1"] = Unfinished(MAX_DEATHS, START - MAY_STILL_RUN)
    assert setup.failed(record({"to": "333 1234567", "text": "x"}, receives=5)) == []
    [(body, _)] = setup.received.dead
    assert setup.failed(record(body, "sqs-of-the-redrive")) == []
    assert len(setup.gateway.calls) == 1
    assert list(setup.store.records) == ["sqs-1"]


def test_an_unhandled_error_is_no_death(monkeypatch):
    setup = Setup()
    errors = iter([RuntimeError(), None])

    def flaky(*_):
        if error := next(errors):
            raise error
        return COMPLETED

    monkeypatch.setattr(QueueIntake, "handle", flaky)
    assert setup.failed(record(receives=2)) == ["sqs-1"]
    assert setup.attempts.noted["sqs-1"].count == 0
    assert setup.failed(record(receives=3)) == []


# Bounds


HOSTILE = {
    "lists": "[" + "[]," * (MEBIBYTE // 3 - 1) + "1]",
    "objects": "[" + '{"a":0},' * (MEBIBYTE // 8 - 1) + "1]",
    "members": "{" + ",".join(f'"{n:x}":1' for n in range(MEBIBYTE // 10)) + "}",
    "nested": "[" + ",".join(["[" * 90 + "]" * 90] * (MEBIBYTE // 181)) + "]",
    "numbers": "[" + "1e9," * (MEBIBYTE // 4 - 1) + "1]",
    "in an SNS envelope": json.dumps(
        {"Type": "Notification", "Message": "[" + "[]," * (MEBIBYTE // 3 - 50) + "1]"}
    ),
    "in an EventBridge envelope": json.dumps(
        {"detail-type": "x", "detail": "[" + "[]," * (MEBIBYTE // 3 - 50) + "1]"}
    ),
    "a text": json.dumps({"to": "333 1234567", "text": "a" * (MEBIBYTE - 50)}),
    "marks": json.dumps({"to": "333 1234567", "text": "\u0301\u0316" * (MEBIBYTE // 12 - 10)}),
    "marks in UTF-8": '{"to": "333 1234567", "text": "' + "\u0301\u0316" * 262_000 + '"}',
    "spaces": json.dumps({"to": " " * (MEBIBYTE - 50), "text": " "}),
    "a sender": json.dumps({"to": "333 1234567", "text": "a", "sender": "1" * (MEBIBYTE - 99)}),
    "an id": json.dumps({"to": "333 1234567", "text": "a", "id": "1" * (MEBIBYTE - 99)}),
    "a reference": json.dumps({"to": "333 1234567", "text": "a", "reference": "1" * MEBIBYTE}),
    "digits": "9" * MEBIBYTE,
    "no JSON": "\u0301" * (MEBIBYTE // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mebibyte_causes_little_work_and_ends(name):
    Setup().failed(record(HOSTILE[name]))  # what is done once and kept does not count
    setup = Setup()
    assert count_calls(lambda: setup.failed(record(HOSTILE[name]))) < 2000
    assert setup.received.dead or setup.store["sqs-1"].status is Status.REJECTED
    assert setup.gateway.calls == []


def test_a_long_text_becomes_a_rejected_record_and_the_others_of_its_batch_are_sent():
    setup = Setup()
    bad = record(HOSTILE["marks in UTF-8"], "sqs-0")
    assert setup.failed(bad, *(record(sqs_id=f"sqs-{n}") for n in range(1, 10))) == []
    assert (setup.store["sqs-0"].status, setup.store["sqs-0"].reason) == ("rejected", "too_long")
    assert len(setup.gateway.accepted) == 9


def test_an_identity_that_the_queue_has_no_room_for_is_left_out(monkeypatch):
    setup = Setup()

    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr(QueueIntake, "handle", broken)
    long = json.dumps({"to": "333 1234567", "text": "è" * (MEBIBYTE // 2 - 50)}, ensure_ascii=False)
    assert setup.failed(record(long, receives=5)) == []
    assert setup.received.dead == [(long, "unexpected: RuntimeError")]
