"""A source whose calls cause nothing is told once that goes on, and not before."""

from datetime import timedelta

import pytest

from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.delivery.source_watch import SourceWatch
from openvoip_sms.rules.limits import FloodLimits
from tests.fakes import FakeClock, FakeCounters, FakeStore, FakeTelemetry
from tests.records import waiting

DAY = timedelta(days=1)
SIGNED = FloodLimits(0, 0, 5, same_text=True, signed=True)


class Watched:
    def __init__(self):
        self.sent = 0
        self.clock, self.counters, self.telemetry = FakeClock(), FakeCounters(), FakeTelemetry()
        self.container = Container(self)
        self.watch = self.container.watch

    def ignore(self, calls, reason, *, within=timedelta(0), is_fault=False, source="shop"):
        """So many calls, the last one after `within`; how many were told."""
        before = len(self.telemetry.unused)
        for _ in range(calls - 1):
            self.watch.unused(source, reason, is_fault=is_fault)
        self.clock.now += within
        self.watch.unused(source, reason, is_fault=is_fault)
        return len(self.telemetry.unused) - before

    def send(self, source="shop"):
        self.container.send(source)


class Container:
    """One of several that work for the same sources."""

    def __init__(self, of):
        states = SourceStates(of.counters)
        self._of = of
        self.watch = SourceWatch(of.counters, of.telemetry, of.clock, states)
        self._guard = FloodGuard(FakeStore(), of.counters, of.telemetry, states)

    def send(self, source="shop"):
        self._of.sent += 1
        n, now = self._of.sent, self._of.clock()
        record = waiting(id=f"m-{n}", text=f"{n}", source=f"webhook:{source}", created_at=now)
        self._guard.accepted(record, self._guard.check(record, SIGNED))


@pytest.fixture
def watched():
    return Watched()


def test_the_third_fault_in_a_row_is_told_with_source_and_reason(watched):
    assert watched.ignore(2, "unexpected_body", is_fault=True, within=30 * DAY) == 0
    assert watched.ignore(1, "unexpected_body", is_fault=True) == 1
    [(source, reason, row)] = watched.telemetry.unused
    assert (source, reason, row.calls, row.faults) == ("shop", "unexpected_body", 3, 3)


def test_a_call_that_is_ignored_for_what_it_says_is_not_told_for_the_faults_before_it(watched):
    watched.ignore(3, "json", is_fault=True)
    assert watched.ignore(5, "when_false") == 0
    assert watched.ignore(1, "json", is_fault=True) == 1


def test_a_message_in_between_ends_the_row(watched):
    watched.ignore(2, "json", is_fault=True)
    watched.send()
    assert watched.ignore(2, "json", is_fault=True) == 0


def test_the_first_message_of_a_new_container_ends_the_row(watched):
    """A call every half an hour, each to a container of its own."""
    for _ in range(4):
        Container(watched).watch.unused("shop", "json", is_fault=True)
        watched.clock.now += timedelta(minutes=30)
        Container(watched).send()
    assert watched.telemetry.unused == []


def test_a_message_ends_the_row_that_another_container_counts_ten_minutes_later(watched):
    other = Container(watched)
    other.send()
    watched.ignore(2, "json", is_fault=True)
    watched.clock.now += timedelta(minutes=11)
    other.send()
    assert watched.ignore(2, "json", is_fault=True) == 0


def test_messages_of_a_source_without_unused_calls_cost_nothing_more(watched):
    for _ in range(5):
        watched.send()
    assert len(watched.counters.writes) == 5
    assert watched.counters.looks == 1


def test_a_message_of_another_source_does_not(watched):
    watched.ignore(2, "json", is_fault=True)
    watched.send("form")
    assert watched.ignore(1, "json", is_fault=True) == 1


@pytest.mark.parametrize(
    ("reason", "days"), [("no_mobile", 1), ("missing_value", 1), ("when_false", 7), ("too_old", 7)]
)
def test_a_source_that_only_ever_ignores_is_told_after_days(watched, reason, days):
    assert watched.ignore(30, reason, within=days * DAY - timedelta(seconds=1)) == 0
    assert watched.ignore(1, reason, within=timedelta(seconds=1)) == 1


def test_few_ignored_calls_are_never_told(watched):
    assert watched.ignore(19, "other_topic", within=29 * DAY) == 0


def test_a_shop_that_calls_with_every_save_is_quiet_over_the_weekend(watched):
    assert watched.ignore(200, "when_false", within=3 * DAY) == 0


def test_a_table_that_does_not_answer_changes_nothing_for_the_sender(watched):
    watched.counters.down = True
    assert watched.ignore(5, "json", is_fault=True) == 0
    assert watched.telemetry.failures[0][:2] == ("not_counted", "shop")
