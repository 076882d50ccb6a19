"""The switch on the deployed stack, under traffic on every way in."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from tests.e2e.conftest import LONG_TIME_OUT, wait_until
from tests.e2e.load import LoadGenerator, key_in
from tests.e2e.table_and_queue import queue_depth, records
from tests.iam.policies import Use

WITHIN = timedelta(seconds=10)  # docs/api.md promises it
WAYS = ("async", "sync", "queue", "webhook")
PAUSE = {"paused": True, "reason": "Errore nel testo", "by": "Anna Bianchi"}
DRY_RUN = {"to": "3331234731", "text": "Prova", "dry_run": True}


class SteadyTraffic:
    """Sends on every way in until it is stopped; knows when each message was begun."""

    def __init__(self, deployment, run):
        self._load = LoadGenerator(deployment, run, dict.fromkeys(WAYS, 999))
        self._stopped = threading.Event()
        self.begun = {}  # by the message's key

    def __enter__(self):
        self._thread = threading.Thread(target=self._send)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def _send(self):
        for n in count():
            if self._stopped.is_set():
                return
            now = datetime.now(UTC)
            self.begun |= dict.fromkeys(self._load.by_every_way(n), now)


def calls_by_key(deployment, keys):
    found = [(key_in(call.text), call) for call in deployment.gateway.calls]
    return [(key, call) for key, call in found if key in keys]


def by_key(deployment, keys):
    found = ((key_in(one.get("text")), one) for one in records(deployment.stack))
    return {key: one for key, one in found if key in keys}


def moving(deployment, keys):
    """Those that are neither sent nor held, with what is known of them."""
    found = by_key(deployment, keys)
    at_rest = {("sent", None), ("queued", "paused")}
    known = {key: (one["status"], one.get("reason")) for key, one in found.items()}
    return {key: known.get(key) for key in keys if known.get(key) not in at_rest}


@pytest.fixture
def resumed(deployment):
    yield deployment
    deployment.call("PUT", "/sending", {"paused": False})


def test_a_pause_stops_every_way_in_within_ten_seconds_and_a_resume_sends_each_once(resumed):
    deployment = resumed
    before = queue_depth(deployment.stack)
    with SteadyTraffic(deployment, "interruttore-1") as traffic:
        wait_until(lambda: len(calls_by_key(deployment, traffic.begun)) >= len(WAYS))
        status, _, shown = deployment.call("PUT", "/sending", PAUSE)
        answered = datetime.now(UTC)
        assert status == 200
        wait_until(lambda: max(traffic.begun.values()) > answered + WITHIN, "later traffic")
    keys = set(traffic.begun)

    wait_until(lambda: moving(deployment, keys) == {}, "every message at rest", LONG_TIME_OUT)
    late = [call for _, call in calls_by_key(deployment, keys) if call.at > answered + WITHIN]
    assert late == []
    held = {key for key, one in by_key(deployment, keys).items() if one["status"] == "queued"}
    assert held >= {key for key, at in traffic.begun.items() if at > answered + WITHIN}
    assert {key.split("-")[2] for key in held} == set(WAYS)
    assert shown == deployment.call("GET", "/sending")[2]
    assert shown | PAUSE == shown
    assert shown["brake"]["state"] == "open"
    wait_until(lambda: queue_depth(deployment.stack) <= before, "an empty queue")

    assert deployment.call("PUT", "/sending", {"paused": False})[2]["paused"] is False
    wait_until(
        lambda: {key for key, call in calls_by_key(deployment, keys) if call.accepted} == keys,
        "every message sent",
        LONG_TIME_OUT,
    )
    assert Counter(key for key, _ in calls_by_key(deployment, keys)) == dict.fromkeys(keys, 1)
    # Not by the schedule, which would have come within five minutes anyway.
    woken = deployment.stack.client("lambda").get_function_configuration(
        FunctionName=deployment.stack.functions["reconciler"]
    )
    arn = woken["FunctionArn"]
    assert Use("lambda:InvokeFunction", arn) in deployment.recorder.uses["api"]


def test_a_waiting_call_is_answered_with_the_reason_while_sending_is_paused(resumed):
    assert resumed.call("PUT", "/sending", PAUSE)[0] == 200
    message = {"to": "3331234731", "text": "Mai più"}
    held = resumed.send_until_held(message, "paused")["id"]
    sent = len(resumed.accepted("Mai più"))
    assert resumed.call("POST", "/messages", DRY_RUN)[2]["stopped_by"]["reason"] == "paused"
    assert resumed.call("POST", f"/messages/{held}/cancel")[2]["status"] == "cancelled"
    assert resumed.call("PUT", "/sending", {"paused": False})[0] == 200
    assert "stopped_by" not in resumed.call("POST", "/messages", DRY_RUN)[2]
    assert len(resumed.accepted("Mai più")) == sent
