"""The HTTP call to openvoip: one request, one `CallResult`; no exception or URL leaves it.

Whether a fault is certainly "not sent" is decided by its stage, not by its class: before there
is a connection nothing was sent; after that the outcome is unknown.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from ssl import SSLContext
from urllib.parse import quote, urlencode

from requests import PreparedRequest, Request
from urllib3.util import Url, parse_url

from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.openvoip.connection import (
    BrokeOff,
    GatewaySession,
    NotConnected,
    public_authorities,
    read_whole,
)
from openvoip_sms.openvoip.redaction import redact
from openvoip_sms.openvoip.replies import read_reply
from openvoip_sms.openvoip.signature import verify_code
from openvoip_sms.rules.call_result import CallOutcome, CallResult


class OpenvoipClient:
    """The gateway at `url`. One instance a container, shared between threads.

    `tls` holds the trusted authorities, by default the public ones. `accepted_replies` are replies
    that mean success besides the published ones.
    """

    def __init__(
        self,
        url: str,
        *,
        encode_destination_twice: bool,
        connections: int,
        clock: Callable[[], datetime],
        tls: SSLContext | None = None,
        accepted_replies: frozenset[str] = frozenset(),
    ) -> None:
        address = parse_url(url)
        if tls is None and address.scheme == "https":
            tls = public_authorities()
        self._session = GatewaySession(connections, tls)
        self._url = Url(address.scheme, None, address.host, address.port, address.path or "/").url
        # Prepared here, so that no call can fail because of it.
        self._request = self._session.prepare_request(Request("GET", self._url))
        self._twice = encode_destination_twice
        self._clock = clock
        self._accepted = accepted_replies

    def send(self, sms: Sms, account: OpenvoipAccount) -> CallResult:
        """Make exactly one call; every fault becomes an outcome."""
        try:
            signature = _signature(sms, account)
            values = query(sms, account, encode_destination_twice=self._twice)
        except UnicodeEncodeError:  # its message would contain the secret
            return CallResult(CallOutcome.MISCONFIGURED, fault="NotEncodable")
        hide = partial(redact, signature=signature, secret=account.secret)
        try:
            return self._get(values, hide)
        except NotConnected as fault:
            return CallResult(CallOutcome.UNREACHABLE, fault=str(fault))
        except Exception as error:  # noqa: BLE001 - of any class: the request may have been sent
            # Never the error's own message: it may contain the URL, with signature and number.
            return CallResult(CallOutcome.UNCERTAIN, fault=type(error).__name__)

    def _get(self, values: str, hide: Callable[[str], str]) -> CallResult:
        try:
            response = self._session.send_once(self._prepared(values))
        except BrokeOff as answer:
            return read_reply(answer.status, b"", None, self._clock(), fault=answer.fault)
        body, fault = read_whole(response)
        return read_reply(
            response.status_code,
            body,
            response.headers.get("Retry-After"),
            self._clock(),
            fault=fault,
            accepted=self._accepted,
            hide=hide,
        )

    def _prepared(self, values: str) -> PreparedRequest:
        """Return a request whose query `requests` has not rewritten: it would turn %7E into ~."""
        request = self._request.copy()
        request.url = f"{self._url}?{values}"
        return request


def query(sms: Sms, account: OpenvoipAccount, *, encode_destination_twice: bool) -> str:
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
        "verify": _signature(sms, account),
    }
    return urlencode(values).replace("~", "%7E")  # PHP escapes the tilde too


def _signature(sms: Sms, account: OpenvoipAccount) -> str:
    return verify_code(
        sender=sms.sender,
        text=sms.text,
        destination=sms.to,
        secret=account.secret,
        call_group=account.call_group,
    )
