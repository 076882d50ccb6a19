"""Connections to the gateway: `requests` without anything that could send a message twice.

Retries are off, redirects are not followed, the environment is ignored, cookies are not stored, and
an idle connection is not used again. Before a connection is established nothing was sent:
`NotConnected` tells that stage from all later ones.
"""

import logging
import socket
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLContext
from threading import Timer
from time import monotonic
from typing import Any, override

from certifi import where
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

CONNECT_SECONDS = 3.0  # for each address of the host, and for each step of the TLS handshake
CONNECTED_WITHIN = 5.0  # seconds; after that nothing is sent
READ_SECONDS = 9.0  # for the whole reply, however slowly it arrives
IDLE_SECONDS = 2.0  # a frozen function resumes with connections that the other end has closed
MAX_REPLY_BYTES = 64 * 1024  # real replies have a few dozen

# urllib3 logs each URL at DEBUG, and at WARNING when a reply's headers are broken.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class NotConnected(Exception):
    """No connection was established: certainly not sent."""


class BrokeOff(Exception):
    """The answer cannot be read beyond its status line."""

    def __init__(self, status: int, fault: str) -> None:
        super().__init__(fault)
        self.status, self.fault = status, fault


class _Deadline:
    """Cuts a connection when the reply as a whole takes too long.

    A read time-out alone bounds each wait, so a byte a second would block a worker for ever.
    """

    def __init__(self, sock: socket.socket | None) -> None:
        self.passed = False
        self._sock = sock
        self._timer = Timer(READ_SECONDS, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.passed = True
        if self._sock is None:
            return
        try:
            # The plain socket's shutdown, with TLS too: it unblocks the thread that reads.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            return  # closed already


class _Guarded(HTTPConnection):
    """Adds to urllib3's connection: the stage of a fault, a deadline, a limit on idle time."""

    _used_at = 0.0

    def connect(self) -> None:
        began = monotonic()
        try:
            super().connect()
        except Exception as error:  # noqa: BLE001 - of any class: nothing was sent yet
            raise NotConnected(type(error).__name__) from None
        if monotonic() - began > CONNECTED_WITHIN:
            raise NotConnected("ConnectedTooLate")

    @property
    def is_connected(self) -> bool:
        return monotonic() - self._used_at < IDLE_SECONDS and super().is_connected

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's response with a deadline
        begun: list[HTTPResponse] = []

        def begin(*args: Any, **options: Any) -> HTTPResponse:  # noqa: ANN401 - as it is called
            begun.append(HTTPResponse(*args, **options))
            return begun[-1]

        # The response itself, should reading it fail half-way.
        self.response_class = begin  # type: ignore[assignment]
        deadline = _Deadline(self.sock)
        try:
            response: Any = super().getresponse()
        except BaseException as error:
            deadline.end()
            status: object = begun[-1].status if begun else None
            if isinstance(error, Exception) and isinstance(status, int):
                raise BrokeOff(status, type(error).__name__) from None
            raise
        response.deadline = deadline
        self._used_at = monotonic()
        return response


class _GuardedTls(_Guarded, HTTPSConnection):
    """For the real gateway."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


def public_authorities() -> SSLContext:
    """Return a context that trusts the authorities which `requests` ships.

    Loading them takes longer than the rest of a call, so it is done once, not per connection.
    """
    context = create_urllib3_context()
    context.load_verify_locations(where())
    return context


class _Adapter(HTTPAdapter):
    """Guarded connections that share one TLS context.

    Its `send` is that of `requests`, which tests replace.
    """

    def __init__(self, connections: int, tls: SSLContext | None) -> None:
        self._tls = tls
        # Not the number 0: `requests` makes it a `Retry` that still counts and wraps faults.
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=_never())

    @override
    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    @override
    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Set no authority file: every connection would load it into the context again."""


def _never() -> Retry:
    return Retry(total=False, redirect=False, respect_retry_after_header=False)


class GatewaySession(Session):
    """Sends a prepared request once, as it is. Threads may share it."""

    def __init__(self, connections: int, tls: SSLContext | None) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, .netrc or authority file of the environment
        self.headers.clear()  # among them an offer to decode compressed replies
        self.headers["User-Agent"] = "openvoip-sms"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(connections, tls)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: Response) -> None:
        """Report none: to find the next request, `requests` would read a body of any length."""

    def send_once(self, request: PreparedRequest) -> Response:
        """Send without retry or redirect; the body is read by `read_whole`."""
        timeouts = (CONNECT_SECONDS, READ_SECONDS)
        return self.send(request, stream=True, allow_redirects=False, timeout=timeouts)


def read_whole(response: Response) -> tuple[bytes, str]:
    """Return the body, and a fault where it is incomplete. Never raises."""
    raw = response.raw
    deadline: _Deadline | None = getattr(raw, "deadline", None)  # mocked responses have none
    fault = ""
    try:
        body = _read(raw)
    except Exception as error:  # noqa: BLE001 - of any class: the body is not whole
        body, fault = b"", type(error).__name__
    finally:
        if deadline:
            deadline.end()
    if deadline and deadline.passed:
        fault = "ReplyTooSlow"
    elif body is None:
        fault = "ReplyTooLong"
    if not fault and body is not None:
        raw.release_conn()
        return body, ""
    raw.close()  # its rest must not be read as the next reply
    return b"", fault


def _read(raw: Any) -> bytes | None:  # noqa: ANN401 - urllib3's response with a deadline
    """Return the body as it came, or `None` when it is longer than any reply of the gateway."""
    body = b""
    while chunk := raw.read(MAX_REPLY_BYTES, decode_content=False):
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            return None
    return body
