"""A proxy in front of the local DynamoDB that fails as DynamoDB may: seeded, and counted."""

import json
import random
import threading
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

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


class FaultyTable:
    """Listens from the start of `with` to its end; faultless until `fail` is called."""

    def __init__(self, endpoint, seed):
        self._upstream = urlsplit(endpoint).netloc
        self._draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._rate, self._deny = 0.0, None
        self._fates = {}
        self._lock = threading.Lock()
        self.over = threading.Event()
        self.met = Counter()

    def __enter__(self):
        proxy = type("Proxy", (_Proxy,), {"table": self})
        self._server = _Server(("127.0.0.1", 0), proxy)
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._serving.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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

    def forward(self, handler, body):
        """Return status, headers and body of the table's own answer."""
        upstream = HTTPConnection(self._upstream, timeout=30)
        try:
            kept = {k: v for k, v in handler.headers.items() if k.lower() not in _OF_THE_HOP}
            upstream.request("POST", handler.path, body, kept)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            upstream.close()


_OF_THE_HOP = frozenset("host connection content-length transfer-encoding date server".split())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A killed worker does not listen any more: nothing to say."""


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    table: FaultyTable

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.table.fault(self.headers["amz-sdk-invocation-id"], body)
        if fault is None:
            self._answer(*self.table.forward(self, body))
        elif fault in REFUSED:
            status, name = REFUSED[fault]
            error = {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": name}
            head = {"Content-Type": "application/x-amz-json-1.0"}
            self._answer(status, head, json.dumps(error).encode())
        else:
            self._stay_silent(fault, body)

    def _stay_silent(self, fault, body):
        if fault.endswith("after writing"):
            self.table.forward(self, body)
        if fault.startswith("no answer"):
            self.table.over.wait(HANG_SECONDS)
        self.close_connection = True

    def _answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _OF_THE_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Counts say it."""
