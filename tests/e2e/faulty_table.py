"""A proxy in front of the local DynamoDB with DynamoDB's faults, seeded and counted."""

import json
import random
import threading
from collections import Counter

from tests.e2e.proxy import Proxy

HANG_SECONDS = 4.5  # the functions wait 4 s for an answer
ALL_ATTEMPTS = 5  # the functions' SDK makes at most four attempts

THROTTLED = (400, "ProvisionedThroughputExceededException")
BROKEN = (500, "InternalServerError")
DENIED = (400, "AccessDeniedException")
REFUSED = {"throttled": THROTTLED, "internal error": BROKEN, "denied": DENIED}
# The faults, weighted.
WEIGHTS = {
    "throttled": 40,
    "internal error": 20,
    "request lost": 18,
    "answer lost after writing": 20,
    "no answer in time after writing": 2,
}


class FaultyTable(Proxy):
    """No faults until `fail` is called."""

    def __init__(self, endpoint, seed):
        super().__init__(endpoint)
        self._draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._rate, self._deny = 0.0, None
        self._planned = {}
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.fault_counts = Counter()

    def __exit__(self, *raised):
        self.closing.set()
        super().__exit__(*raised)

    def fail(self, rate):
        """A share of the calls fails; a few of them on every retry."""
        with self._lock:
            self._rate = rate

    def deny(self, containing):
        """Calls that contain these bytes are denied, as by a policy that lacks a statement."""
        with self._lock:
            self._deny = containing

    def clear_faults(self):
        with self._lock:
            self._rate, self._deny = 0.0, None
            self._planned.clear()

    def fault(self, invocation, body):
        """Return this call's fault; a call and its retries by the SDK share one plan."""
        with self._lock:
            if self._deny is not None and self._deny in body:
                return self._count("denied")
            if invocation not in self._planned:
                self._planned[invocation] = self._plan()
            kind, left = self._planned[invocation]
            if not left:
                return None
            self._planned[invocation] = kind, left - 1
            return self._count(kind)

    def _plan(self):
        if self._draw.random() >= self._rate:
            return None, 0
        kind = self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        permanent = self._draw.random() < 0.1
        return kind, ALL_ATTEMPTS if permanent and not kind.startswith("no answer") else 1

    def _count(self, kind):
        self.fault_counts[kind] += 1
        return kind

    def handle(self, call):
        fault = self.fault(call.headers["amz-sdk-invocation-id"], call.body)
        if fault is None:
            super().handle(call)
        elif fault in REFUSED:
            status, name = REFUSED[fault]
            error = {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": name}
            head = {"Content-Type": "application/x-amz-json-1.0"}
            call.answer(status, head, json.dumps(error).encode())
        else:
            self._do_not_answer(call, fault)

    def _do_not_answer(self, call, fault):
        if fault.endswith("after writing"):
            self.forward(call)
        if fault.startswith("no answer"):
            self.closing.wait(HANG_SECONDS)
        call.close_connection = True
