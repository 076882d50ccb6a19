"""`python -m tests.benchmarks.write_units`: what a message costs in the table, by each way in.

Warm functions handle one message by each way in, against an emulated table. Each HTTP request to it
is recorded with the item before and after it, from which its units follow. Then many webhooks, the
way in with the most writes, show how often the hottest key of each kind is written.
"""

import argparse
import sys
from collections.abc import Iterator

from tests.benchmarks import hottest_keys
from tests.benchmarks.deployed import deployed
from tests.table_requests import TableRequest, TableRequests
from tests.ways_in import FOUR_SEGMENTS, SOURCE_COUNT, WaysIn
from tests.write_units import TABLE, Unit

# List prices of us-east-1, in dollars for a million units; an SMS as `SegmentPriceEur` has it.
WRITE_PRICE, READ_PRICE, EUR_PER_DOLLAR = 0.625, 0.125, 0.92
SMS_EUR = 0.09
COSTS = (
    "| way in | writes | units: table | indexes | together | reads | EUR for 1,000 |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.write_units")
    parser.add_argument("--messages", type=int, default=500, help="webhooks for the hottest keys")
    messages = parser.parse_args().messages
    with deployed() as (ways, table):
        costs = [cost(name, requests) for name, requests in each_way(ways, table)]
        run = reads_of_a_run(ways, table)
        rates = hottest_keys.lines(many_webhooks(ways, table, messages), messages)
    sms = f"An SMS of one segment costs {SMS_EUR * 1000:.2f} EUR for 1,000."
    reconciler = f"A run of the reconciler reads {run:g} units, however few messages it wakes."
    sys.stdout.write(
        "\n".join([*COSTS, *costs, "", sms, reconciler, "", *hottest_keys.HEAD, *rates, ""])
    )
    return 0


def each_way(ways: WaysIn, table: TableRequests) -> Iterator[tuple[str, list[TableRequest]]]:
    for name, send in {
        "queue": ways.queue,
        "queue, without an `id`": lambda: ways.queue(with_id=False),
        "queue, four segments": lambda: ways.queue(text=FOUR_SEGMENTS),
        "API that waits": ways.waiting_api,
        "API, asynchronous": ways.async_api,
        "API, asynchronous, one retry": ways.retried,
        "API, `send_at`": ways.scheduled_api,
    }.items():
        send()
        yield name, table.taken()
    ways.warm_up()  # two hours have passed
    table.taken()
    for name, signed, sampled in (
        ("webhook, signed", True, False),
        ("webhook, unsigned", False, False),
        ("webhook, unsigned, of its source's sample", False, True),
    ):
        ways.webhook(signed=signed, sampled=sampled)
        yield name, table.taken()
    yield "held by a pause, then woken", held_and_woken(ways, table)[0]


def held_and_woken(
    ways: WaysIn, table: TableRequests
) -> tuple[list[TableRequest], list[TableRequest]]:
    """The message's own requests, and the reads of the run that wakes it with all others."""
    ways.switch(paused=True)
    table.taken()
    ways.held()
    own = table.taken()
    ways.switch(paused=False)
    table.taken()
    ways.wake()
    run = table.taken()
    ways.deliver()
    own += [one for one in run if one.is_write]
    return own + table.taken(), [one for one in run if not one.is_write]


def reads_of_a_run(ways: WaysIn, table: TableRequests) -> float:
    return sum(one.read_units for one in held_and_woken(ways, table)[1])


def cost(name: str, requests: list[TableRequest]) -> str:
    """One line of the table."""
    units = [unit for one in requests for unit in one.units]
    writes, of_table = sum(one.is_write for one in requests), sum(u.where == TABLE for u in units)
    reads = sum(one.read_units for one in requests)
    dollars = (len(units) * WRITE_PRICE + reads * READ_PRICE) / 1000
    eur = f"{dollars * EUR_PER_DOLLAR:.4f}"
    cells = (name, writes, of_table, len(units) - of_table, len(units), f"{reads:g}", eur)
    return f"| {' | '.join(map(str, cells))} |"


def many_webhooks(ways: WaysIn, table: TableRequests, messages: int) -> list[Unit]:
    """Half of them signed, of ten sources, to as many numbers; the sample is chosen by ids."""
    ways.warm_up()
    table.taken()
    for n in range(messages):
        ways.webhook(signed=n % 2 == 0, sampled=None, source=n // 2 % SOURCE_COUNT)
    return [unit for one in table.taken() for unit in one.units]


if __name__ == "__main__":
    sys.exit(main())
