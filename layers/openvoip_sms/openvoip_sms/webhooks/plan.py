"""Plans the messages that a call causes, from its bytes to text and number.

Pure: the same call at the same moment always gives the same plan, and no input raises. `intake`
stores and queues the messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openvoip_sms.rules.message import MAX_AHEAD
from openvoip_sms.rules.rome_time import end_of, later, moment_of
from openvoip_sms.templates.expressions import is_true
from openvoip_sms.templates.plain import plain_values
from openvoip_sms.templates.text_template import MissingValue, NotText, render
from openvoip_sms.webhooks.bodies import Unreadable, read
from openvoip_sms.webhooks.expected import is_expected, why_unexpected
from openvoip_sms.webhooks.ids import WebhookEvent, event_key, message_id
from openvoip_sms.webhooks.model import ANY_TOPIC, MessageDefinition, Source
from openvoip_sms.webhooks.phone_lookup import PhoneLookup, look_up
from openvoip_sms.webhooks.ping import is_ping
from openvoip_sms.webhooks.request import WebhookRequest
from openvoip_sms.webhooks.verify import Refused, refused_by_form, verify

MAX_EVENTS = 100  # the largest batch of HubSpot

REJECTIONS = {
    "missing_value": "{field} is missing or empty, and the text has no default for it.",
    "not_text": "{field} is true, false, a list or an object, which cannot be put into a text.",
    "empty_text": "Nothing is left of the text.",
    "bad_send_at": "{field} is missing, or neither a date nor a time.",
    "send_at_too_far": "{field} is more than 365 days ahead.",
    "bad_event_time": "{field} is missing, or no date or time: its age is not known.",
}


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """An SMS to be accepted. `send_at` None: at once. `found_at` is the path of the number.

    `lookups` explain the number, and do not count in comparisons.
    """

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    sender: str | None
    category: str
    archive: bool | None
    send_at: datetime | None
    found_at: str
    lookups: tuple[PhoneLookup, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RejectedMessage:
    """An SMS that cannot be sent as it is: recorded as rejected, for a person to correct."""

    id: str
    to: str = field(repr=False)
    category: str
    reason: str
    detail: str
    lookups: tuple[PhoneLookup, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """No message: `other_topic`, `unexpected_body`, `when_false`, `too_old` or `no_mobile`.

    `is_fault`: something is set up wrong, here or at the sender.
    """

    reason: str
    detail: str
    lookups: tuple[PhoneLookup, ...] = field(default=(), compare=False)
    is_fault: bool = field(default=False, compare=False)


Outcome = PlannedMessage | RejectedMessage | NothingToSend


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One event of the call and its outcomes.

    `definitions` are the source's messages for its topic, one for each outcome; a topic without any
    has the single outcome `other_topic`.
    """

    topic: str | None
    event_key: str
    messages: tuple[Outcome, ...]
    definitions: tuple[MessageDefinition, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """An authentic call. One event, except for senders that bundle several."""

    events: tuple[PlannedEvent, ...]

    @property
    def messages(self) -> tuple[Outcome, ...]:
        return tuple(message for event in self.events for message in event.messages)


@dataclass(frozen=True, slots=True)
class Pinged:
    """A test of the address: answer 200 and do nothing."""


def plan(
    source: Source, request: WebhookRequest, secrets: Mapping[str, str], now: datetime
) -> Refused | Unreadable | Pinged | Planned:
    """Verify the call, then plan its messages. `now` must have a time zone."""
    if is_ping(source, request):
        return Pinged()
    outcome = verify(source, request, secrets, now)
    if isinstance(outcome, Refused):
        return outcome
    return plan_trusted(source, request, now, outcome.timestamp)


def plan_without_secrets(
    source: Source, request: WebhookRequest, now: datetime
) -> Refused | Pinged | None:
    """Plan what needs no secret: a ping, and the refusal of what cannot be this sender's call."""
    if is_ping(source, request):
        return Pinged()
    return refused_by_form(source, request, now)


def plan_trusted(
    source: Source, request: WebhookRequest, now: datetime, timestamp: str | None = None
) -> Unreadable | Planned:
    """Plan the messages of a call that is authenticated already."""
    data = read(source, request)
    if isinstance(data, Unreadable):
        return data
    items = _items(source, data)
    if isinstance(items, Unreadable):
        return items
    events = (WebhookEvent(source, request, item, timestamp) for item in items)
    return Planned(tuple(_planned_event(event, now) for event in events))


def _items(source: Source, data: Any) -> list[Any] | Unreadable:  # noqa: ANN401 - JSON
    if source.each is None:
        return [data]
    items = source.each.of(data)
    if isinstance(items, dict):
        return [items]
    if not isinstance(items, list):
        return Unreadable("not_events")
    return items if len(items) <= MAX_EVENTS else Unreadable("too_many_events")


def _planned_event(event: WebhookEvent, now: datetime) -> PlannedEvent:
    topic, messages = event.topic, event.source.messages
    wanted = messages.get(topic or ANY_TOPIC) or messages.get(ANY_TOPIC) or ()
    data = plain_values(event.data) if event.source.plain and wanted else event.data
    outcomes = tuple(_outcome(event, data, message, now) for message in wanted)
    if not outcomes:
        outcomes = (_no_message(event, topic),)
    elif _causes_nothing(outcomes) and not is_expected(event.source, wanted, event.data):
        why = why_unexpected(event.data)
        nothing = NothingToSend("unexpected_body", why, is_fault=True)
        outcomes = (nothing,) * len(wanted)
    return PlannedEvent(topic, event_key(event), outcomes, wanted)


def _causes_nothing(outcomes: tuple[Outcome, ...]) -> bool:
    return all(isinstance(one, NothingToSend) for one in outcomes)


def _no_message(event: WebhookEvent, topic: str | None) -> NothingToSend:
    if topic is None and event.source.topic is not None:
        why = "The call has no topic where the source looks for it."
        return NothingToSend("other_topic", why, is_fault=True)
    return NothingToSend("other_topic", "The source has no message for this topic.")


def _outcome(
    event: WebhookEvent,
    data: Any,  # noqa: ANN401 - JSON
    message: MessageDefinition,
    now: datetime,
) -> Outcome:
    """Plan a message. Only its identity comes from the event's own data, whatever `data` undoes."""
    if message.when is not None and not is_true(message.when.at(now).of(data)):
        return NothingToSend("when_false", f"This is false: {message.when.source}")
    event_time = _event_time(message, data, now)
    if event_time is not None and message.max_age and later(event_time, message.max_age) < now:
        return NothingToSend("too_old", "The event is older than max_age.")
    lookups = look_up(message.to, data)
    if not lookups[-1].mobile:
        reasons = "; ".join(f"{one.path}: {one.reason}" for one in lookups)
        return NothingToSend("no_mobile", reasons, lookups)
    to, found_at = lookups[-1].mobile, lookups[-1].path
    identity = message_id(event, message)
    text, send_at = _text(message, data, now), _send_at(message, data, now)
    for part in (_unknown_age(message, event_time), text, send_at):
        if isinstance(part, _Rejection):
            detail = REJECTIONS[part.reason].format(field=part.field)
            return RejectedMessage(identity, to, message.category, part.reason, detail, lookups)
    return PlannedMessage(
        id=identity,
        to=to,
        text=str(text),
        sender=message.sender,
        category=message.category,
        archive=message.archive,
        send_at=send_at if isinstance(send_at, datetime) else None,
        found_at=found_at,
        lookups=lookups,
    )


@dataclass(frozen=True, slots=True)
class _Rejection:
    reason: str
    field: str = ""


def _event_time(message: MessageDefinition, data: Any, now: datetime) -> datetime | None:  # noqa: ANN401 - JSON
    """The event's own time, if a message minds its age: of a date without a time, its end."""
    if message.max_age is None or message.event_time is None:
        return None
    return end_of(message.event_time.at(now).of(data))


def _unknown_age(message: MessageDefinition, event_time: datetime | None) -> _Rejection | None:
    if message.max_age is None or message.event_time is None or event_time is not None:
        return None
    return _Rejection("bad_event_time", message.event_time.source)


def _text(message: MessageDefinition, data: Any, now: datetime) -> str | _Rejection:  # noqa: ANN401 - JSON
    text = render(message.text.at(now), data)
    if isinstance(text, MissingValue):
        return _Rejection("missing_value", text.field)
    if isinstance(text, NotText):
        return _Rejection("not_text", text.field)
    return text or _Rejection("empty_text")


def _send_at(message: MessageDefinition, data: Any, now: datetime) -> datetime | _Rejection | None:  # noqa: ANN401
    """The moment to wait for; None if it is now or in the past."""
    if message.delay is not None:
        return _ahead(later(now, message.delay), now)
    if message.send_at is None:
        return None
    moment = moment_of(message.send_at.at(now).of(data))
    if moment is None:
        return _Rejection("bad_send_at", message.send_at.source)
    if moment - now > MAX_AHEAD:
        return _Rejection("send_at_too_far", message.send_at.source)
    return _ahead(moment, now)


def _ahead(moment: datetime, now: datetime) -> datetime | None:
    return moment if moment > now else None
