"""Explains why a call is not authentic, and computes headers that would make it so."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from openvoip_sms.rules.headers import Pairs
from openvoip_sms.webhooks.model import Auth, Source
from openvoip_sms.webhooks.request import WebhookRequest
from openvoip_sms.webhooks.verify import (
    Refused,
    Verified,
    cleaned,
    signed_text,
    usable_keys,
    verify,
)

_NEW_ID = "msg_1"
_ANY_AGE = 10**16  # seconds: more than any timestamp can differ


def hint(
    source: Source, request: WebhookRequest, secrets: Mapping[str, str], refused: Refused
) -> str:
    """Return a hint for a refused call; empty where the refusal explains it."""
    match refused.reason:
        case "secret_not_set":
            return f"The source names {', '.join(source.auth.secrets)}."
        case "signature_missing":
            return f"It must be in {source.auth.place.kind}:{source.auth.place.name}."
        case "timestamp_outside_window" if _fits_at_any_time(source, request, secrets):
            return "The signature fits: the call was authentic when it was signed."
        case "signature_wrong":
            on_body = _hint_on_body(source, request, secrets)
            return f"{on_body} {around_secret(source, secrets)}".strip()
        case "token_wrong":
            return around_secret(source, secrets)
    return ""


def around_secret(source: Source, secrets: Mapping[str, str]) -> str:
    """Name the secrets with something around them that does not count."""
    held = ((name, secrets.get(name, "")) for name in source.auth.secrets)
    names = [name for name, secret in held if cleaned(secret) != secret]
    if not names:
        return ""
    return f"Around the secret {', '.join(names)} are blanks, a line break or quotes: left out."


def _fits_at_any_time(source: Source, request: WebhookRequest, secrets: Mapping[str, str]) -> bool:
    stamp = source.auth.timestamp
    any_age = stamp and replace(stamp, tolerance=_ANY_AGE)
    any_time = replace(source, auth=replace(source.auth, timestamp=any_age))
    epoch = datetime.fromtimestamp(0).astimezone()
    return isinstance(verify(any_time, request, secrets, epoch), Verified)


def _hint_on_body(source: Source, request: WebhookRequest, secrets: Mapping[str, str]) -> str:
    bare = replace(request, body=request.body.rstrip(b"\r\n"))
    if bare.body != request.body and _fits_at_any_time(source, bare, secrets):
        return "It fits without the line break at the body's end, which an editor may have added."
    return "Either the secret is wrong, or the body is not byte for byte what was sent."


def headers_to_sign(
    source: Source, request: WebhookRequest, secrets: Mapping[str, str], now: datetime
) -> Pairs:
    """Return the headers that would make the call authentic; none for a token.

    They are computed as a sender does, and returned only if the service accepts them.
    """
    keys = usable_keys(source.auth, secrets)
    if source.auth.kind == "token" or isinstance(keys, Refused):
        return ()
    made = _signed(source.auth, request, keys[0], now)
    checked = verify(source, _with_headers(request, made), secrets, now)
    return made if isinstance(checked, Verified) else ()


def _signed(auth: Auth, request: WebhookRequest, key: bytes, now: datetime) -> Pairs:
    """The headers for id, timestamp and signature that the scheme uses."""
    stamp = auth.timestamp
    seconds = now.timestamp()
    timestamp = str(int(seconds * 1000 if stamp and stamp.unit == "ms" else seconds))
    made: list[tuple[str, str]] = []
    if auth.id_header:
        made.append((auth.id_header, request.header(auth.id_header) or _NEW_ID))
    if stamp and stamp.kind == "header":
        made.append((stamp.name, timestamp))
    text = signed_text(auth, _with_headers(request, tuple(made)), timestamp)
    if isinstance(text, Refused):
        return ()
    signature = auth.prefix + _encoded(auth, hmac.digest(key, text, auth.algorithm))
    if stamp and stamp.kind == "item":
        signature = f"{stamp.name}{timestamp}{auth.separator}{signature}"
    return (*made, (auth.place.name, signature))


def _encoded(auth: Auth, digest: bytes) -> str:
    return digest.hex() if auth.encoding == "hex" else base64.b64encode(digest).decode()


def _with_headers(request: WebhookRequest, headers: Pairs) -> WebhookRequest:
    """The call with these headers in place of those of the same names."""
    names = {name.lower() for name, _ in headers}
    others = tuple(pair for pair in request.headers if pair[0].lower() not in names)
    return replace(request, headers=(*others, *headers))
