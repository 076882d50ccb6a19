"""What the simulation takes AWS to do: batches, threads of a process, attribute values."""

from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from tests.simulation.attributes import Deserializer, Serializer
from tests.simulation.event_source import EventSource
from tests.simulation.functions import ActorPool
from tests.simulation.sqs import SimSqs
from tests.simulation.stage import Crash
from tests.simulation.world import World
from tests.template import resource


class Answering:
    """A sender that gives one answer to every batch."""

    def __init__(self, answer):
        self._answer = answer
        self.batches = []

    def invoke(self, _name, event, on_answer):
        self.batches.append([one["messageId"] for one in event["Records"]])
        on_answer(self._answer)


def left_of_three(answer):
    """The messages of a batch of three that are still in the queue after this answer."""
    world = World(1, rates={})
    sqs = SimSqs(world, max_receives=1000)
    source = EventSource(sqs, Answering(answer), acknowledges_first=False)
    for body in "abc":
        sqs.send(body)
    batch = list(sqs.messages.values())
    for message in source._completed(batch, answer):
        sqs.acknowledge(message)
    return set(sqs.messages)


EVERYTHING = {"sqs-000001", "sqs-000002", "sqs-000003"}


def failures(*ids):
    return {"batchItemFailures": [{"itemIdentifier": one} for one in ids]}


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (failures(), set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        (failures("sqs-000002"), {"sqs-000002"}),
        (failures(*EVERYTHING), EVERYTHING),
        (failures("sqs-000002", "another"), EVERYTHING),
        (failures(""), EVERYTHING),
        ({"batchItemFailures": [{"id": "sqs-000002"}]}, EVERYTHING),
        (None, EVERYTHING),
    ],
    ids=["none", "empty", "null", "one", "all", "unknown", "blank", "other key", "raised"],
)
def test_what_a_batch_names_comes_again_and_all_of_it_if_that_cannot_be_read(answer, left):
    """AWS Lambda developer guide, "Success and failure conditions"."""
    assert left_of_three(answer) == left


def test_without_partial_answers_a_batch_that_ends_well_is_done(monkeypatch):
    monkeypatch.delitem(resource("SenderMessages"), "FunctionResponseTypes")
    assert left_of_three(failures("sqs-000002")) == set()
    assert left_of_three(None) == EVERYTHING


def test_a_batch_is_no_larger_than_the_template_says():
    world = World(1, rates={})
    sqs, sender = SimSqs(world, max_receives=1000), Answering(failures())
    source = EventSource(sqs, sender, acknowledges_first=False)
    sqs.on_ready = lambda: None  # until all are there
    for n in range(100):
        sqs.send(str(n))
    world.stage.play()
    source.poll()
    assert 1 < max(map(len, sender.batches)) <= resource("SenderMessages")["BatchSize"]
    assert sum(map(len, sender.batches)) == 100


def handled(work):
    """What a handler gets that lets two threads work, or how it ended."""
    world, ended = World(1, rates={}), []
    process = world.begin("sender", 60.0)

    def handler():
        try:
            ended.extend(ActorPool(world).map(lambda item: work(world, item), [1, 2]))
        except (ValueError, Crash) as error:
            ended.append(type(error))

    world.act(process, handler, lambda: None)
    world.stage.play()
    return ended


def test_threads_work_at_once_and_the_handler_waits_for_them():
    def work(world, item):
        began = world.stage.now
        world.leave("", 10.0)
        return item, began < 1.0

    assert handled(work) == [(1, True), (2, True)]


def test_what_a_thread_raises_gets_out_of_the_handler():
    def work(_world, item):
        if item == 2:
            raise ValueError(item)
        return item

    assert handled(work) == [1, ValueError]


def test_a_death_ends_all_threads_and_their_handler():
    finished = []

    def work(world, item):
        if item == 2:
            world._die("crash_before_a_call")
        world.leave("", 10.0)
        finished.append(item)

    assert handled(work) == [Crash]
    assert finished == []


def test_a_process_ends_when_its_time_is_over():
    assert handled(lambda world, _item: world.leave("", 61.0)) == [Crash]


TEXTS_AND_NUMBERS = ("", "L'ordine è pronto 😀", 0, 7, -1, Decimal("0.10"), Decimal("86400.0"))
NESTED = ([], [{"character": "’", "by": "'", "count": 3}, "x"], {"a": {"b": [1, "2"]}})


@pytest.mark.parametrize("value", [*TEXTS_AND_NUMBERS, True, False, *NESTED], ids=repr)
def test_attribute_values_are_boto3s(value):
    attribute = TypeSerializer().serialize(value)
    assert Serializer().serialize(value) == attribute
    assert Deserializer().deserialize(attribute) == TypeDeserializer().deserialize(attribute)
