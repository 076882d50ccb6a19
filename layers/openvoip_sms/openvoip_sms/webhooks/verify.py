"""Authenticates a call by the keys of its source alone: no sender has code of its own.

Decoded bytes are compared in constant time, the encoding is strict, and an empty value never
matches. Any input that is not authentic gives a `Refused`, never an exception.
"""

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openvoip_sms.webhooks.model import Auth, Source, Timestamp
from openvoip_sms.webhooks.request import WebhookRequest

REFUSALS = {
    "secret_not_set": "No secret of this source is set: put it into the webhook secret.",
    "secret_malformed": "The secret is not base64 text as this sender issues it: paste it again.",
    "too_large": "The body is too large.",
    "signature_missing": "The header (or query parameter) with the signature or token is missing.",
    "signature_repeated": "The signature or token was given more than once.",
    "signature_malformed": "The signature has another form than this sender's.",
    "signature_wrong": "The signature does not fit body and secret.",
    "token_wrong": "The token is not the secret.",
    "body_empty": "The body is empty.",
    "timestamp_missing": "The signed timestamp is missing or was given more than once.",
    "timestamp_malformed": "The timestamp is not a whole number of 1 to 16 digits.",
    "timestamp_outside_window": "The timestamp is too old or too far ahead: a replay, or a clock.",
    "id_missing": "The id that is part of the signature is missing or was given more than once.",
}
_PLACEHOLDER = re.compile(
    r"\s*(?:whsec_)?(?:<.*>|\.{3}|…|x{3,}|todo|placeholder|unset|not[-_ ]set"
    r"|(?:set|change|replace)[-_ ]?(?:me|this).*|your[-_ ].*)?\s*",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED_END = re.compile(r"(?:\\[rnt])+\s*$")
_QUOTES = ('""', "''", "``", "“”", "„“", "‘’", "«»")
_TIMESTAMP = re.compile(r"[0-9]{1,16}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
# WordPress decodes these before it signs (wp_specialchars_decode with ENT_QUOTES).
_ENTITIES = {
    "&": re.compile(r"&(?:amp|#0*38|#x26);", re.IGNORECASE),
    "<": re.compile(r"&(?:lt|#0*60|#x3c);", re.IGNORECASE),
    ">": re.compile(r"&(?:gt|#0*62|#x3e);", re.IGNORECASE),
    '"': re.compile(r"&(?:quot|#0*34|#x22);", re.IGNORECASE),
    "'": re.compile(r"&(?:#0*39|#x27);", re.IGNORECASE),
}
_ENTITY = re.compile("|".join(found.pattern for found in _ENTITIES.values()), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verified:
    """Authentic. `timestamp` is the signed one, unparsed, where the scheme has one."""

    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not authentic, for a reason of `REFUSALS`."""

    reason: str

    @property
    def detail(self) -> str:
        return REFUSALS[self.reason]

    @property
    def misconfigured(self) -> bool:
        """The webhook secret is wrong: authentic calls are refused, and a person must act."""
        return self.reason.startswith("secret_")

    @property
    def depends_on_secret(self) -> bool:
        """Whether another secret might make the call authentic: this one may have been changed."""
        return self.misconfigured or self.reason in ("signature_wrong", "token_wrong")


def verify(
    source: Source, request: WebhookRequest, secrets: Mapping[str, str], now: datetime
) -> Verified | Refused:
    """Check signature or token against every secret of the source: any may match (rotation)."""
    auth = source.auth
    keys = usable_keys(auth, secrets)
    if isinstance(keys, Refused):
        return keys
    credentials = _credentials(auth, request, now)
    if isinstance(credentials, Refused):
        return credentials
    if auth.kind == "token":
        return Verified() if _any_equal(credentials.values, keys) else Refused("token_wrong")
    expected = [hmac.digest(key, credentials.signed, auth.algorithm) for key in keys]
    if not _any_equal(credentials.values, expected):
        return Refused("signature_wrong")
    return Verified(credentials.timestamp)


def refused_by_form(source: Source, request: WebhookRequest, now: datetime) -> Refused | None:
    """Return why no secret could make the call authentic; None if one could.

    So a stranger's call says nothing about our secrets, and needs none to be read.
    """
    credentials = _credentials(source.auth, request, now)
    if isinstance(credentials, Refused):
        return credentials
    if source.auth.kind == "token":
        return None
    digest_size = hashlib.new(source.auth.algorithm).digest_size
    fits = any(len(value) == digest_size for value in credentials.values)
    return None if fits else Refused("signature_wrong")


@dataclass(frozen=True, slots=True)
class _Credentials:
    """What the call gives as its credentials: tokens or signatures, and what they sign."""

    values: list[bytes] = field(repr=False)
    signed: bytes = field(default=b"", repr=False)
    timestamp: str | None = None


def is_unset(secret: object) -> bool:
    """Whether a secret is empty, a placeholder or no text: it never matches anything."""
    return not isinstance(secret, str) or _PLACEHOLDER.fullmatch(cleaned(secret)) is not None


def cleaned(secret: str) -> str:
    """Return the secret without what pasting or piping leaves around it.

    That is spaces, line ends (escaped ones too), invisible characters, and quotes.
    """
    bare = _trimmed(secret)
    while len(bare) > 1 and bare[0] + bare[-1] in _QUOTES:
        bare = _trimmed(bare[1:-1])
    return bare


def _trimmed(text: str) -> str:
    """Without spaces, control and format characters at its ends."""
    text = _ESCAPED_END.sub("", text)
    shown = [at for at, char in enumerate(text) if unicodedata.category(char)[0] not in "CZ"]
    return text[shown[0] : shown[-1] + 1] if shown else ""


def usable_keys(auth: Auth, secrets: Mapping[str, str]) -> list[bytes] | Refused:
    """Return the keys of the secrets that are set, in the order of the source; never none.

    A secret with spaces or quotes around it counts without them, and as it is: somebody may have
    chosen it so.
    """
    named = [secrets.get(name) for name in auth.secrets]
    texts = [secret for secret in named if secret is not None and not is_unset(secret)]
    if not texts:
        return Refused("secret_not_set")
    forms = (form for text in texts for form in (cleaned(text), text))
    keys = dict.fromkeys(key for key in (_key(auth, form) for form in forms) if key)
    return list(keys) or Refused("secret_malformed")


def _key(auth: Auth, secret: str) -> bytes | None:
    if auth.secret_form == "base64":  # noqa: S105 - a form, not a secret
        bare = "".join(secret.split()).removeprefix("whsec_")  # a copy may have broken the line
        return _from_base64(_padded(bare))
    if auth.secret_form == "html":  # noqa: S105 - a form, not a secret
        secret = _ENTITY.sub(_unescaped, secret)
    return _bytes(secret)


def _padded(text: str) -> str:
    return text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)


def _unescaped(entity: re.Match[str]) -> str:
    return next(char for char, found in _ENTITIES.items() if found.fullmatch(entity[0]))


def _given(auth: Auth, request: WebhookRequest) -> str | Refused:
    look_up = request.query_values if auth.place.kind == "query" else request.header_values
    values = look_up(auth.place.name)
    if not values or not values[0]:
        return Refused("signature_missing")
    return values[0] if len(values) == 1 else Refused("signature_repeated")


def _credentials(auth: Auth, request: WebhookRequest, now: datetime) -> _Credentials | Refused:
    given = _given(auth, request)
    if isinstance(given, Refused):
        return given
    if auth.kind == "hmac":
        return _signature_credentials(auth, given, request, now)
    if not given.startswith(auth.prefix):
        return Refused("token_wrong")
    token = given.removeprefix(auth.prefix)
    return _Credentials([_bytes(token)]) if token.strip() else Refused("signature_missing")


def _signature_credentials(
    auth: Auth, given: str, request: WebhookRequest, now: datetime
) -> _Credentials | Refused:
    items = given.split(auth.separator) if auth.separator else [given]
    timestamp = _timestamp(auth.timestamp, items, request, now)
    if isinstance(timestamp, Refused):
        return timestamp
    signed = signed_text(auth, request, timestamp or "")
    if isinstance(signed, Refused):
        return signed
    signatures = _signatures(auth, items)
    if not signatures:
        return Refused("signature_malformed")
    return _Credentials(signatures, signed, timestamp)


def _timestamp(
    rule: Timestamp | None, items: list[str], request: WebhookRequest, now: datetime
) -> str | Refused | None:
    if rule is None:
        return None
    if rule.kind == "item":
        found = [item.removeprefix(rule.name) for item in items if item.startswith(rule.name)]
    else:
        found = list(request.header_values(rule.name))
    if len(found) != 1:
        return Refused("timestamp_missing")
    if not _TIMESTAMP.fullmatch(found[0]):
        return Refused("timestamp_malformed")
    seconds = int(found[0]) / (1000 if rule.unit == "ms" else 1)
    if abs(now.timestamp() - seconds) > rule.tolerance:
        return Refused("timestamp_outside_window")
    return found[0]


def signed_text(auth: Auth, request: WebhookRequest, timestamp: str) -> bytes | Refused:
    """Return the bytes that a signature covers."""
    if not request.body:
        return Refused("body_empty")
    ids = request.header_values(auth.id_header) if auth.id_header else ("",)
    if auth.id_header and (len(ids) != 1 or not ids[0]):
        return Refused("id_missing")
    fields = {
        "{body}": request.body,
        "{timestamp}": _bytes(timestamp),
        "{id}": _bytes(ids[0]),
        "{method}": _bytes(request.method),
        "{url}": _bytes(auth.url or request.url),
    }
    return b"".join(fields[piece] if piece in fields else _bytes(piece) for piece in auth.signed)


def _signatures(auth: Auth, items: list[str]) -> list[bytes]:
    decode = _base64 if auth.encoding == "base64" else _hex
    encoded = [item.removeprefix(auth.prefix) for item in items if item.startswith(auth.prefix)]
    return [decoded for decoded in map(decode, encoded) if decoded]


def _any_equal(given: list[bytes], expected: list[bytes]) -> bool:
    """Compare all pairs, so that the time does not reveal which one matched."""
    equal = [hmac.compare_digest(one, other) for one in given for other in expected]
    return any(equal)


def _base64(text: str) -> bytes | None:
    """Decode canonical base64 only: standard alphabet, padded, no spaces, no spare bits."""
    decoded = _from_base64(text)
    return decoded if decoded and base64.b64encode(decoded) == _bytes(text) else None


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(_bytes(text), validate=True)
    except binascii.Error:
        return None


def _hex(text: str) -> bytes | None:
    return bytes.fromhex(text) if _HEX.fullmatch(text) else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
