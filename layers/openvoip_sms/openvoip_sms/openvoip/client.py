"""The HTTP call to openvoip: one request, one `Reply`, no exception and no URL ever let out.

The client is urllib3, used so that it cannot send twice behind our back: its retries are off,
redirects are not followed, and a connection that has idled is not trusted again. Whether a fault
is certainly "not sent" is decided by its stage, not by its class: until the connection stands
nothing was sent; once the request is on its way, nobody knows.
"""

import logging
import socket
from collections.abc import Callable
from datetime import datetime
from threading import Timer
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url

from openvoip_sms.delivery.ports import Account, Sms
from openvoip_sms.rules.replies import Reply, Verdict, read_reply
from openvoip_sms.rules.signature import verify_code

CONNECT_SECONDS = 3.0  # for each address of the host, and for each step of the TLS handshake
CONNECTED_WITHIN = 5.0  # seconds; later than that we do not send any more
READ_SECONDS = 9.0  # for the reply as a whole, however slowly it drips
IDLE_SECONDS = 2.0  # a frozen Lambda wakes up with connections that the other end has closed
REPLY_LIMIT = 64 * 1024  # bytes; replies are a few dozen

# urllib3 logs each URL at DEBUG, and at WARNING when a reply's headers are broken.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class _NotConnected(Exception):
    """No connection came about: certainly not sent."""


class _Deadline:
    """Cuts a connection when the reply as a whole takes too long.

    A read time-out alone bounds each wait, so a byte a second would hold a worker for ever.
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
            # The plain socket's shutdown, TLS or not: it wakes up the thread that reads.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            return  # closed already


class _Guarded(HTTPConnection):
    """What we add to urllib3's connection: the stage of a fault, a deadline, freshness."""

    _used_at = 0.0

    def connect(self) -> None:
        began = monotonic()
        try:
            super().connect()
        except Exception as error:  # noqa: BLE001 - of whatever class: nothing was sent yet
            raise _NotConnected(type(error).__name__) from None
        if monotonic() - began > CONNECTED_WITHIN:
            raise _NotConnected("ConnectedTooLate")

    @property
    def is_connected(self) -> bool:
        return monotonic() - self._used_at < IDLE_SECONDS and super().is_connected

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's response, plus our deadline
        deadline = _Deadline(self.sock)
        try:
            response: Any = super().getresponse()
        except BaseException:
            deadline.end()
            raise
        response.deadline = deadline
        self._used_at = monotonic()
        return response


class _GuardedTls(_Guarded, HTTPSConnection):
    """For the real gateway; urllib3 checks certificates by default."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


class HttpGateway:
    """The gateway at `url`. One instance a container, shared between threads."""

    def __init__(
        self,
        url: str,
        *,
        encode_destination_twice: bool,
        connections: int,
        clock: Callable[[], datetime],
    ) -> None:
        address = parse_url(url)
        pool = _TlsPool if address.scheme == "https" else _PlainPool
        self._pool = pool(address.host or "", address.port, maxsize=connections, block=False)
        self._path = address.path or "/"
        self._twice = encode_destination_twice
        self._clock = clock

    def call(self, sms: Sms, account: Account) -> Reply:
        """Make exactly one call; every fault becomes a verdict."""
        try:
            asked = query(sms, account, encode_destination_twice=self._twice)
        except UnicodeEncodeError:  # its text would name the secret
            return Reply(Verdict.MISCONFIGURED, fault="NotEncodable")
        try:
            return self._get(f"{self._path}?{asked}")
        except _NotConnected as fault:
            return Reply(Verdict.UNREACHABLE, fault=str(fault))
        except Exception as error:  # noqa: BLE001 - of whatever class: the request was on its way
            # Never the error's own text: it may carry the URL, so the signature and the number.
            return Reply(Verdict.UNCERTAIN, fault=type(error).__name__)

    def _get(self, target: str) -> Reply:
        response: Any = self._pool.urlopen(
            "GET",
            target,
            headers={"User-Agent": "openvoip-sms"},
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            body = _read(response)
        finally:
            response.deadline.end()
        if body is None or response.deadline.passed:
            response.close()  # the rest of it must not be taken for the next reply
            fault = "ReplyTooLong" if body is None else "ReplyTooSlow"
            return Reply(Verdict.UNCERTAIN, f"http_{response.status}", fault=fault)
        response.release_conn()
        return read_reply(response.status, body, response.headers.get("Retry-After"), self._clock())


def _read(response: Any) -> bytes | None:  # noqa: ANN401 - urllib3's response, plus our deadline
    """Return the body, or `None` when it is longer than any reply of the gateway."""
    body = b""
    while chunk := response.read(REPLY_LIMIT):
        body += chunk
        if len(body) > REPLY_LIMIT:
            return None
    return body


def query(sms: Sms, account: Account, *, encode_destination_twice: bool) -> str:
    """Return the request's query as PHP's `urlencode` writes it (openvoip guide).

    The destination is encoded once more for accounts whose gateway decodes it twice.
    """
    destination = quote(sms.to, safe="") if encode_destination_twice else sms.to
    values = {
        "archivia": "1" if sms.archive else "0",
        "id_call_gr": account.call_group,
        "sms_text": sms.text,
        "sms_destination": destination,
        "sms_sender": sms.sender,
        "verify": verify_code(
            sender=sms.sender,
            text=sms.text,
            destination=sms.to,
            secret=account.secret,
            call_group=account.call_group,
        ),
    }
    return urlencode(values).replace("~", "%7E")  # PHP escapes the tilde too
