"""Many doubts decided at once: each exactly once, whatever is interrupted where, and repeated."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoip_sms.delivery import resolutions
from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.manual_actions import ManualActions
from openvoip_sms.delivery.ports import QueueUnavailable, StoreUnavailable, UnreadableRecord
from openvoip_sms.delivery.reconcile import Reconciler
from openvoip_sms.delivery.resolutions import Progress, Refusal, Resolver, Why
from openvoip_sms.rules import transitions
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import OPEN, Reason, Status
from openvoip_sms.rules.resolution import Decision, Resolution
from tests.deliveries import delivery_on
from tests.fakes import (
    START,
    FakeClock,
    FakeGateway,
    FakeLists,
    FakeQueue,
    FakeResolutions,
    FakeSchedule,
    FakeStore,
    FakeTelemetry,
    FakeUsage,
)
from tests.records import waiting

POLICY = Policy(default_sender="Bottega", live=True)
HOUR = Period(START, START + timedelta(hours=1))
ENOUGH = 29.0  # seconds


def doubt(n, **more):
    created = START + timedelta(minutes=n)
    fields = {"status": Status.UNKNOWN, "created_at": created, "text": f"Prova {n}", "version": 3}
    return waiting(**{"id": f"m-{n}", **fields, **more})


def decision(messages, what=Decision.RESEND, **more):
    fields = {"id": "r-1", "period": HOUR, "decision": what, "messages": messages}
    return Resolution(**fields | more)


class Bench:
    """The use case on fakes; `through` wraps each port."""

    def __init__(self, *records, through=lambda port: port):
        self.store, self.queue, self.schedule = FakeStore(*records), FakeQueue(), FakeSchedule()
        self.lists, self.resolutions = FakeLists(self.store), FakeResolutions()
        self.telemetry, self.clock = FakeTelemetry(), FakeClock(START + timedelta(hours=2))
        self.enqueuer = Enqueuer(
            through(self.store),
            through(self.queue),
            through(self.schedule),
            self.telemetry,
            POLICY,
            self.clock,
        )
        self.resolver = Resolver(
            through(self.resolutions),
            through(self.lists),
            through(self.store),
            self.enqueuer,
            FakeUsage(),
            self.telemetry,
            POLICY,
            self.clock,
        )

    def resolve(self, asked, seconds_left=lambda: ENOUGH):
        return self.resolver.resolve(asked, seconds_left)

    def add(self, record):
        self.store.records[record.id] = record
        self.store.history.append(record)

    def statuses(self):
        return [str(record.status) for record in self.store.records.values()]

    def queued(self):
        return [key for key, _ in self.queue.queued]


def test_all_doubts_of_a_period_are_queued_again():
    bench = Bench(doubt(0), doubt(59), doubt(60), doubt(-1), doubt(5, status=Status.FAILED))
    assert bench.resolve(decision(2, by="Anna Bianchi")) == Progress(2, 0, 0)
    assert bench.queued() == ["m-0", "m-59"]
    changed = bench.store["m-0"]
    assert (changed.status, changed.reason) == (Status.QUEUED, Reason.RESENT_BY_PERSON)
    assert (changed.decided_by, changed.resolution) == ("Anna Bianchi", "r-1")
    assert [one.id for one in bench.telemetry.changes] == ["m-0", "m-59"]
    assert bench.statuses() == ["queued", "queued", "unknown", "unknown", "failed"]


def test_all_doubts_of_a_period_are_confirmed_and_nothing_is_queued():
    bench = Bench(doubt(1), doubt(2))
    assert bench.resolve(decision(2, Decision.CONFIRM)) == Progress(2, 0, 0)
    assert (bench.statuses(), bench.queued()) == (["sent", "sent"], [])


def test_only_those_of_the_named_source_are_decided():
    bench = Bench(doubt(1), doubt(2, source="webhook:shopify"))
    assert bench.resolve(decision(1, source="webhook:shopify")) == Progress(1, 0, 0)
    assert bench.statuses() == ["unknown", "queued"]


@pytest.mark.parametrize("messages", [1, 3])
def test_another_number_than_was_counted_decides_nothing_and_keeps_the_id_free(messages):
    bench = Bench(doubt(1), doubt(2))
    assert bench.resolve(decision(messages)) == Refusal(Why.NUMBER_DIFFERS, 2)
    assert bench.statuses() == ["unknown", "unknown"]
    assert bench.resolve(decision(2)) == Progress(2, 0, 0)


def test_the_table_counts_and_not_the_index():
    bench = Bench(doubt(1), doubt(2), doubt(3))
    listed = bench.lists.ids_in_status(Status.UNKNOWN, HOUR, 10)
    bench.store.records["m-2"] = doubt(2, status=Status.SENT)
    bench.resolver = replace(
        bench.resolver, lists=SimpleNamespace(ids_in_status=lambda *_: [*listed, "m-1", "gone"])
    )
    assert bench.resolve(decision(2)) == Progress(2, 0, 0)
    assert bench.queued() == ["m-1", "m-3"]


def test_more_than_can_be_found_within_a_call_are_refused(monkeypatch):
    monkeypatch.setattr(resolutions, "MAX_MESSAGES", 2)
    bench = Bench(doubt(1), doubt(2), doubt(3))
    assert bench.resolve(decision(2)) == Refusal(Why.TOO_MANY)
    assert bench.resolve(decision(2, period=Period(HOUR.since, doubt(3).created_at))).done == 2


@pytest.mark.parametrize(
    "other",
    [
        {"messages": 3},
        {"decision": Decision.CONFIRM},
        {"period": Period(START, START + timedelta(hours=2))},
        {"source": "api"},
        {"by": "Bruno"},
    ],
)
def test_an_id_belongs_to_one_decision(other):
    bench = Bench(doubt(1), doubt(2))
    bench.resolve(decision(2))
    assert bench.resolve(replace(decision(2), **other)) == Refusal(Why.ID_IN_USE)


def test_what_arose_or_changed_since_is_left_alone():
    bench = Bench(doubt(1), doubt(2), doubt(3))
    assert bench.resolve(decision(3), lambda: 0.0) == Progress(0, 0, 3)
    bench.add(doubt(4))  # within the period
    bench.add(doubt(2, version=5))  # resent by a person, and unknown again
    bench.add(doubt(3, version=4, status=Status.SENT))
    assert bench.resolve(decision(3)) == Progress(1, 2, 0)
    assert bench.queued() == ["m-1"]
    assert bench.store["m-2"] == doubt(2, version=5)


def test_it_stops_in_time_and_continues_with_the_rest():
    bench = Bench(*map(doubt, range(5)))
    seconds = iter([29.0, 10.0, 4.9])
    assert bench.resolve(decision(5), lambda: next(seconds)) == Progress(2, 0, 3)
    assert bench.resolve(decision(5)) == Progress(5, 0, 0)
    assert bench.resolve(decision(5)) == Progress(5, 0, 0)
    assert bench.queued() == [f"m-{n}" for n in range(5)]


def test_what_was_resent_and_is_unknown_again_is_not_sent_again():
    bench = Bench(doubt(1))
    bench.resolve(decision(1))
    again = replace(bench.store["m-1"], status=Status.UNKNOWN, version=6)
    bench.add(again)
    assert bench.resolve(decision(1)) == Progress(1, 0, 0)
    assert bench.store["m-1"] == again
    assert bench.queued() == ["m-1"]


def test_a_hand_over_that_fails_is_done_by_a_repeated_call():
    bench = Bench(doubt(1), doubt(2))
    bench.queue.down = True
    assert bench.resolve(decision(2)) == Progress(2, 0, 0)
    assert {bench.store[key].check_at for key in ("m-1", "m-2")} == {bench.clock.now}
    bench.queue.down = False
    assert bench.resolve(decision(2)) == Progress(2, 0, 0)
    assert bench.queued() == ["m-1", "m-2"]


def test_a_reminder_of_a_later_day_keeps_its_time():
    later = START + timedelta(days=30)
    bench = Bench(doubt(1, send_at=later))
    assert bench.resolve(decision(1)).done == 1
    assert bench.schedule.at == {"m-1": later}


def test_a_record_that_becomes_unreadable_is_skipped(monkeypatch):
    bench = Bench(doubt(1), doubt(2))
    write = bench.store.replace

    def damaged(old, new):
        if old.id == "m-1":
            raise UnreadableRecord("m-1", {}, "status held")
        return write(old, new)

    monkeypatch.setattr(bench.store, "replace", damaged)
    assert bench.resolve(decision(2)) == Progress(1, 1, 0)


def test_a_record_that_was_deleted_is_skipped():
    bench = Bench(doubt(1), doubt(2))
    bench.resolve(decision(2), lambda: 0.0)
    del bench.store.records["m-1"]
    assert bench.resolve(decision(2)) == Progress(1, 1, 0)


def test_without_the_table_nothing_is_decided():
    bench = Bench(doubt(1))
    bench.store.down = True
    with pytest.raises(StoreUnavailable):
        bench.resolve(decision(1))


def test_of_two_first_calls_the_one_that_is_stored_says_what_is_decided(monkeypatch):
    """The index has shown them different doubts, as many of them."""
    bench = Bench(doubt(1), doubt(2))
    bench.lists.lagging = {"m-2"}
    create = bench.resolutions.create

    def overtaken(*given):
        monkeypatch.setattr(bench.resolutions, "create", create)
        bench.lists.lagging = {"m-1"}
        assert bench.resolve(decision(1)) == Progress(1, 0, 0)
        return create(*given)

    monkeypatch.setattr(bench.resolutions, "create", overtaken)
    assert bench.resolve(decision(1)) == Progress(1, 0, 0)
    assert bench.queued() == ["m-2"]
    assert bench.store["m-1"] == doubt(1)


@pytest.mark.parametrize("what", Decision)
def test_what_another_person_decides_at_the_same_moment_is_skipped(monkeypatch, what):
    bench = Bench(doubt(1), doubt(2))
    read = bench.store.get_many
    arrived = doubt(1, status=Status.SENT, version=4)

    def confirmed_meanwhile(keys):
        found = list(read(keys))
        if bench.resolutions.stored:
            bench.add(arrived)
        return found

    monkeypatch.setattr(bench.store, "get_many", confirmed_meanwhile)
    assert bench.resolve(decision(2, what)) == Progress(1, 1, 0)
    assert bench.store["m-1"] == arrived
    assert "m-1" not in bench.queued()
    assert [one.id for one in bench.telemetry.changes] == ["m-2"]


# ---- Interrupted anywhere ----------------------------------------------------------------------


class Died(BaseException):
    """The process ends here."""


@dataclass
class Steps:
    """Counts the calls of all ports, twice each; something may happen before and after each."""

    events: dict[int, str] = field(default_factory=dict)
    on_overtaken: object = None
    count: int = 0

    def take(self, port):
        self.count += 1
        match self.events.pop(self.count, None):
            case "dies":
                raise Died
            case "fails":
                raise QueueUnavailable if isinstance(port, FakeQueue) else StoreUnavailable
            case "overtaken":
                self.on_overtaken()

    def through(self, port):
        steps = self

        class Stepping:
            def __getattr__(self, name):
                def call(*given):
                    steps.take(port)
                    result = getattr(port, name)(*given)
                    steps.take(port)
                    return result

                return call

        return Stepping()


class World(Bench):
    """A decision that is repeated until it is complete, while others go on."""

    def __init__(self, doubts, events, what):
        self.steps = Steps(events)
        super().__init__(*map(doubt, range(doubts)), through=self.steps.through)
        self.asked, self.arrived = decision(doubts, what, by="Anna"), doubts
        self.steps.on_overtaken = self.call
        self.gateway = FakeGateway()

    def call(self, seconds_left=lambda: ENOUGH):
        """Return what the caller learns: nothing where the process died or the table failed."""
        try:
            return self.resolve(self.asked, seconds_left)
        except (Died, StoreUnavailable):
            return None

    def new_doubt(self):
        """One that was accepted within the period, and became unknown later."""
        self.add(doubt(self.arrived))
        self.arrived += 1

    def other_person(self, key, act):
        plain = Enqueuer(self.store, self.queue, self.schedule, self.telemetry, POLICY, self.clock)
        actions = ManualActions(
            self.store, plain, self.schedule, FakeUsage(), self.telemetry, POLICY, self.clock
        )
        getattr(actions, act)(key, "Bruno")

    def send(self):
        """As the sender does with what is in its queue."""
        delivery = delivery_on(
            self.gateway,
            self.store,
            policy=POLICY,
            clock=self.clock,
            telemetry=self.telemetry,
            new_claim=lambda: f"c-{self.clock.now}",
        )
        for key, _ in [*self.queue.queued]:
            delivery.send_stored(key, lambda: 60.0)

    def settle(self):
        """The reconciler finds what was not handed over; the sender sends it."""
        self.clock.advance(3600)
        plain = Enqueuer(self.store, self.queue, self.schedule, self.telemetry, POLICY, self.clock)
        Reconciler(
            self.store, plain, FakeUsage(), self.telemetry, POLICY, self.clock, lambda: 1.0
        ).run(lambda: 60.0)
        self.send()

    def decided(self):
        """The ids of the records that the decision changed, once for each change."""
        before, ids = {}, []
        for record in self.store.history:
            old = before.get(record.id)
            before[record.id] = record
            if old and old.status is Status.UNKNOWN and record.resolution == self.asked.id:
                ids.append(record.id)
        return ids


EVENTS = st.dictionaries(
    st.integers(1, 60), st.sampled_from(["dies", "fails", "overtaken"]), max_size=6
)
BETWEEN = st.lists(
    st.tuples(
        st.sampled_from(["new_doubt", "confirm", "resend", "send", "wait", "lag"]),
        st.integers(0, 7),
    ),
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(
    doubts=st.integers(1, 7),
    events=EVENTS,
    between=BETWEEN,
    times=st.lists(st.integers(0, 6), max_size=5),
    what=st.sampled_from(Decision),
)
def test_whatever_is_interrupted_each_doubt_is_decided_once_and_no_later_one(
    doubts, events, between, times, what
):
    world = World(doubts, dict(events), what)
    for n, (event, number) in enumerate(between):
        seconds = iter([ENOUGH] * (times[n] if n < len(times) else 99) + [0.0] * 99)
        world.call(lambda seconds=seconds: next(seconds))
        key = f"m-{number}"
        match event:
            case "new_doubt":
                world.new_doubt()
            case "confirm" | "resend" if key in world.store.records:
                world.other_person(key, event)
            case "send":
                world.send()
            case "wait":
                world.clock.advance(1000)
            case "lag":
                world.lists.lagging ^= {key}
    world.steps.events.clear()
    result = world.call()
    stored = world.resolutions.get("r-1")
    decided = world.decided()
    if stored is None:
        assert isinstance(result, Refusal)
        assert decided == []
        return
    assert result.done + result.skipped == doubts
    assert result.remaining == 0
    assert len(decided) == len(set(decided))
    assert set(decided) <= {one.id for one in stored.doubts}
    check_each_doubt(world, stored, decided)


def check_each_doubt(world, stored, decided):
    """Decided by this decision or by another person first; and sent as often as was decided."""
    world.settle()
    for one in stored.doubts:
        versions = [record for record in world.store.history if record.id == one.id]
        following = next(record for record in versions if record.version == one.version + 1)
        assert (following.resolution == "r-1") is (one.id in decided)
        assert following.decided_by in {"Anna", "Bruno"}
    for key, record in world.store.records.items():
        versions = [one for one in world.store.history if one.id == key]
        resends = sum(one.status is Status.QUEUED and one.version == 4 for one in versions)
        sent = sum(sms.text == record.text for sms in world.gateway.accepted)
        assert sent == resends, key
        assert record.status not in OPEN


@pytest.mark.parametrize("fault", ["dies", "fails"])
@pytest.mark.parametrize("what", Decision)
def test_interrupted_at_each_single_step_it_is_completed_by_the_next_call(fault, what):
    calm = World(3, {}, what)
    calm.call()
    for step in range(1, calm.steps.count + 1):
        world = World(3, {step: fault}, what)
        world.call()
        world.new_doubt()
        result = world.call()
        if isinstance(result, Refusal):  # it was not stored, and there is one more now
            assert (result, world.decided()) == (Refusal(Why.NUMBER_DIFFERS, 4), [])
            continue
        assert result == Progress(3, 0, 0)
        world.settle()
        assert sorted(world.decided()) == ["m-0", "m-1", "m-2"]
        assert len(world.gateway.accepted) == (3 if what is Decision.RESEND else 0)
        assert world.store["m-3"].status is Status.UNKNOWN


def test_a_call_that_ignores_the_versions_is_noticed(monkeypatch):
    """The property above can fail."""
    monkeypatch.setattr(
        Resolver,
        "_decide_one",
        lambda self, asked, _doubt, record: self._change(asked, record) is not None,
    )
    bench = Bench(doubt(1))
    bench.resolve(decision(1))
    bench.add(replace(bench.store["m-1"], status=Status.UNKNOWN, version=6))
    bench.resolve(decision(1))
    assert bench.queued() == ["m-1", "m-1"]


def test_a_decision_is_made_of_the_transitions_of_single_ones():
    assert {
        Decision.RESEND: transitions.resent,
        Decision.CONFIRM: transitions.confirmed,
    } == resolutions._CHANGES
