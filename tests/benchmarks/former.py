"""The former way: urllib3 by itself, and all authorities loaded again by each connection."""

from collections.abc import Callable
from typing import Any

from urllib3 import HTTPSConnectionPool, Timeout
from urllib3.util import parse_url

from openvoip_sms.openvoip import client
from openvoip_sms.openvoip.connection import CONNECT_SECONDS, READ_SECONDS, _GuardedTls, read_whole
from openvoip_sms.openvoip.replies import read_reply
from openvoip_sms.rules.call_result import CallResult


class _Pool(HTTPSConnectionPool):
    """No context is given to it, so urllib3 makes one for each connection."""

    ConnectionCls = _GuardedTls


class _Answer:
    def __init__(self, raw: Any) -> None:
        self.raw = raw


class FormerGateway(client.OpenvoipClient):
    def __init__(self, url: str, *, connections: int, **rest: Any) -> None:
        # This name is never resolved: the present client's session is created and not used.
        super().__init__("http://unused.invalid/", connections=connections, **rest)
        address = parse_url(url)
        self._pool = _Pool(address.host or "", address.port, maxsize=connections, block=False)
        self._path = address.path or "/"

    def _get(self, values: str, hide: Callable[[str], str]) -> CallResult:
        response: Any = self._pool.urlopen(
            "GET",
            f"{self._path}?{values}",
            headers={"User-Agent": "openvoip-sms"},
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        body, _ = read_whole(_Answer(response))
        retry_after = response.headers.get("Retry-After")
        return read_reply(response.status, body, retry_after, self._clock(), hide=hide)
