"""The local gateway's sockets: one thread per connection, all ended when the server closes."""

import contextlib
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

from local.gateway.control import control, error_response
from local.gateway.gateway_core import SCRIPT, GatewayCore
from local.gateway.gateway_response import GatewayResponse
from local.gateway.transport import send

_MAX_BODY = 64 * 1024
_MAX_PREVIEW_BODY = 4 * 1024 * 1024  # a webhook's 1 MiB, written as JSON
_LENGTH = re.compile("[0-9]{1,15}")


class GatewayServer(ThreadingHTTPServer):
    """Tracks its connections, so that closing it ends those that hang."""

    daemon_threads = True
    request_queue_size = 512  # a whole campaign may connect at once

    def __init__(self, gateway: GatewayCore, host: str, port: int) -> None:
        self.gateway = gateway
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), GatewayHandler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        work = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._open[request] = work
        work.start()

    @override
    def shutdown_request(self, request: Any) -> None:
        # No shutdown of the socket before its close: it would turn a reset into an orderly close.
        with self._lock:
            self._open.pop(request, None)
        self.close_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; report anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @override
    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            still_open = dict(self._open)
        for connection, work in still_open.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            work.join()


class GatewayHandler(BaseHTTPRequestHandler):
    """Serves the gateway's script and its control over HTTP."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: GatewayServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == SCRIPT:
            # The request line was read as Latin-1, which keeps each byte.
            self._send(self.server.gateway.answer(query.encode("latin-1")))
        else:
            self._control(path, query)

    def do_POST(self) -> None:
        self._control(*self.path.partition("?")[::2])

    def do_DELETE(self) -> None:
        self.do_POST()

    def _control(self, path: str, query: str) -> None:
        limit = _MAX_PREVIEW_BODY if path == "/api/try" else _MAX_BODY
        body = self._body(limit)
        if body is None:
            self.close_connection = True
            self._send(error_response(413, f"A body has a Content-Length of up to {limit} bytes."))
        else:
            self._send(control(self.server.gateway, self.command, path, query, body))

    def _body(self, limit: int) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            return None
        return self.rfile.read(int(length)) if int(length) <= limit else None

    def _send(self, response: GatewayResponse) -> None:
        try:
            keep = send(self.connection, response)
        except OSError:  # the client disconnected
            keep = False
        self.close_connection = self.close_connection or not keep

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a request line holds the text, the number and the signature."""
