"""A proxy in front of the local DynamoDB that fails as DynamoDB may: seeded, and counted."""

import json
import random
import threading
from collections import Counter

from tests.e2e.proxy import Proxy

HANG_SECONDS = 4.5  # the functions wait 4 s for an answer
ALL_REPEATS = 5  # the functions' SDK makes a call four times at the most

THROTTLED = (400, "ProvisionedThroughputExceededException")
BROKEN = (500, "InternalServerError")
DENIED = (400, "AccessDeniedException")
REFUSED = {"throttled": THROTTLED, "internal error": BROKEN, "denied": DENIED}
# What a call meets, and how often such a call is among the faulty ones.
WEIGHTS = {
    "throttled": 40,
    "internal error": 20,
    "request lost": 18,
    "answer lost after writing": 20,
    "no answer in time after writing": 2,
}


class FaultyTable(Proxy):
    """Faultless until `fail` is called."""

    def __init__(self, endpoint, seed):
        super().__init__(endpoint)
        self._draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._rate, self._deny = 0.0, None
        self._fates = {}
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.met = Counter()

    def __exit__(self, *raised):
        self.over.set()
        super().__exit__(*raised)

    def fail(self, rate):
        """A share of the calls meets a fault; a few of them at each of their repeats."""
        with self._lock:
            self._rate = rate

    def deny(self, containing):
        """Calls that contain these bytes are denied, as by a policy that lost a line."""
        with self._lock:
            self._deny = containing

    def calm(self):
        with self._lock:
            self._rate, self._deny = 0.0, None
            self._fates.clear()

    def fault(self, invocation, body):
        """Return what this call meets; a call and its repeats by the SDK share one fate."""
        with self._lock:
            if self._deny is not None and self._deny in body:
                return self._count("denied")
            if invocation not in self._fates:
                self._fates[invocation] = self._drawn()
            kind, left = self._fates[invocation]
            if not left:
                return None
            self._fates[invocation] = kind, left - 1
            return self._count(kind)

    def _drawn(self):
        if self._draw.random() >= self._rate:
            return None, 0
        kind = self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        hopeless = self._draw.random() < 0.1
        return kind, ALL_REPEATS if hopeless and not kind.startswith("no answer") else 1

    def _count(self, kind):
        self.met[kind] += 1
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
            self._stay_silent(call, fault)

    def _stay_silent(self, call, fault):
        if fault.endswith("after writing"):
            self.forward(call)
        if fault.startswith("no answer"):
            self.over.wait(HANG_SECONDS)
        call.close_connection = True
