"""The brake: when it shuts, how long it waits, and how it opens again."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from openvoip_sms.rules import brake as rules
from openvoip_sms.rules.brake import (
    OPEN,
    PERMIT_LEASE,
    PROBE_LEASE,
    Brake,
    BrakeState,
    Permit,
    Place,
    clear_answer,
    probed,
    probing,
    returned,
    taken,
    unclear_answer,
)
from tests.fakes import START

DAY = START.date()
SECOND = timedelta(seconds=1)


def place(number, day=DAY):
    return Place(day, number, f"c-{number}")


def told(*numbers, brake=OPEN):
    """The brake after unclear answers to these calls."""
    for number in numbers:
        brake = unclear_answer(brake, place(number), None, START)
    return brake


def shut(now=START):
    return unclear_answer(told(1, 2, 3, 4), place(5), None, now)


def half_opened(size=1, now=START):
    """A half-open brake of that size."""
    brake = replace(shut(now), next_try=now)
    brake = probing(brake, now)
    brake = probed(brake, brake.probing_until, now, healthy=True)
    while brake.half_open_size < size:
        brake = pass_step(brake, now)
    return brake


def take_all(brake, now=START):
    permits = []
    while (found := taken(brake, now)) is not None:
        brake, permit = found
        permits.append(permit)
    return brake, permits


def pass_step(brake, now=START):
    brake, permits = take_all(brake, now)
    for permit in permits:
        brake = clear_answer(brake, permit, now)
    return brake


# When it shuts


def crowded(answers):
    """Whether five of ten answers in a row, or of fewer, are unclear."""
    counted = [one for one in answers if one != "not sent"]
    spans = (counted[end - 10 if end > 10 else 0 : end] for end in range(len(counted) + 1))
    return any(span.count("unclear") >= 5 for span in spans)


ANSWERS = st.lists(st.sampled_from(["clear", "unclear", "not sent"]), max_size=60)


@given(ANSWERS)
def test_it_shuts_exactly_when_half_of_ten_answers_in_a_row_are_unclear(answers):
    """One call after another; what was not sent gives its place back."""
    brake, number = OPEN, 0
    for count, answer in enumerate(answers):
        number += answer != "not sent"
        if answer == "unclear":
            brake = unclear_answer(brake, Place(DAY, number, f"c-{count}"), None, START)
        assert brake.is_open == (not crowded(answers[: count + 1]))


@given(st.data(), ANSWERS)
def test_the_order_in_which_answers_arrive_does_not_matter(data, answers):
    kinds = [one for one in answers if one != "not sent"]
    unclear = [place(n) for n, answer in enumerate(kinds, 1) if answer == "unclear"]
    brake = OPEN
    for one in data.draw(st.permutations(unclear)):
        brake = unclear_answer(brake, one, None, START)
    assert brake.is_open == (not crowded(kinds))


def test_five_unclear_answers_in_a_row_shut_it_and_four_do_not():
    assert told(1, 2, 3, 4).is_open
    assert told(1, 2, 3, 4, 5).state is BrakeState.HOLDING


def test_five_of_ten_shut_it_and_five_of_eleven_do_not():
    assert told(1, 3, 5, 7, 10).state is BrakeState.HOLDING
    assert told(1, 3, 5, 7, 11).is_open


def test_an_answer_that_is_told_twice_counts_once():
    assert told(1, 2, 3, 4, 4, 4).is_open


def test_two_calls_that_had_the_same_place_count_as_two():
    """The first gave its place back while others were called, and the next one got it again."""
    brake = told(1, 2, 3, 4)
    assert not unclear_answer(brake, Place(DAY, 4, "another"), None, START).is_open


def test_calls_of_two_days_are_not_in_a_row():
    brake = told(1, 2, 3, 4)
    assert unclear_answer(brake, place(5, DAY + timedelta(days=1)), None, START).is_open


def test_a_late_answer_of_the_day_before_makes_nothing_of_the_new_day_forgotten():
    brake = told(1, 2, 3, 4)
    brake = unclear_answer(brake, place(9, DAY - timedelta(days=1)), None, START)
    assert not unclear_answer(brake, place(5), None, START).is_open


def test_what_it_remembers_does_not_grow_with_the_number_of_answers():
    brake = told(*range(1, 10_000, 3))
    assert brake.is_open
    assert len(brake.unclear) == rules.REMEMBERED


def test_once_shut_further_answers_of_what_was_in_flight_change_nothing():
    brake = shut()
    assert told(6, 7, 8, brake=brake) == brake


# The pause and the probe

PAUSES = [30, 60, 120, 240, 480, 900, 900, 900]


def fail_probe(brake):
    now = brake.next_try
    leased = probing(brake, now)
    return probed(leased, leased.probing_until, now, healthy=False)


def test_a_probe_that_fails_makes_the_pause_longer_up_to_a_quarter_of_an_hour():
    brake, pauses, begun = shut(), [], START
    for _ in PAUSES:
        pauses.append((brake.next_try - begun).total_seconds())
        begun = brake.next_try
        brake = fail_probe(brake)
    assert pauses == PAUSES
    assert brake.since == START


def test_a_half_open_brake_that_fails_makes_the_pause_longer_as_well():
    brake, now, pauses = shut(), START, []
    for _ in PAUSES:
        pauses.append((brake.next_try - now).total_seconds())
        now = brake.next_try
        leased = probing(brake, now)
        brake, permit = taken(probed(leased, leased.probing_until, now, healthy=True), now)
        brake = unclear_answer(brake, place(7), permit, now)
        assert brake.state is BrakeState.HOLDING
    assert pauses == PAUSES
    assert brake.since == START


def test_after_it_has_opened_the_next_pause_is_short_again():
    brake = half_opened(8)
    assert pass_step(brake) == OPEN
    assert shut().next_try == START + timedelta(seconds=30)


def test_no_probe_is_made_before_its_time():
    assert probing(shut(), START + 29 * SECOND - timedelta(milliseconds=1)) is None
    assert probing(shut(), START + 30 * SECOND) is not None


def test_a_worker_whose_clock_is_a_little_behind_makes_the_probe_all_the_same():
    """The message that asks for it is completed then, and comes no second time."""
    assert probing(shut(), START + 29 * SECOND) is not None


def test_only_a_brake_that_is_shut_is_probed():
    assert probing(OPEN, START) is None
    assert probing(half_opened(), START + timedelta(days=1)) is None


def test_one_worker_makes_the_probe_and_another_if_that_one_dies():
    due = START + 30 * SECOND
    leased = probing(shut(), due)
    assert probing(leased, due) is None
    assert probing(leased, due + PROBE_LEASE - timedelta(milliseconds=1)) is None
    again = probing(leased, due + PROBE_LEASE)
    assert again.probing_until == due + 2 * PROBE_LEASE


@pytest.mark.parametrize("healthy", [True, False])
def test_only_the_holder_of_the_lease_ends_the_probe(healthy):
    due = START + 30 * SECOND
    first = probing(shut(), due)
    second = probing(first, due + PROBE_LEASE)
    late = due + PROBE_LEASE + SECOND
    assert probed(second, first.probing_until, late, healthy=healthy) == second
    assert probed(second, second.probing_until, late, healthy=healthy) != second


def test_a_probe_that_ends_after_the_brake_has_opened_changes_nothing():
    leased = probing(shut(), START + 30 * SECOND)
    for brake in (OPEN, half_opened()):
        assert probed(brake, leased.probing_until, START, healthy=False) == brake


# Half open


def test_a_half_open_brake_lets_1_2_4_and_8_messages_through_and_then_it_is_open():
    brake, sizes = half_opened(), []
    while not brake.is_open:
        _, permits = take_all(brake)
        sizes.append(len(permits))
        brake = pass_step(brake)
    assert sizes == [1, 2, 4, 8]
    assert brake == OPEN


def test_nothing_is_tried_while_it_is_shut_and_no_permit_is_needed_while_it_is_open():
    assert taken(shut(), START + timedelta(days=1)) is None
    assert taken(OPEN, START) is None


def test_a_message_that_was_not_sent_leaves_its_permit_to_another():
    brake, [permit] = take_all(half_opened())
    assert taken(brake, START) is None
    assert taken(returned(brake, permit), START) is not None


def test_permits_whose_workers_died_are_given_out_again():
    brake, permits = take_all(half_opened(4))
    brake = clear_answer(brake, permits[0], START)
    assert taken(brake, START + PERMIT_LEASE - timedelta(milliseconds=1)) is None
    again, more = take_all(brake, START + PERMIT_LEASE)
    assert len(more) == 3
    for permit in more:
        again = clear_answer(again, permit, START + PERMIT_LEASE)
    assert again.half_open_size == 8


def stale_permits():
    """Each with a brake to which it does not belong any more."""
    brake, permits = take_all(half_opened(2))
    again, _ = taken(brake, START + PERMIT_LEASE)
    yield again, permits[0]
    yield pass_step(half_opened(2)), permits[0]
    yield half_opened(2, START + timedelta(hours=1)), permits[0]
    yield OPEN, permits[0]
    yield shut(), permits[0]


@pytest.mark.parametrize(("brake", "permit"), list(stale_permits()))
def test_a_stale_permit_changes_nothing(brake, permit):
    assert clear_answer(brake, permit, START) == brake
    assert returned(brake, permit) == brake
    if not brake.is_open:
        assert unclear_answer(brake, place(7), permit, START) == brake


def test_an_unclear_answer_without_a_permit_does_not_shut_a_half_open_brake():
    """It was called before the brake shut."""
    brake = half_opened(2)
    assert unclear_answer(brake, place(7), None, START) == brake


class HalfOpenMachine(RuleBasedStateMachine):
    """Any order of workers that take, answer, give back, die or come too late."""

    def __init__(self):
        super().__init__()
        self.now = START
        self.brake: Brake = half_opened()
        self.out: list[Permit] = []
        self.old: list[Permit] = []

    def current(self):
        return Permit(self.brake.half_open_since, self.brake.half_open_size)

    def answer(self, change):
        permit = self.out.pop()
        self.brake = change(permit)
        if self.brake.state is not BrakeState.HALF_OPEN or self.current() != permit:
            self.old += self.out
            self.out = []

    @rule(seconds=st.sampled_from([0, 1, 30, 119, 120]))
    def wait(self, seconds):
        self.now += seconds * SECOND

    @rule()
    def take(self):
        found = taken(self.brake, self.now)
        if found is None:
            return
        self.brake, permit = found
        if self.out and self.out[0] != permit:
            self.old += self.out
            self.out = []
        self.out.append(permit)

    @precondition(lambda self: self.out)
    @rule()
    def clear(self):
        self.answer(lambda permit: clear_answer(self.brake, permit, self.now))

    @precondition(lambda self: self.out)
    @rule()
    def give_back(self):
        self.answer(lambda permit: returned(self.brake, permit))

    @precondition(lambda self: self.out)
    @rule()
    def unclear(self):
        pauses = self.brake.pauses
        self.answer(lambda permit: unclear_answer(self.brake, place(1), permit, self.now))
        assert self.brake.state is BrakeState.HOLDING
        assert self.brake.pauses == pauses + 1

    @precondition(lambda self: self.old)
    @rule()
    def answer_late(self):
        permit, before = self.old.pop(), self.brake
        assert clear_answer(before, permit, self.now) == before
        assert returned(before, permit) == before
        if not before.is_open:
            assert unclear_answer(before, place(1), permit, self.now) == before

    @precondition(lambda self: self.brake.state is BrakeState.HOLDING)
    @rule()
    def probe(self):
        self.now = max(self.now + SECOND, self.brake.next_try)
        leased = probing(self.brake, self.now)
        self.brake = probed(leased, leased.probing_until, self.now, healthy=True)

    @precondition(lambda self: self.brake.is_open)
    @rule()
    def shut(self):
        self.now += SECOND
        self.brake = shut(self.now)

    @invariant()
    def never_more_permits_out_than_the_brake_has(self):
        if self.brake.state is not BrakeState.HALF_OPEN:
            assert self.out == []
            return
        assert len(self.out) + self.brake.half_open_clear <= self.brake.half_open_size
        assert self.brake.half_open_clear <= self.brake.half_open_taken <= self.brake.half_open_size


TestHalfOpen = HalfOpenMachine.TestCase


def test_the_pause_never_becomes_shorter():
    pauses = [rules.pause(n) for n in range(100)]
    assert all(before <= after for before, after in pairwise(pauses))
    assert max(pauses) == timedelta(minutes=15)
