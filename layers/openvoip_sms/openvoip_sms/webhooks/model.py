"""The model of a valid source. `config/sources.py` makes it from YAML.

| key of a source | type here |
| --- | --- |
| auth, secrets, header, prefix, separator, encoding, algorithm, signed, secret_form, url | `Auth` |
| timestamp, timestamp_unit, tolerance | `Timestamp`, inside `Auth` |
| id, id_weak, topic, ping, parse, inner, each, plain | `Source` |
| allow_same_text, hourly_limit, range_hourly_limit | `Source` |
| name, to, text, sender, category, archive, when, once, delay, send_at | `MessageDefinition` |
| max_age, event_time | `MessageDefinition` |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from openvoip_sms.rules.rome_time import Duration
from openvoip_sms.templates.expressions import Expression
from openvoip_sms.templates.text_template import Template

ANY_TOPIC = "default"  # the message for topics without one of their own


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
    """Where the signed time is: in a header, or in an item (`t=`) of the signature header."""

    kind: Literal["header", "item"]
    name: str
    unit: Literal["s", "ms"] = "s"
    tolerance: int = 300  # seconds, both ways


@dataclass(frozen=True, slots=True)
class Auth:
    """How a call is authenticated. `signed` alternates literals and `{fields}`."""

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

    @property
    def signs(self) -> bool:
        """Whether the sender proves what it says; a token proves only that somebody knows it."""
        return self.kind == "hmac"


@dataclass(frozen=True, slots=True)
class MessageDefinition:
    """One SMS that an event causes.

    `name` tells it from the others of its topic, and is part of its id: neither its position nor
    its text is. One message of a topic may have none.
    """

    to: tuple[Expression, ...]
    text: Template
    name: str = ""
    sender: str | None = None
    category: Literal["transactional", "marketing"] = "transactional"
    archive: bool | None = None
    when: Expression | None = None
    once: Expression | None = None
    delay: Duration | None = None
    send_at: Expression | None = None
    max_age: Duration | None = None
    event_time: Expression | None = None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that are evaluated over a body."""
        own = (self.when, self.once, self.send_at, self.event_time)
        return (*self.to, *self.text.expressions, *(one for one in own if one is not None))


@dataclass(frozen=True, slots=True)
class Source:
    """Who may call `/webhooks/{name}`, how the call is read, and which SMS it causes.

    `id` is a list of parts, each a list of places of which the first with a value counts; without
    any, the hash of the content is the id. `allow_same_text` allows one text to one number from two
    events within minutes. The limits (messages within an hour, 0 for none) are for the whole
    source, and for numbers that differ in the last four digits only. A source that cannot sign has
    some unless it says otherwise.
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
    plain: bool = False  # WordPress: values may have backslashes and HTML entities
    allow_same_text: bool = False
    hourly_limit: int = 0
    range_hourly_limit: int = 0


Sources = Mapping[str, Source]
