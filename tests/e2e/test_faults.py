"""Everything fails at once on the deployed stack; then call log and table are compared, by key.

What takes minutes in real time is shortened here: the queue gives unfinished messages back after
seconds instead of six minutes, and once every process that may hold a claim is dead, the claims
(90 s) and the reconciler's patience (15 min) are set to the past in the table.
"""

import json
import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from local.deployed_stack import CALL_GROUP, GATEWAY_SECRET
from local.gateway import Fault
from tests.e2e.conftest import wait_until
from tests.e2e.faulty_table import FaultyTable
from tests.e2e.load import PATIENCE, Traffic, key_in
from tests.e2e.table_and_queue import (
    OPEN,
    behind,
    let_time_pass,
    paused,
    records,
    visibility,
    with_few_senders,
)
from tests.e2e.workers import kill, workers

SEED = int(os.environ.get("SEED", "1"))
COUNTS = {"async": 30, "sync": 30, "queue": 100, "noid": 50, "webhook": 20}
KILLS, CALLS_BETWEEN_KILLS = 4, 40
GATEWAY_FAULTS = [
    *(Fault(kind) for kind in ("cut", "cut_inside", "cut_after", "cut_behind", "empty", "html")),
    *(Fault(kind, accepted=True) for kind in ("http_500", "http_502", "http_504", "empty")),
    *(Fault(kind) for kind in ("http_429", "http_503", "http_302", "http_403", "http_500")),
    *(Fault(kind) for kind in ("refuse_020", "refuse_099", "refuse_099", "security_error")),
    *[Fault("slow", seconds=0.5)] * 6,
]
MAY_HAVE_ACCEPTED = {  # calls that the gateway may have accepted, by what the record says
    "sent": {1},
    "unknown": {0, 1},
    "rejected": {0},
    "failed": {0},
    "expired": {0},
}


def test_whatever_fails_nothing_is_sent_twice_lost_or_unrecorded(house, capsys):
    traffic = Traffic(house, f"guasti-{SEED}", COUNTS)
    already = len(house.gateway.calls)
    with (
        FaultyTable(house.recorder.url, SEED) as table,
        visibility(house.stack, 6),
        with_few_senders(house.stack),
        behind(house.stack, table, "api", "webhooks", "sender"),
    ):
        table.fail(0.08)
        house.gateway.fail_rate(0.3, GATEWAY_FAULTS, SEED)
        killed = send_while_processes_die(house, traffic, already)
        doomed = die_between_call_and_record(house, traffic)
        table.calm()
        house.gateway.clear_faults()
        with paused(house.stack):
            end_all(house)
            let_time_pass(house.stack, still_open(house, traffic))
        reconcile_twice_at_once(house)
        wait_until(lambda: all_ended(house, traffic), "an end of every message", PATIENCE)
        found, calls = by_key(house, traffic), house.gateway.calls[already:]
        deliver_all_once_more(traffic, found)
        assert len(house.gateway.calls) == already + len(calls)
    forget_the_hidden(house)
    accepted = Counter(key_in(call.text) for call in calls if call.accepted)
    with capsys.disabled():
        counted = {"processes killed": killed, "delivered again": traffic.duplicates}
        print(summary(counted, table.met, calls, found, accepted))  # noqa: T201 - the result
    for key, record in found.items():
        assert accepted[key] in MAY_HAVE_ACCEPTED[record["status"]], (key, record["status"])
    assert {found[key]["reason"] for key in doomed} == {"lease_expired"}
    assert [accepted[key] for key in doomed] == [1, 0]
    assert killed == KILLS


def send_while_processes_die(house, traffic, already):
    """Send everything; kill a process after every so many calls. Return how many were killed."""
    draw, killed = random.Random(SEED), []  # noqa: S311 - repeatable on purpose

    def killer():
        for n in range(1, KILLS + 1):
            house.gateway.wait_for_calls(already + n * CALLS_BETWEEN_KILLS, timeout=PATIENCE)
            killed.append(kill(draw.choice(workers(house.stack, "sender", "api"))))

    thread = threading.Thread(target=killer)
    thread.start()
    traffic.send(SEED)
    thread.join()
    return sum(killed)


def die_between_call_and_record(house, traffic):
    """Kill the sender while the gateway holds two calls, of which it accepted the first."""
    traffic.keys["doomed"] = [f"{traffic.run}-doomed-{n:03}" for n in range(2)]
    kinds = (Fault("slow", seconds=20), Fault("hang"))
    messages = [traffic.message(key, id=key) for key in traffic.keys["doomed"]]
    for message, fault in zip(messages, kinds, strict=True):
        house.gateway.fail_next(1, fault, to=message["to"])
        house.queue(message)
    keys = set(traffic.keys["doomed"])
    wait_until(
        lambda: keys <= {key_in(call.text) for call in house.gateway.calls}, "two calls", PATIENCE
    )
    for pid in workers(house.stack, "sender"):
        kill(pid)
    return traffic.keys["doomed"]


def end_all(house):
    """Kill whatever may hold a claim; twice, as a process may just be starting."""
    for _ in range(2):
        for pid in workers(house.stack, "sender", "api"):
            kill(pid)
        threading.Event().wait(0.7)


def by_key(house, traffic):
    found = [one for one in records(house.stack) if key_in(one.get("text")) in traffic.all_keys]
    keyed = {key_in(one["text"]): one for one in found}
    assert len(keyed) == len(found), "a message has two records"
    return keyed


def still_open(house, traffic):
    return [one for one in by_key(house, traffic).values() if one["status"] in OPEN]


def all_ended(house, traffic):
    """Whether every message has a record that is final or unknown: none is lost, none is open."""
    found = by_key(house, traffic)
    return found.keys() == traffic.all_keys and not still_open(house, traffic)


def reconcile_twice_at_once(house):
    with ThreadPoolExecutor(2) as both:
        for found in both.map(lambda _: house.stack.invoke("reconciler", {}), range(2)):
            assert found.keys() == {"queued", "leases_expired", "ended"}


def deliver_all_once_more(traffic, found):
    """Each record's pointer, and each message of the queue as it was: nothing comes back."""
    keys = traffic.keys
    again = [
        *((one["id"], json.dumps({"stored_message": one["id"]})) for one in found.values()),
        *((key, json.dumps(traffic.message(key, id=key))) for key in keys["queue"]),
        *((found[key]["id"], json.dumps(traffic.message(key))) for key in keys["noid"]),
    ]
    for ten in batched(again, 10, strict=False):
        assert traffic.deliver(ten) == []


def forget_the_hidden(house):
    """Empty the queue of what waits for claims that have ended: all of it was delivered above."""
    house.stack.client("sqs").purge_queue(QueueUrl=house.stack.outputs["MessageQueueUrl"])


def summary(counted, table_faults, calls, found, accepted):
    gateway_faults = Counter(call.fault for call in calls if call.fault)
    ends = Counter(_end(record) for record in found.values())
    rows = {
        "seed": SEED,
        "messages": len(found),
        **counted,
        **{f"table: {kind}": n for kind, n in sorted(table_faults.items())},
        **{f"gateway: {kind}": n for kind, n in sorted(gateway_faults.items())},
        "gateway called": len(calls),
        **dict(sorted(ends.items())),
        "lost": 0,  # or the wait for all of them would not have ended
        "sent twice": sum(n > 1 for n in accepted.values()),
    }
    return "\n" + "\n".join(f"  {name:42}{value:>6}" for name, value in rows.items())


def _end(record):
    why = f" ({record['reason']})" if record["status"] == "unknown" else ""
    return f"ended {record['status']}{why}"


def test_a_secret_rotated_in_the_middle_of_traffic_loses_and_fails_nothing(house):
    """First the gateway takes the new secret only; some refusals later the stack learns it."""
    traffic = Traffic(house, f"rotazione-{SEED}", {"async": 20, "queue": 40})
    already = len(house.gateway.calls)

    def calls():
        return house.gateway.calls[already:]

    def send(n):
        for key in traffic.keys["async"][n::3]:
            traffic.post(key, "async")
        traffic.queue(traffic.keys["queue"][n::4][:10])

    try:
        send(0)
        house.gateway.wait_for_calls(already + 8, timeout=PATIENCE)
        house.gateway.rotate_secret("rotated-secret")
        send(1)
        wait_until(lambda: refused(calls()) >= 4, "refused calls", PATIENCE)
        new = {"id_call_gr": CALL_GROUP, "secret": "rotated-secret"}
        house.stack.client("secretsmanager").put_secret_value(
            SecretId=house.stack.outputs["GatewaySecretArn"], SecretString=json.dumps(new)
        )
        send(2)
        traffic.queue(traffic.keys["queue"][3::4])
        wait_until(lambda: all_ended(house, traffic), "an end of every message", PATIENCE)
        assert {one["status"] for one in by_key(house, traffic).values()} == {"sent"}
        accepted = Counter(key_in(call.text) for call in calls() if call.accepted)
        assert accepted == dict.fromkeys(traffic.all_keys, 1)
    finally:
        house.gateway.rotate_secret(GATEWAY_SECRET)
        house.stack.set_secrets()


def refused(calls):
    return sum(call.verdict == "security" for call in calls)
