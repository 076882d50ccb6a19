"""The simulation's table does what the emulated one does, whatever the adapters ask of it."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from openvoip_sms.adapters.counters import DynamoCounters
from openvoip_sms.adapters.held_messages import DynamoHeldMessages
from openvoip_sms.adapters.store import DynamoStore
from openvoip_sms.adapters.usage import DynamoUsage
from openvoip_sms.rules import transitions
from openvoip_sms.rules.guard_item import Note
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import HELD_BY
from openvoip_sms.rules.rome import day_of
from tests.fakes import START
from tests.records import waiting
from tests.simulation.changes import Changes
from tests.simulation.dynamodb import SimDynamoDb
from tests.simulation.ledger import Ledger
from tests.simulation.world import World

RETENTION, POLICY = timedelta(days=90), Policy(default_sender="Bottega")
STEPS = 120


class Adapters:
    """The adapters over one table; what they return is kept."""

    def __init__(self, client, table):
        self.store = DynamoStore(client, table, RETENTION)
        self.counters = DynamoCounters(client, table)
        self.usage = DynamoUsage(client, client, table, lambda *_: None)
        self.held = DynamoHeldMessages(client, table)
        self.returned = []

    def run(self, seed):
        """The same steps for the same seed, some of them from a record that is out of date."""
        random, seen = Random(seed), [waiting(id=f"m-{n}") for n in range(3)]  # noqa: S311 - to repeat
        for step in range(STEPS):
            now = START + timedelta(minutes=step)
            actions = (
                self._create,
                self._change,
                self._claim,
                self._use,
                self._wake,
                self._read,
                self._count,
            )
            action = random.choice(actions)
            self.returned.append(action(random, seen, now))

    def _create(self, random, seen, now):
        record = waiting(id=f"m-{random.randrange(3)}", text=f"Ciao {random.randrange(3)}")
        seen.append(self.store.create(transitions.waiting_until(record, now)))
        return seen[-1]

    def _change(self, random, seen, now):
        old = random.choice(seen)
        new = random.choice(
            (
                transitions.claimed(old, f"c-{random.randrange(2)}", now),
                transitions.requeued(old, now),
                transitions.held(old, random.choice(HELD_BY), now, now),
                transitions.cancelled(old, now, POLICY) or old,
            )
        )
        current = self.store.replace(old, new)
        seen.extend([current] if current else [])
        return current

    def _claim(self, random, seen, now):
        current = self.store.claim(f"m-{random.randrange(3)}", f"c-{random.randrange(2)}", now)
        seen.extend([current] if current else [])
        return current

    def _use(self, random, seen, now):
        claimed = transitions.claimed(random.choice(seen), f"c-{random.randrange(2)}", now)
        claimed = replace(claimed, segments=random.choice((1, 2)))
        if random.random() < 0.3:
            self.usage.give_back(claimed)
        if random.random() < 0.3:
            self.usage.add_uncertain(claimed)
        day = day_of(now)
        return self.usage.reserve(claimed, random.choice((0, 3))), self.usage.used(day)

    def _wake(self, random, _seen, now):
        """The index over what is held back, and one of its messages that is woken or kept."""
        held = list(self.held.oldest_first(HELD_BY))
        order = sorted(held, key=lambda one: one.id)
        if not held:
            return order
        one = random.choice(order)
        if random.random() < 0.5:
            return order, self.held.wake(one, now)
        until = random.choice((None, now))
        return order, self.held.hold_for(one, random.choice(HELD_BY), until, now)

    def _read(self, random, seen, now):
        record = self.store.get(f"m-{random.randrange(3)}")
        seen.extend([record] if record else [])
        return record, sorted(self.store.due(now), key=lambda one: one.id)

    def _count(self, random, _seen, now):
        subject, n, text = f"#{random.randrange(2)}", random.randrange(9), random.randrange(20)
        note = Note(subject, f"e-{n}", f"m#{text}", f"m-{n}")
        if random.random() < 0.2:
            self.counters.pause(subject, now + timedelta(hours=1))
        if random.random() < 0.2:
            self.counters.take_back(note, now)
        noted = self.counters.note(note, now)
        if noted.first and random.random() < 0.5:
            noted = self.counters.note(note, now, instead_of=noted.first)
        if random.random() < 0.2:
            self.counters.end_unused(subject)
        is_fault = random.random() < 0.5
        return (
            noted,
            self.counters.count_unused(subject, now, is_fault=is_fault),
            self.counters.look(subject, now),
        )


def simulated(seed):
    """What the adapters return over the simulated table, without faults."""
    world = World(seed, rates={})
    client = SimDynamoDb(world, Changes(world, Ledger(world)))
    adapters = Adapters(client, "messages")
    world.on_leave = lambda _actor: None  # nothing is counted here
    world.act(world.begin("test", 3600.0), lambda: adapters.run(seed), lambda: None)
    world.stage.play()
    return adapters.returned


@pytest.mark.parametrize("seed", range(5))
def test_the_simulated_table_returns_what_the_emulated_one_returns(stack, seed):
    emulated = Adapters(stack.dynamodb, stack["MessageTable"])
    emulated.run(seed)
    assert len(emulated.returned) == STEPS
    assert simulated(seed) == emulated.returned
