"""Messages that may not go now wait in the table: the switch, and the brake."""

from dataclasses import replace
from datetime import timedelta

import pytest

from openvoip_sms.delivery.ports import MAX_CONTROL_AGE, OutcomeNotRecorded, StoreUnavailable
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.brake import OPEN, Brake, BrakeState
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.sending import Pause, Sending, with_brake, with_pause
from tests.deliveries import BUSY, UNCERTAIN, Setup
from tests.fakes import ACCEPTED, START, FakeGateway, FakeStore
from tests.records import sending, waiting

PAUSED = Sending(Pause(START), version=1)
HOLDING = Brake(BrakeState.HOLDING, START, next_try=START + timedelta(seconds=30))
SHUT = Sending(brake=HOLDING, version=1)
HELD_BY = pytest.mark.parametrize(
    ("state", "reason"), [(PAUSED, "paused"), (SHUT, "gateway_down")], ids=["switch", "brake"]
)


def half_open(size=1, **fields):
    brake = Brake(BrakeState.HALF_OPEN, START, half_open_since=START, half_open_size=size)
    return Sending(brake=replace(brake, **fields), version=1)


def held_setup(state, *records, **fields):
    setup = Setup(store=FakeStore(*records), **fields)
    setup.control.stored = state
    return setup


def nothing_was_called_or_counted(setup):
    return (
        setup.gateway.calls == []
        and setup.usage.counted.keys() <= {START.date()}
        and not any(
            figures.segments or figures.messages for figures in setup.usage.counted.values()
        )
    )


# Before the claim


@HELD_BY
def test_a_new_message_waits_in_the_table(state, reason):
    setup = held_setup(state)
    result = setup.send_new()
    stored = setup.store["m-1"]
    assert (result.record, result.retry_in, result.repeated) == (stored, None, False)
    assert (stored.status, stored.reason, stored.attempts) == ("queued", reason, 0)
    assert (stored.claim, stored.check_at) == (None, stored.expires_at)
    assert setup.store.history == [stored]  # it was never claimed
    assert nothing_was_called_or_counted(setup)


@HELD_BY
def test_a_message_of_the_queue_waits_in_the_table_and_is_completed_there(state, reason):
    setup = held_setup(state, waiting())
    result = setup.send_stored()
    stored = setup.store["m-1"]
    assert (result.record, result.retry_in) == (stored, None)
    assert (stored.status, stored.reason, stored.version) == ("queued", reason, 2)
    assert stored.held_by == reason
    assert nothing_was_called_or_counted(setup)


@HELD_BY
def test_what_is_held_already_is_not_written_again(state, reason):
    setup = held_setup(state, waiting())
    setup.send_stored()
    history = list(setup.store.history)
    assert setup.send_stored().retry_in is None
    assert setup.send_new().record.reason == reason
    assert setup.store.history == history


def test_what_is_held_for_another_reason_now_says_so():
    setup = held_setup(SHUT, waiting())
    setup.send_stored()
    setup.control.stored = PAUSED
    setup.clock.advance(MAX_CONTROL_AGE.total_seconds())
    setup.send_stored()
    assert setup.store["m-1"].reason == "paused"


@HELD_BY
def test_a_reason_that_has_ended_meanwhile_holds_nothing_back(state, reason):
    """What a container remembers may be two seconds old: it is read again before it is stored."""
    setup = held_setup(state)
    assert setup.control.current().held_by(START) == reason
    setup.control.stored = Sending(version=2)
    assert setup.send_new().record.status is Status.SENT


@HELD_BY
def test_the_validity_runs_on_while_a_message_is_held(state, reason):
    setup = held_setup(state, waiting(expires_at=START + timedelta(hours=1)))
    setup.send_stored()
    assert setup.store["m-1"].reason == reason
    setup.clock.advance(3600)
    assert setup.send_stored().record.status is Status.EXPIRED


@HELD_BY
def test_a_message_whose_time_has_not_come_keeps_its_schedule(state, reason):
    due = START + timedelta(minutes=5)
    scheduled = waiting(status=Status.SCHEDULED, send_at=due)
    setup = held_setup(state, scheduled)
    assert setup.send_stored().retry_in == 300.0
    assert setup.store["m-1"] == scheduled, reason


@HELD_BY
def test_a_claim_whose_lease_expired_is_found_all_the_same(state, reason):
    setup = held_setup(state, sending())
    setup.clock.advance(91)
    assert setup.send_stored().record.status is Status.UNKNOWN, reason


@HELD_BY
def test_when_it_has_ended_the_message_is_sent(state, reason):
    setup = held_setup(state)
    setup.send_new()
    assert setup.store["m-1"].reason == reason
    setup.control.stored = Sending(version=2)
    assert setup.send_stored().record.status is Status.SENT
    assert (setup.store["m-1"].attempts, setup.store["m-1"].reason) == (1, None)


def test_without_the_control_item_nothing_is_sent():
    setup = Setup(store=FakeStore(waiting()))
    setup.control.down = True
    for send in (setup.send_new, setup.send_stored):
        with pytest.raises(StoreUnavailable):
            send()
    assert nothing_was_called_or_counted(setup)


def test_the_control_item_is_read_once_in_two_seconds():
    setup = Setup()
    for number in range(10):
        setup.send_new(waiting(id=f"m-{number}"))
    assert setup.control.reads == 1


# After the claim


def changed_while_the_account_is_read(setup, change):
    """A worker that stands still between its claim and its call."""

    def slow_account():
        setup.clock.advance(MAX_CONTROL_AGE.total_seconds())
        change()
        return OpenvoipAccount("9999", "a-secret")

    setup.gateway.credentials = slow_account


def changed_while_it_is_counted(setup, change):
    """A worker that stands still in its reservation."""
    reserve = setup.usage.reserve

    def slow_reserve(*given):
        place = reserve(*given)
        setup.clock.advance(MAX_CONTROL_AGE.total_seconds())
        change()
        return place

    setup.usage.reserve = slow_reserve


STANDS_STILL = pytest.mark.parametrize(
    "changed", [changed_while_the_account_is_read, changed_while_it_is_counted]
)


@STANDS_STILL
@HELD_BY
def test_a_message_is_held_back_between_its_claim_and_its_call(changed, state, reason):
    setup = Setup(store=FakeStore(waiting(segments=2)))
    changed(setup, lambda: setattr(setup.control, "stored", state))
    result = setup.send_stored()
    stored = setup.store["m-1"]
    assert (result.record, result.retry_in) == (stored, None)
    assert (stored.status, stored.reason, stored.claim) == ("queued", reason, None)
    assert stored.attempts == 0  # no call was made
    assert stored.check_at == stored.expires_at
    assert nothing_was_called_or_counted(setup)


@STANDS_STILL
def test_a_message_whose_validity_ends_after_its_claim_expires(changed):
    setup = Setup(store=FakeStore(waiting(segments=2, expires_at=START + timedelta(seconds=30))))
    changed(setup, lambda: setup.clock.advance(30))
    assert setup.send_stored().record.status is Status.EXPIRED
    assert setup.store["m-1"].attempts == 0
    assert nothing_was_called_or_counted(setup)


@STANDS_STILL
def test_a_lease_that_would_end_during_the_call_is_released(changed):
    setup = Setup(store=FakeStore(waiting(segments=2)))
    changed(setup, lambda: setup.clock.advance(80))
    result = setup.send_stored()
    assert (result.record.reason, result.retry_in) == ("out_of_time", 2.0)
    assert nothing_was_called_or_counted(setup)


def test_a_control_item_that_cannot_be_read_after_the_reservation_gives_it_back():
    setup = Setup(store=FakeStore(waiting(segments=2)))
    changed_while_it_is_counted(setup, lambda: setattr(setup.control, "down", True))
    assert setup.send_stored().record.reason == "table_unavailable"
    assert nothing_was_called_or_counted(setup)


# The brake


def send_many(setup, count, first=1):
    return [setup.send_new(waiting(id=f"m-{n}")).record for n in range(first, first + count)]


def test_five_unclear_answers_hold_the_next_message_back():
    setup = Setup(gateway=FakeGateway(default=UNCERTAIN))
    assert [one.status for one in send_many(setup, 5)] == ["unknown"] * 5
    [sixth] = send_many(setup, 1, first=6)
    assert (sixth.status, sixth.reason) == ("queued", "gateway_down")
    assert len(setup.gateway.calls) == 5
    assert setup.queue.probes == [30.0]
    assert [one.state for one in setup.telemetry.brakes] == ["holding"]


def test_clear_answers_in_between_count():
    unclear_and_clear = [UNCERTAIN, ACCEPTED, ACCEPTED] * 10
    setup = Setup(gateway=FakeGateway(*unclear_and_clear))
    send_many(setup, 30)
    assert len(setup.gateway.calls) == 30
    assert setup.control.stored.brake.is_open


@pytest.mark.parametrize("outcome", sorted(set(CallOutcome) - {CallOutcome.UNCERTAIN}))
def test_what_was_not_in_doubt_shuts_nothing_and_costs_no_write(outcome):
    setup = Setup(gateway=FakeGateway(default=CallResult(outcome)))
    send_many(setup, 20)
    assert setup.control.writes == 0


def test_what_was_certainly_not_sent_counts_neither_way():
    """Five unclear answers are in a row, however many refusals are between them."""
    setup = Setup(gateway=FakeGateway(*[UNCERTAIN, BUSY, BUSY, BUSY] * 5))
    send_many(setup, 20)
    assert setup.control.stored.brake.state is BrakeState.HOLDING


def test_a_dead_worker_counts_neither_way():
    setup = Setup(store=FakeStore(*(sending(id=f"m-{n}") for n in range(20))))
    setup.clock.advance(91)
    setup.reconcile()
    assert {one.status for one in setup.store.records.values()} == {Status.UNKNOWN}
    assert setup.control.stored == Sending()


def test_an_unclear_answer_that_cannot_be_recorded_counts():
    setup = Setup()

    def lose_the_table():
        setup.store.down = True
        return UNCERTAIN

    setup.gateway = FakeGateway(default=UNCERTAIN)
    send_many(setup, 4)
    setup.gateway = FakeGateway(lose_the_table)
    with pytest.raises(OutcomeNotRecorded):
        setup.send_new(waiting(id="m-5"))
    assert setup.control.stored.brake.state is BrakeState.HOLDING


def test_a_brake_that_cannot_be_told_changes_nothing_for_the_message():
    setup = Setup()

    def lose_the_control_item():
        setup.control.down = True
        return UNCERTAIN

    setup.gateway = FakeGateway(lose_the_control_item)
    assert setup.send_new().record.status is Status.UNKNOWN
    assert [event for event, _, _ in setup.telemetry.failures] == ["brake"]


# A half-open brake


def permits_left(setup):
    brake = setup.control.stored.brake
    return brake.half_open_size - brake.half_open_taken


def test_the_first_message_of_a_half_open_brake_goes_alone():
    setup = held_setup(half_open())
    meanwhile = []

    def another():
        meanwhile.append(setup.send_new(waiting(id="m-2")).record)
        return ACCEPTED

    setup.gateway = FakeGateway(another)
    assert setup.send_new().record.status is Status.SENT
    assert [one.reason for one in meanwhile] == ["gateway_down"]
    assert setup.control.stored.brake.half_open_size == 2
    assert setup.waker.calls == 1


def test_fifteen_clear_answers_open_the_brake():
    setup = held_setup(half_open())
    send_many(setup, 14)
    assert setup.control.stored.brake != OPEN
    send_many(setup, 1, first=15)
    assert setup.control.stored.brake == OPEN
    assert [one.half_open_size for one in setup.telemetry.brakes] == [2, 4, 8, 0]
    assert setup.waker.calls == 4


def test_an_unclear_answer_while_half_open_shuts_the_brake_for_longer():
    setup = held_setup(half_open(size=4, pauses=2), gateway=FakeGateway(UNCERTAIN))
    send_many(setup, 1)
    brake = setup.control.stored.brake
    assert (brake.state, brake.pauses) == ("holding", 3)
    assert setup.queue.probes == [240.0]
    assert setup.waker.calls == 0


def test_a_number_that_the_gateway_refuses_is_a_clear_answer():
    refused = CallResult(CallOutcome.BAD_DESTINATION, "020")
    setup = held_setup(half_open(), gateway=FakeGateway(refused))
    send_many(setup, 1)
    assert setup.control.stored.brake.half_open_size == 2


def test_a_message_that_was_in_doubt_is_never_the_first_of_a_half_open_brake():
    """Its clear answer would prove nothing, and it may have been sent."""
    setup = held_setup(half_open(), waiting(maybe_sent=True))
    result = setup.send_stored()
    assert (result.record.reason, result.retry_in) == ("gateway_down", None)
    assert setup.gateway.calls == []
    assert permits_left(setup) == 1


def test_a_message_that_was_in_doubt_may_be_the_second():
    setup = held_setup(half_open(size=2), waiting(maybe_sent=True))
    assert setup.send_stored().record.status is Status.SENT


UNSENT = {
    "busy": {"gateway": FakeGateway(default=BUSY)},
    "refused": {"gateway": FakeGateway(default=CallResult(CallOutcome.GENERIC_ERROR))},
    "wrong account": {"gateway": FakeGateway(default=CallResult(CallOutcome.BAD_CREDENTIALS))},
    "expired": {"store": FakeStore(waiting(expires_at=START))},
    "not due": {"store": FakeStore(waiting(send_at=START + timedelta(seconds=30)))},
    "claimed by another": {"store": FakeStore(sending())},
    "sent already": {"store": FakeStore(waiting(status=Status.SENT))},
    "no record": {"store": FakeStore()},
}


@pytest.mark.parametrize("given", UNSENT.values(), ids=UNSENT)
def test_a_permit_that_sent_nothing_is_given_back(given):
    setup = Setup(**{"store": FakeStore(waiting())} | given)
    setup.control.stored = half_open(size=4, half_open_clear=1, half_open_taken=1)
    setup.send_stored()
    assert (permits_left(setup), setup.control.stored.brake.half_open_clear) == (3, 1)


def test_a_permit_for_a_repeated_message_is_given_back():
    setup = held_setup(half_open(), waiting(status=Status.SENT))
    assert setup.send_new().repeated
    assert permits_left(setup) == 1


@pytest.mark.parametrize("send", [Setup.send_stored, Setup.send_new])
def test_a_permit_whose_claim_fails_is_given_back(send):
    """The answer was lost: nobody calls, whether it was stored or not."""
    records = [waiting()] if send is Setup.send_stored else []
    setup = held_setup(half_open(), *records)
    setup.store.lost_responses = 1
    with pytest.raises(StoreUnavailable):
        send(setup)
    assert permits_left(setup) == 1


@pytest.mark.parametrize("down", [True, False], ids=["not recorded", "recorded"])
def test_a_permit_of_a_message_that_was_not_counted_is_given_back(down):
    setup = held_setup(half_open(), waiting(segments=1))

    def reserve(*_):
        setup.store.down = down
        raise StoreUnavailable("ReadTimeoutError")

    setup.usage.reserve = reserve
    if down:
        with pytest.raises(OutcomeNotRecorded):
            setup.send_stored()
    else:
        setup.send_stored()
    assert permits_left(setup) == 1


def test_a_permit_is_no_right_to_send_while_a_person_has_paused():
    setup = held_setup(half_open(), waiting())
    changed_while_the_account_is_read(
        setup,
        lambda: setattr(setup.control, "stored", with_pause(setup.control.stored, Pause(START))),
    )
    assert setup.send_stored().record.reason == "paused"
    assert permits_left(setup) == 1


def test_of_two_workers_that_want_the_last_permit_one_gets_it():
    setup = held_setup(half_open(), waiting())
    taken = replace(half_open().brake, half_open_taken=1)
    setup.control.overtaken_by = [lambda stored: with_brake(stored, taken)]
    assert setup.send_stored().record.reason == Reason.GATEWAY_DOWN
    assert setup.gateway.calls == []
