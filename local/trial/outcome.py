"""The same engine as the service's, asked what it would do and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.trial.call import Call
from local.trial.facts import Trial, TriedEvent, TriedMessage
from local.trial.looked import Looked, looked
from local.trial.proof import hint, needed_headers
from local.trial.writing import cheaper, writing
from openvoip_sms.rules.message import InvalidMessage, parse_message
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.rfc3339 import to_rfc3339
from openvoip_sms.rules.rome_time import ROME
from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.webhooks.bodies import Unreadable, read
from openvoip_sms.webhooks.model import ANY_TOPIC, Message, Source
from openvoip_sms.webhooks.ping import is_ping
from openvoip_sms.webhooks.plan import (
    NothingToSend,
    Outcome,
    PlannedEvent,
    PlannedMessage,
    RejectedMessage,
    plan_trusted,
)
from openvoip_sms.webhooks.verify import Refused, Verified, verify

# The template's defaults for prices and lengths; which senders a stack allows is its own affair.
POLICY = Policy(default_sender="Sender", allowed_senders=frozenset("*"))


def try_source(
    source: Source, call: Call, secrets: Mapping[str, str], now: datetime, policy: Policy = POLICY
) -> Trial:
    """Check a call and say what it would cause, also if it is not authentic. Nothing is sent."""
    if is_ping(source, call.request):
        return Trial(source.name, None, "A test of the address, unsigned: it is answered 200.")
    verdict = verify(source, call.request, secrets, now) if call.has_headers else None
    authentic, why = _in_words(source, call, secrets, verdict)
    needed = () if authentic else needed_headers(source, call.request, secrets, now)
    timestamp = verdict.timestamp if isinstance(verdict, Verified) else None
    planned = plan_trusted(source, call.request, now, timestamp)
    if isinstance(planned, Unreadable):
        return Trial(source.name, authentic, why, needed, no_event=planned.detail)
    events = zip(planned.events, _items(source, call), strict=True)
    tried = tuple(_event(source, event, data, policy, now) for event, data in events)
    no_event = "" if tried else "The body is readable, and there is no event in it."
    return Trial(source.name, authentic, why, needed, no_event, tried)


def _in_words(
    source: Source, call: Call, secrets: Mapping[str, str], verdict: Verified | Refused | None
) -> tuple[bool | None, str]:
    if verdict is None:
        return None, "No headers given."
    if isinstance(verdict, Refused):
        more = hint(source, call.request, secrets, verdict)
        return False, f"{verdict.detail} {more}".strip()
    if source.auth.kind == "token":
        return True, "The token is the secret."
    return True, "The signature fits body and secret."


def _items(source: Source, call: Call) -> list[Any]:
    """The data of each event, as the plan took them."""
    data = read(source, call.request)
    items = source.each.of(data) if source.each else data
    return items if source.each and isinstance(items, list) else [items]


def _event(
    source: Source,
    event: PlannedEvent,
    data: Any,  # noqa: ANN401 - JSON
    policy: Policy,
    now: datetime,
) -> TriedEvent:
    by_topic = source.messages
    messages = by_topic.get(event.topic or ANY_TOPIC) or by_topic.get(ANY_TOPIC) or ()
    if messages:
        pairs = zip(event.messages, messages, strict=True)
        tried = tuple(_message(outcome, one, data, policy, now) for outcome, one in pairs)
    else:
        tried = (_no_message(source, event),)
    return TriedEvent(event.topic, event.event_key, tried)


def _no_message(source: Source, event: PlannedEvent) -> TriedMessage:
    place = source.topic
    where = f" ({place.kind}:{place.name})" if place else ""
    missing = () if event.topic else (f"The call names no topic{where}.",)
    known = f"The source has messages for: {', '.join(source.messages)}."
    return TriedMessage("nothing", "other_topic", (*missing, known), ())


def _message(
    outcome: Outcome,
    message: Message,
    data: Any,  # noqa: ANN401 - JSON
    policy: Policy,
    now: datetime,
) -> TriedMessage:
    places = tuple(looked(message.to, data))
    match outcome:
        case PlannedMessage():
            return _planned(outcome, places, policy, now)
        case RejectedMessage():
            return TriedMessage(
                "reject",
                outcome.reason,
                (outcome.detail,),
                places,
                id=outcome.id,
                to=outcome.to,
                found_at=places[-1].path,
                category=outcome.category,
            )
        case NothingToSend(reason="no_mobile"):
            fault = "None of the paths in `to` leads to an Italian mobile."
            return TriedMessage("nothing", outcome.reason, (fault,), places)
    return TriedMessage("nothing", outcome.reason, (outcome.detail,), ())


def _planned(
    planned: PlannedMessage, places: tuple[Looked, ...], policy: Policy, now: datetime
) -> TriedMessage:
    faults = _faults(planned, policy, now)
    price, final = policy.segment_price_eur, smart(planned.text).text
    proposal = cheaper(final)
    return TriedMessage(
        "reject" if faults else "send",
        faults[0][0] if faults else "",
        tuple(sentence for _, sentence in faults),
        places,
        id=planned.id,
        to=planned.to,
        found_at=planned.found_at,
        sender=planned.sender or "",
        category=planned.category,
        send_at=planned.send_at and planned.send_at.astimezone(ROME),
        written=writing(planned.text, price),
        final=writing(final, price),
        cheaper=writing(proposal, price) if proposal else None,
    )


def _faults(planned: PlannedMessage, policy: Policy, now: datetime) -> list[tuple[str, str]]:
    """What the rules for every message have against it: word and sentence."""
    given = {"to": planned.to, "text": planned.text, "category": planned.category}
    if planned.sender:
        given["sender"] = planned.sender
    if planned.send_at:
        given["send_at"] = to_rfc3339(planned.send_at)
    try:
        parse_message(given, policy, now)
    except InvalidMessage as invalid:
        return [(violation.reason, violation.detail) for violation in invalid.violations]
    return []
