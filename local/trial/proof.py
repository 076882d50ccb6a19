"""Who sent it: the verdict in words, and what a call would need to be authentic."""

import base64
import binascii
import hmac
import html
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from openvoip_sms.webhooks.model import Auth, Source
from openvoip_sms.webhooks.request import WebhookRequest
from openvoip_sms.webhooks.verify import Refused, Verified, verify

type Secrets = Mapping[str, str]
type Headers = tuple[tuple[str, str], ...]

_NEW_ID = "msg_1"
_FOR_EVER = 10**16  # seconds: no timestamp is further off


def hint(source: Source, request: WebhookRequest, secrets: Secrets, refused: Refused) -> str:
    """Say what to look at when a call was refused; empty where the refusal says it all."""
    match refused.reason:
        case "secret_not_set":
            return f"The source names {', '.join(source.auth.secrets)}."
        case "signature_missing":
            return f"It belongs into {source.auth.place.kind}:{source.auth.place.name}."
        case "timestamp_outside_window" if _fits_at_its_time(source, request, secrets):
            return "The signature fits: it was authentic in its time."
        case "signature_wrong":
            return _hint_on_body(source, request, secrets)
    return ""


def _fits_at_its_time(source: Source, request: WebhookRequest, secrets: Secrets) -> bool:
    stamp = source.auth.timestamp
    patient = stamp and replace(stamp, tolerance=_FOR_EVER)
    timeless = replace(source, auth=replace(source.auth, timestamp=patient))
    epoch = datetime.fromtimestamp(0).astimezone()
    return isinstance(verify(timeless, request, secrets, epoch), Verified)


def _hint_on_body(source: Source, request: WebhookRequest, secrets: Secrets) -> str:
    bare = replace(request, body=request.body.rstrip(b"\r\n"))
    if bare.body != request.body and _fits_at_its_time(source, bare, secrets):
        return "It fits without the line break at the body's end, which an editor may have added."
    return "Either the secret is another, or the body is not byte for byte what was sent."


def needed_headers(
    source: Source, request: WebhookRequest, secrets: Secrets, now: datetime
) -> Headers:
    """Return the headers that would make the call authentic; none where a token alone would.

    Made as a sender makes them, and given only if the service takes them.
    """
    secret = next((secrets[name] for name in source.auth.secrets if secrets.get(name)), "")
    if source.auth.kind == "token" or not secret:
        return ()
    try:
        made = _signed(source.auth, request, _key(source.auth, secret), now)
    except binascii.Error:
        return ()
    names = {name.lower() for name, _ in made}
    others = tuple(pair for pair in request.headers if pair[0].lower() not in names)
    checked = verify(source, replace(request, headers=(*others, *made)), secrets, now)
    return made if isinstance(checked, Verified) else ()


def _signed(auth: Auth, request: WebhookRequest, key: bytes, now: datetime) -> Headers:
    stamp = auth.timestamp
    seconds = now.timestamp()
    timestamp = str(int(seconds * 1000 if stamp and stamp.unit == "ms" else seconds))
    event_id = (auth.id_header and request.header(auth.id_header)) or _NEW_ID
    values = {
        "{body}": request.body,
        "{timestamp}": timestamp.encode(),
        "{id}": event_id.encode(),
        "{method}": request.method.encode(),
        "{url}": (auth.url or request.url).encode(),
    }
    text = b"".join(values.get(piece, piece.encode()) for piece in auth.signed)
    digest = hmac.digest(key, text, auth.algorithm)
    written = digest.hex() if auth.encoding == "hex" else base64.b64encode(digest).decode()
    signature = auth.prefix + written
    made = [(auth.id_header, event_id)] if auth.id_header else []
    if stamp and stamp.kind == "header":
        made.append((stamp.name, timestamp))
    elif stamp:
        signature = f"{stamp.name}{timestamp}{auth.separator}{signature}"
    return (*made, (auth.place.name, signature))


def _key(auth: Auth, secret: str) -> bytes:
    if auth.secret_form == "base64":  # noqa: S105 - a form, not a secret
        bare = secret.strip().removeprefix("whsec_").rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    return (html.unescape(secret) if auth.secret_form == "html" else secret).encode()  # noqa: S105
