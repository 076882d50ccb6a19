"""A server whose responses a test scripts byte by byte, optionally over TLS."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ScriptedServer:
    """Hands each request to `respond`; counts connections, keeps heads and request lines."""

    respond: Callable[[socket.socket, int], object]
    tls: ssl.SSLContext | None = None
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    request_heads: list[bytes] = field(default_factory=list)
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._serving = threading.Thread(target=self._serve)
        self._serving.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._serving.join()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            with contextlib.suppress(OSError):
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    self._open.append(connection)
                self._serve_connection(connection)
            connection.close()
            self.closed.release()

    def _serve_connection(self, connection):
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65_536)
                if not piece:
                    return
                received += piece
            self.request_heads.append(received)
            self.requests.append(received.split(b"\r\n")[0])
            received = b""
            if self.respond(connection, len(self.requests)) is not True:
                return


def response(body, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode("latin-1")


def always(answer):
    """Answers and keeps the connection."""
    return lambda connection, _: connection.sendall(answer) is None


def url_of(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.port}/sms_send_soa.php"
