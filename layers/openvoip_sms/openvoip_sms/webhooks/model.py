"""What a source may say, once it is read and checked. `sources.py` makes these from YAML.

| key of a source | type here |
| --- | --- |
| auth, secrets, header, prefix, separator, encoding, algorithm, signed, secret_form, url | `Auth` |
| timestamp, timestamp_unit, tolerance | `Timestamp`, inside `Auth` |
| id, id_weak, topic, ping, parse, inner, each | `Source` |
| allow_same_text, hourly_limit, range_hourly_limit | `Source` |
| to, text, sender, category, archive, when, once, delay, send_at | `MessageDefinition` |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from openvoip_sms.rules.rome_time import Duration
from openvoip_sms.templates.expressions import Expression
from openvoip_sms.templates.text_template import Template

ANY_TOPIC = "default"  # the message for a topic that has none of its own


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in a call.

    `header:NAME`, `query:NAME`, `body:PATH` (an expression), `form:FIELD` (a field of the body by
    its plain name), `timestamp` (the signed one), or a `constant`.
    """

    kind: Literal["header", "query", "body", "form", "timestamp", "constant"]
    name: str = ""
    path: Expression | None = None


@dataclass(frozen=True, slots=True)
class Timestamp:
    """The signed time: a header's value, or an item (`t=`) of the signature header."""

    kind: Literal["header", "item"]
    name: str
    unit: Literal["s", "ms"] = "s"
    tolerance: int = 300  # seconds, both ways


@dataclass(frozen=True, slots=True)
class Auth:
    """How a call proves who sent it. `signed` alternates literals and `{fields}`."""

    kind: Literal["hmac", "token"]
    secrets: tuple[str, ...]
    place: Place
    prefix: str = ""
    separator: str = ""
    encoding: Literal["base64", "hex"] = "base64"
    algorithm: Literal["sha256", "sha512"] = "sha256"
    signed: tuple[str, ...] = ("{body}",)
    secret_form: Literal["text", "base64", "html"] = "text"  # noqa: S105 - a form, not a secret
    timestamp: Timestamp | None = None
    id_header: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """One SMS that an event causes."""

    to: tuple[Expression, ...]
    text: Template
    sender: str | None = None
    category: Literal["transactional", "marketing"] = "transactional"
    archive: bool | None = None
    when: Expression | None = None
    once: Expression | None = None
    delay: Duration | None = None
    send_at: Expression | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Who may call `/webhooks/{name}`, how the call is read, and which SMS it causes.

    `id` is a list of parts, each a list of places of which the first that is filled counts; none
    at all means the hash of the body. `allow_same_text` turns off the suppression of one text to
    one number from two events within minutes. The limits (messages within an hour, 0 for none)
    are for the source as a whole, and for numbers that differ in the last four digits only.
    """

    name: str
    auth: Auth
    messages: Mapping[str, tuple[MessageDefinition, ...]]
    id: tuple[tuple[Place, ...], ...] = ()
    id_weak: bool = False
    topic: Place | None = None
    ping: Literal["woocommerce"] | None = None
    parse: Literal["json", "form", "multipart"] | None = None
    inner: str | None = None
    each: Expression | None = None
    allow_same_text: bool = False
    hourly_limit: int = 500
    range_hourly_limit: int = 20


Sources = Mapping[str, Source]
