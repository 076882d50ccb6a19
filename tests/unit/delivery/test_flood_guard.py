"""What counts once, whatever is repeated; and how exact the limits are."""

from collections import Counter
from dataclasses import replace
from random import Random
from statistics import mean

import pytest

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.flood_guard import FloodGuard
from openvoip_sms.delivery.ports import StoreUnavailable
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.intake.from_webhook import WebhookIntake
from openvoip_sms.rules import limits
from openvoip_sms.rules.policy import Policy
from openvoip_sms.webhooks.config.sources import load_sources
from openvoip_sms.webhooks.plan import PlannedMessage
from tests.fakes import FakeClock, FakeCounters, FakeQueue, FakeSchedule, FakeStore, FakeTelemetry

SOURCES = load_sources(
    """
form: {preset: make, secrets: [form], to: tel, message: {text: Grazie}}
signed: {preset: shopify, secrets: [shop], to: tel, message: {text: Grazie}}
""",
    "sources.yaml",
)
FORM, SIGNED = SOURCES["form"], SOURCES["signed"]
UNLIMITED = replace(FORM, hourly_limit=0, range_hourly_limit=0)
NUMBER = "+393331234567"


class World:
    """A table, and the containers that work on it."""

    def __init__(self, recipient_limit=5):
        self.clock, self.store, self.queue = FakeClock(), FakeStore(), FakeQueue()
        self.telemetry, self.counters = FakeTelemetry(), FakeCounters()
        self.recipient_limit = recipient_limit
        self.container = self.new_container()
        self.post = self.container.post

    def new_container(self):
        return Container(self)


class Container:
    def __init__(self, world):
        enqueuer = Enqueuer(
            world.store,
            world.queue,
            FakeSchedule(),
            world.telemetry,
            Policy(default_sender="Bottega", live=True),
            world.clock,
        )
        states = SourceStates(world.counters)
        guard = FloodGuard(world.store, world.counters, world.telemetry, states)
        self._intake = WebhookIntake(enqueuer, guard, world.recipient_limit)
        self._clock = world.clock

    def post(self, name, *, to=NUMBER, text=None, source=FORM):
        self._clock.advance(0.001)
        planned = PlannedMessage(
            id=f"{source.name}:{name}",
            to=to,
            text=text or f"Testo {name}",
            found_at="tel",
            sender=None,
            category="transactional",
            archive=None,
            send_at=None,
        )
        return self._intake.handle(planned, source)


@pytest.fixture
def world():
    return World()


def neighbour(n):
    return f"+39333123{n:04d}"


def range_entries(world):
    return [
        len(of) for (subject, _), of in world.counters.entries.items() if subject.startswith("#ran")
    ]


# What is repeated


def test_a_duplicate_at_the_same_moment_or_soon_after_uses_up_no_limit(world):
    for _ in range(9):
        world.post(1)
        world.clock.advance(60)
    assert range_entries(world) == [1]
    assert [world.post(n).reason for n in (2, 3, 4, 5, 6)] == ["queued"] * 4 + ["recipient_limit"]
    assert len(world.telemetry.duplicates) == 8


@pytest.mark.parametrize("hours", [1, 2, 30])
def test_a_duplicate_hours_later_uses_up_no_limit(world, hours):
    first = world.post(1)
    world.clock.advance(hours * 3600)
    again = world.post(1)
    assert (again.repeated, again.record) == (True, first.record)
    world.clock.advance(3600)  # and what was noted for it is not the last hour's either
    assert [world.post(n).reason for n in (2, 3, 4, 5, 6)] == ["queued"] * 5


@pytest.mark.parametrize("hours", [1, 2, 30])
def test_a_duplicate_under_way_suppresses_no_other_message(world, hours):
    """It was noted, and nobody knows yet that it came hours ago."""
    world.post(1)
    world.clock.advance(hours * 3600)
    create = world.store.create
    others = []

    def overtaken(record):
        world.store.create = create
        others.extend(world.post(n).reason for n in (2, 3, 4, 5, 6))
        return create(record)

    world.store.create = overtaken
    assert world.post(1).repeated
    assert others == ["queued"] * 5


def test_a_duplicate_under_way_pauses_no_source(world):
    for n in range(3):
        world.post(f"old-{n}", to=neighbour(n))
    world.clock.advance(3 * 3600)
    for n in range(19):
        world.post(n, to=neighbour(n))
    create, others = world.store.create, []

    def overtaken(record):
        world.store.create = create
        others.append(world.post("new", to=neighbour(20)).reason)
        return create(record)

    world.store.create = overtaken
    assert world.post("old-1", to=neighbour(1)).repeated
    assert others == ["queued"]
    assert world.telemetry.pauses == []


@pytest.mark.parametrize("hours", [0, 3])
def test_a_duplicate_beyond_a_limit_pauses_nothing_and_tells_nobody(world, hours):
    for n in range(20):
        world.post(n, to=neighbour(n))
    world.post("s", source=SIGNED)
    world.clock.advance(hours * 3600)
    strict = replace(FORM, range_hourly_limit=1, hourly_limit=1)
    own = replace(SIGNED, range_hourly_limit=1, hourly_limit=1)
    for n in range(5):
        assert world.post(n, to=neighbour(n), source=strict).repeated
        assert world.post("s", source=own).repeated
    assert (world.telemetry.pauses, world.telemetry.exceeded) == ([], [])
    assert world.counters.paused == {}


def test_a_repetition_that_describes_its_event_differently_counts_for_the_first_number(world):
    world.post(1)
    assert world.post(1, to="+393331230000", text="Un altro").repeated
    assert world.post(2, to="+393331230000", text="Un altro").accepted
    assert range_entries(world) == [2]


def test_the_same_text_hours_after_it_was_sent_is_not_suppressed_by_a_duplicate(world):
    world.post(1, text="Grazie")
    world.clock.advance(3 * 3600)
    assert world.post(1, text="Grazie").repeated
    assert world.post(2, text="Grazie").accepted


@pytest.mark.parametrize("minutes", [0, 1, 11, 61])
def test_a_message_whose_call_died_before_it_was_stored_counts_once_and_is_sent(world, minutes):
    create = world.store.create

    def dies(_record):
        world.store.create = create
        raise StoreUnavailable("ReadTimeoutError")

    world.store.create = dies
    with pytest.raises(StoreUnavailable):
        world.post(1, text="Grazie")
    world.clock.advance(minutes * 60)
    assert world.post(1, text="Grazie").accepted
    assert [world.post(n).reason for n in (2, 3, 4, 5, 6)] == ["queued"] * 4 + ["recipient_limit"]


def test_a_record_of_the_api_under_this_id_is_no_new_message(world):
    first = world.post(1)
    world.store.records["form:1"] = replace(first.record, fingerprint="of an API call")
    again = world.post(1)
    assert (again.repeated, again.reason, again.accepted) == (True, "duplicate", False)
    assert len(world.telemetry.duplicates) == 1


# Many containers


def test_a_pause_is_known_to_another_container_within_two_seconds(world):
    other = world.new_container()
    assert other.post("first", to="+393471112222").accepted
    for n in range(21):
        world.post(n, to=neighbour(n))
    world.clock.advance(3)
    assert other.post("second", to="+393471112222").reason == "source_paused"


def test_the_limit_of_a_number_is_exact_over_containers_sources_and_full_items():
    """Of a range in which more messages come than one item has room for."""
    world, random = World(), Random(7)  # noqa: S311 - to repeat
    containers = [world.new_container() for _ in range(5)]
    free = [UNLIMITED, replace(UNLIMITED, name="other")]
    accepted = Counter()
    for n in range(3 * limits.MAX_NOTED):
        world.clock.advance(random.uniform(0, 1.5))  # all of it within one clock hour
        to, source = neighbour(random.randrange(90)), random.choice(free)
        outcome = random.choice(containers).post(n, to=to, source=source)
        assert outcome.accepted is (accepted[to] < 5)
        accepted[to] += outcome.accepted
        random.choice(containers).post(n, to=to, source=source)  # each of them twice
    assert sum(accepted.values()) > limits.MAX_NOTED
    for entries in world.counters.entries.values():
        assert len(entries) <= limits.MAX_NOTED


def test_what_a_full_item_held_in_the_last_hour_still_counts_in_this_one():
    world = World()
    world.clock.advance(29 * 60)
    for n in range(limits.MAX_NOTED):
        world.post(n, to=neighbour(n), source=UNLIMITED)
    for n in range(5):
        assert world.post(f"last-{n}", source=UNLIMITED).accepted
    world.clock.advance(120)
    assert world.post("this", source=UNLIMITED).reason == "recipient_limit"


@pytest.mark.parametrize("limit", [500, 2000, 100_000])
def test_a_sampled_limit_takes_effect_within_a_third_of_it(limit):
    """A sample of a hundred deviates by ten in a hundred, and hardly ever by three times that."""
    passed = []
    for seed in range(200):
        every, sampled = limits.sampled_every(limit), 0
        for n in range(2 * limit):
            sampled += limits.is_sampled(f"form:{seed}-{n}", every)
            if sampled * every > limit:
                break
        passed.append(n)
        if limit > 10_000 and seed == 9:
            break
    assert all(abs(n - limit) < limit / 3 for n in passed)
    assert abs(mean(passed) - limit) < 0.12 * limit
    assert max(passed) != min(passed)


def test_a_source_over_its_sampled_limit_is_paused_by_a_few_writes(world):
    hourly = replace(FORM, hourly_limit=500, range_hourly_limit=0)
    subject = limits.subject("source", "webhook:form")
    outcomes = [world.post(n, to=f"+39347{n:07d}", source=hourly) for n in range(1000)]
    accepted = sum(one.accepted for one in outcomes)
    assert 500 * 2 / 3 < accepted < 500 * 4 / 3
    assert outcomes[accepted].reason == "source_limit"
    assert {one.reason for one in outcomes[accepted + 1 :]} == {"source_paused"}
    assert world.counters.writes.count(subject) <= limits.MAX_NOTED
    assert len(world.telemetry.pauses) == 1


@pytest.mark.parametrize("limit", [1, 50, 199])
def test_a_limit_below_200_is_exact(limit):
    world = World(recipient_limit=0)
    small = replace(FORM, hourly_limit=limit, range_hourly_limit=0)
    outcomes = [world.post(n, to=f"+39347{n:07d}", source=small) for n in range(limit + 3)]
    assert sum(one.accepted for one in outcomes) == limit


def test_no_key_is_written_with_each_message_of_a_source(world):
    """A second of a thousand messages, of a signed source with a limit that it exceeds."""
    own = replace(SIGNED, hourly_limit=600, range_hourly_limit=0)
    for n in range(1000):
        assert world.post(n, to=f"+3934{n:03}12345"[:13], source=own).accepted
    written = Counter(world.counters.writes)
    assert written.total() <= 1100 + 100
    assert max(written.values()) <= 130
    assert world.telemetry.exceeded[-1] == ("signed:999", "source_limit")
