"""How often the hottest key of each kind is written, from the write units of many messages."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from openvoip_sms.adapters.record_item import check_shard, shard_of
from tests.write_units import TABLE, Unit

RATE = 1000  # messages a second
IDS = 100_000  # over which the fullest partition of an index is looked for
HEAD = (
    f"| key | units a message | keys | hottest key: units a second at {RATE:,} messages |",
    "| --- | --- | --- | --- |",
)
ITEMS = {
    "usage": "the day's counter",
    "control": "the control item",
    "range": "limits of a range of numbers, unsigned",
    "range-signed": "limits of a range of numbers, signed",
    "source": "sample of an unsigned source",
}
RECORD, RECIPIENT = "a record", "`by_recipient`, a number"


@dataclass(slots=True)
class Kind:
    """`shard`: the partition of a message, where ids are spread over partitions."""

    name: str
    shard: Callable[[str], object] | None = None
    keys: Counter[str] = field(default_factory=Counter)

    def line(self, messages: int) -> str:
        each = self.keys.total() / messages
        cells = (self.name, f"{each:.2f}", len(self.keys), self._hottest(messages, each))
        return f"| {' | '.join(map(str, cells))} |"

    def _hottest(self, messages: int, each: float) -> str:
        most = max(self.keys.values(), default=0)
        if self.name in (RECORD, RECIPIENT):
            return f"{most} in all"
        share = most / messages
        if self.shard is not None:
            share = each * fullest(self.shard)
        return f"{share * RATE:,.0f}"


@cache
def fullest(shard: Callable[[str], object]) -> float:
    """The part of all messages that the fullest partition gets: a few hundred would not show it."""
    counts = Counter(shard(f"ordine-{n}") for n in range(IDS))
    return max(counts.values()) / IDS


def lines(units: list[Unit], messages: int) -> Iterator[str]:
    kinds = {name: Kind(name) for name in (*ITEMS.values(), RECORD, RECIPIENT)}
    for unit in units:
        kind = kind_of(unit)
        kinds.setdefault(kind.name, kind).keys[unit.partition] += 1
    indexes = sorted(kinds.keys() - {*ITEMS.values(), RECORD, RECIPIENT})
    order = (*ITEMS.values(), RECORD, RECIPIENT, *indexes)
    return (kinds[name].line(messages) for name in order)


def kind_of(unit: Unit) -> Kind:
    match unit.where:
        case "by_recipient":
            return Kind(RECIPIENT)
        case "by_status":
            return Kind(f"`by_status`, `{unit.partition.split('#')[0]}`", shard_of)
        case "by_hold":
            return Kind(f"`by_hold`, `{unit.partition.split('#')[0]}`", shard_of)
        case "by_check":
            return Kind("`by_check`", check_shard)
    is_record = unit.where == TABLE and not unit.partition.startswith("#")
    return Kind(RECORD if is_record else ITEMS[unit.partition.split("#")[1]])
