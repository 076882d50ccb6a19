"""Everything fails at once on the deployed stack; then call log and table are compared by key.

What takes minutes in real time is shortened here: the queue redelivers unfinished messages after
seconds instead of six minutes, and once every process that may hold a claim is killed, leases
(90 s) and grace periods (15 min) are set to the past in the table.
"""

import json
import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched

from local.deployed_stack import CALL_GROUP, GATEWAY_SECRET
from local.gateway import Fault
from openvoip_sms.rules.rome import ROME
from tests.e2e.brake import open_brake
from tests.e2e.conftest import LONG_TIME_OUT, wait_until
from tests.e2e.faulty_table import FaultyTable
from tests.e2e.load import LoadGenerator, key_in
from tests.e2e.table_and_queue import (
    OPEN,
    limited_sender_concurrency,
    make_due,
    records,
    sender_paused,
    table_through,
    visibility_timeout,
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


def test_whatever_fails_nothing_is_sent_twice_lost_or_unrecorded(deployment, capsys):
    traffic = LoadGenerator(deployment, f"guasti-{SEED}", COUNTS)
    calls_before, used_before = len(deployment.gateway.calls), segments_used(deployment)
    with (
        FaultyTable(deployment.recorder.url, SEED) as table,
        visibility_timeout(deployment.stack, 6),
        limited_sender_concurrency(deployment.stack),
        table_through(deployment.stack, table, "api", "webhooks", "sender"),
    ):
        table.fail(0.08)
        deployment.gateway.fail_rate(0.3, GATEWAY_FAULTS, SEED)
        with brake_kept_open(deployment):
            killed = send_while_workers_are_killed(deployment, traffic, calls_before)
            interrupted = kill_between_call_and_record(deployment, traffic)
        table.clear_faults()
        deployment.gateway.clear_faults()
        open_brake(deployment.stack)
        with sender_paused(deployment.stack):
            kill_all(deployment)
            make_due(deployment.stack, still_open(deployment, traffic))
        reconcile_twice_at_once(deployment)
        wait_until(lambda: all_ended(deployment, traffic), "an end of every message", LONG_TIME_OUT)
        found, calls = by_key(deployment, traffic), deployment.gateway.calls[calls_before:]
        redeliver_all(traffic, found)
        assert len(deployment.gateway.calls) == calls_before + len(calls)
    purge_queue(deployment)
    accepted = Counter(key_in(call.text) for call in calls if call.accepted)
    used = segments_used(deployment) - used_before
    with capsys.disabled():
        counted = {"processes killed": killed, "delivered again": traffic.duplicates}
        counted |= {"segments that GET /usage counts": used}
        print(summary(counted, table.fault_counts, calls, found, accepted))  # noqa: T201 - the result
    for key, record in found.items():
        assert accepted[key] in MAY_HAVE_ACCEPTED[record["status"]], (key, record["status"])
    assert {found[key]["reason"] for key in interrupted} == {"lease_expired"}
    assert [accepted[key] for key in interrupted] == [1, 0]
    assert killed == KILLS
    assert used >= sum(call.segments for call in calls if call.accepted)


def segments_used(deployment):
    """Sent and uncertain ones, over midnight in Rome too."""
    today = datetime.now(ROME).date()
    first, last = today - timedelta(days=1), today + timedelta(days=1)
    shown = deployment.call("GET", f"/usage?from={first}&to={last}")[2]
    return shown["segments"] + shown["uncertain_segments"]


def send_while_workers_are_killed(deployment, traffic, calls_before):
    """Send everything; kill a process after every so many calls. Return how many were killed."""
    draw, killed = random.Random(SEED), []  # noqa: S311 - repeatable on purpose

    def killer():
        for n in range(1, KILLS + 1):
            deployment.gateway.wait_for_calls(
                calls_before + n * CALLS_BETWEEN_KILLS, timeout=LONG_TIME_OUT
            )
            killed.append(kill(draw.choice(workers(deployment.stack, "sender", "api"))))

    thread = threading.Thread(target=killer)
    thread.start()
    traffic.send(SEED)
    thread.join()
    return sum(killed)


@contextmanager
def brake_kept_open(deployment):
    """So many doubts shut the brake, and nothing would be left to be killed: open it again.

    What it has held back meanwhile is handed over, as when it opens by itself.
    """
    ended = threading.Event()

    def keep_open():
        while not ended.wait(1):
            open_brake(deployment.stack)
            deployment.stack.invoke("reconciler", {})

    thread = threading.Thread(target=keep_open)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def kill_between_call_and_record(deployment, traffic):
    """Kill the sender while the gateway holds two calls, of which it accepted the first."""
    traffic.keys["killed"] = [f"{traffic.run}-killed-{n:03}" for n in range(2)]
    kinds = (Fault("slow", seconds=20), Fault("hang"))
    messages = [traffic.message(key, id=key) for key in traffic.keys["killed"]]
    for message, fault in zip(messages, kinds, strict=True):
        deployment.gateway.fail_next(1, fault, to=message["to"])
        deployment.queue(message)
    keys = set(traffic.keys["killed"])
    wait_until(
        lambda: keys <= {key_in(call.text) for call in deployment.gateway.calls},
        "two calls",
        LONG_TIME_OUT,
    )
    for pid in workers(deployment.stack, "sender"):
        kill(pid)
    return traffic.keys["killed"]


def kill_all(deployment):
    """Kill whatever may hold a claim; twice, as a process may be starting."""
    for _ in range(2):
        for pid in workers(deployment.stack, "sender", "api"):
            kill(pid)
        threading.Event().wait(0.7)


def by_key(deployment, traffic):
    found = [
        one for one in records(deployment.stack) if key_in(one.get("text")) in traffic.all_keys
    ]
    keyed = {key_in(one["text"]): one for one in found}
    assert len(keyed) == len(found), "a message has two records"
    return keyed


def still_open(deployment, traffic):
    return [one for one in by_key(deployment, traffic).values() if one["status"] in OPEN]


def all_ended(deployment, traffic):
    """Whether every message has a record that is final or unknown."""
    found = by_key(deployment, traffic)
    return found.keys() == traffic.all_keys and not still_open(deployment, traffic)


def reconcile_twice_at_once(deployment):
    with ThreadPoolExecutor(2) as both:
        for found in both.map(lambda _: deployment.stack.invoke("reconciler", {}), range(2)):
            assert found.keys() == {"queued", "leases_expired", "ended", "woken"}


def redeliver_all(traffic, found):
    """Each record's pointer, and each message of the queue as it was: none of them fails."""
    keys = traffic.keys
    again = [
        *((one["id"], json.dumps({"stored_message": one["id"]})) for one in found.values()),
        *((key, json.dumps(traffic.message(key, id=key))) for key in keys["queue"]),
        *((found[key]["id"], json.dumps(traffic.message(key))) for key in keys["noid"]),
    ]
    for ten in batched(again, 10, strict=False):
        assert traffic.deliver(ten) == []


def purge_queue(deployment):
    """Remove what is still delayed: all of it was delivered above."""
    deployment.stack.client("sqs").purge_queue(QueueUrl=deployment.stack.outputs["MessageQueueUrl"])


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
        "lost": 0,  # or the wait for all of them would have timed out
        "sent twice": sum(n > 1 for n in accepted.values()),
    }
    return "\n" + "\n".join(f"  {name:42}{value:>6}" for name, value in rows.items())


def _end(record):
    why = f" ({record['reason']})" if record["status"] == "unknown" else ""
    return f"ended {record['status']}{why}"


def test_a_secret_rotated_in_the_middle_of_traffic_loses_and_fails_nothing(deployment):
    """The gateway gets the new secret first; after some refused calls the stack gets it."""
    traffic = LoadGenerator(deployment, f"rotazione-{SEED}", {"async": 20, "queue": 40})
    calls_before = len(deployment.gateway.calls)

    def calls():
        return deployment.gateway.calls[calls_before:]

    def send(n):
        for key in traffic.keys["async"][n::3]:
            traffic.post(key, "async")
        traffic.queue(traffic.keys["queue"][n::4][:10])

    try:
        send(0)
        deployment.gateway.wait_for_calls(calls_before + 8, timeout=LONG_TIME_OUT)
        deployment.gateway.rotate_secret("rotated-secret")
        send(1)
        wait_until(lambda: refused(calls()) >= 4, "refused calls", LONG_TIME_OUT)
        new = {"id_call_gr": CALL_GROUP, "secret": "rotated-secret"}
        deployment.stack.client("secretsmanager").put_secret_value(
            SecretId=deployment.stack.outputs["GatewaySecretArn"], SecretString=json.dumps(new)
        )
        send(2)
        traffic.queue(traffic.keys["queue"][3::4])
        wait_until(lambda: all_ended(deployment, traffic), "an end of every message", LONG_TIME_OUT)
        assert {one["status"] for one in by_key(deployment, traffic).values()} == {"sent"}
        accepted = Counter(key_in(call.text) for call in calls() if call.accepted)
        assert accepted == dict.fromkeys(traffic.all_keys, 1)
    finally:
        deployment.gateway.rotate_secret(GATEWAY_SECRET)
        deployment.stack.set_secrets()


def refused(calls):
    return sum(call.verdict == "security" for call in calls)
