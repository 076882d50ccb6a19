"""A proxy in front of the local AWS: it passes requests and responses on unchanged."""

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = frozenset("host connection content-length transfer-encoding date server".split())


class Proxy:
    """Listens from the start of `with` to its end."""

    def __init__(self, endpoint):
        self._upstream = urlsplit(endpoint).netloc

    def __enter__(self):
        call = type("Handler", (ProxyHandler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), call)
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._serving.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._serving.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, call):
        call.answer(*self.forward(call))

    def forward(self, call):
        """Return status, headers and body of the local AWS's response."""
        upstream = HTTPConnection(self._upstream, timeout=30)
        try:
            kept = {k: v for k, v in call.headers.items() if k.lower() not in HOP_BY_HOP}
            upstream.request(call.command, call.path, call.body, kept)
            answer = upstream.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            upstream.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A killed worker does not read its response: ignored."""


class ProxyHandler(BaseHTTPRequestHandler):
    """One connection; `body` belongs to the call that is being handled."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second would wait 40 ms
    proxy: Proxy
    body: bytes

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        self.body = self.rfile.read(length)
        if len(self.body) == length:
            self.proxy.handle(self)
        else:  # its caller was killed in the middle of it
            self.close_connection = True

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the base class looks them up

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Calls are counted and recorded instead."""
