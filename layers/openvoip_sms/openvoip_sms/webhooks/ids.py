"""Message ids of webhooks: the same for every delivery of an event, and readable by a person.

`shopify:orders-fulfilled:b54557e4:3f0c...`: source, topic, the sender's event id (as far as it may
be shown), and 80 bits of a hash over everything that identifies the event. Of several messages for
one event, the name follows.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openvoip_sms.rules.personal import gives_a_person_away
from openvoip_sms.templates.expressions import is_true
from openvoip_sms.webhooks.model import MessageDefinition, Place, Source
from openvoip_sms.webhooks.request import WebhookRequest

_DIGEST_DIGITS = 20
_MAX_PART = 30  # 40 of the source, twice 30, the digest: below 128
_MAX_ID = 128
# An event id may contain a name, an address, a phone number or a tax code, and ids are shown.
_SHOWABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event: a call, or one item of a call that bundles several."""

    source: Source
    request: WebhookRequest
    data: Any = field(repr=False)
    timestamp: str | None = None

    @property
    def topic(self) -> str | None:
        return None if self.source.topic is None else self.value_at(self.source.topic)

    def value_at(self, place: Place) -> str | None:
        """The value as text; None if there is none."""
        found = self._found_at(place)
        if not is_true(found):
            return None
        return found if isinstance(found, str) else _canonical(found)

    def _found_at(self, place: Place) -> Any:  # noqa: ANN401 - JSON
        if place.kind == "header":
            return self.request.header(place.name)
        if place.path is not None:
            return place.path.of(self.data)
        if place.kind == "form":
            return self.data.get(place.name) if isinstance(self.data, dict) else None
        return self.timestamp if place.kind == "timestamp" else place.name


def event_key(event: WebhookEvent) -> str:
    """Source, topic and id; the content too where the id is weak or missing."""
    parts = [_first_filled(event, part) for part in event.source.id]
    is_weak = event.source.id_weak or not any(parts)
    content = [_canonical(event.data)] if is_weak else []
    return _message_key(event, ["id", parts, *content], shown=parts)


def message_id(event: WebhookEvent, message: MessageDefinition) -> str:
    """The event's key; with `once`, its value counts instead of the event's id.

    Neither the position of the message nor its text is part of it: to insert one, to move one or
    to correct a text sends nothing again.
    """
    key = _key_of_message(event, message)
    if not message.name:
        return key
    room = _MAX_ID - len(message.name) - 1
    if len(key) > room:  # the readable parts give way
        key = f"{key[: room - _DIGEST_DIGITS - 1]}:{key[-_DIGEST_DIGITS:]}"
    return f"{key}:{message.name}"


def _key_of_message(event: WebhookEvent, message: MessageDefinition) -> str:
    value = message.once.of(event.data) if message.once else None
    values = value if isinstance(value, list) else [value]
    if not any(map(is_true, values)):
        return event_key(event)
    shown = [item if isinstance(item, str) else _canonical(item) for item in values if item]
    return _message_key(event, ["once", _canonical(value)], shown=shown)


def _first_filled(event: WebhookEvent, places: tuple[Place, ...]) -> str | None:
    return next(filter(None, map(event.value_at, places)), None)


def _message_key(event: WebhookEvent, identity: list[Any], shown: Sequence[str | None]) -> str:
    topic = event.topic
    whole = _canonical([event.source.name, topic, *identity])
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_DIGEST_DIGITS]
    readable = _harmless("-".join(filter(None, map(_showable, filter(None, shown)))))
    # The end of an id is more specific than its beginning.
    tail = _harmless(readable[-_MAX_PART:].strip("-._"))
    parts = (event.source.name, _slug(topic or ""), tail, digest)
    return ":".join(part for part in parts if part)


def _slug(text: str) -> str:
    if gives_a_person_away(text):
        return ""
    return _harmless(re.sub(r"[^A-Za-z0-9._]+", "-", text)[:_MAX_PART].strip("-"))


def _showable(part: str) -> str:
    return _harmless(part) if _SHOWABLE.fullmatch(part) else ""


def _harmless(text: str) -> str:
    return "" if gives_a_person_away(text) else text


def _canonical(value: Any) -> str:  # noqa: ANN401 - JSON
    """Canonical JSON: sorted keys, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
