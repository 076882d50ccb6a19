"""Evaluates a call with the service's own code, which makes every decision."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from local.preview.preview_model import Preview, PreviewedEvent, PreviewedMessage
from local.preview.sample_call import SampleCall
from local.preview.signing import around_secret, headers_to_sign, hint
from local.preview.text_cost import cheaper_text, cost_on_record, text_cost
from openvoip_sms.intake.from_webhook import planned_record
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record, Status
from openvoip_sms.rules.rome import ROME
from openvoip_sms.rules.smart_encoding import smart
from openvoip_sms.webhooks.bodies import Unreadable
from openvoip_sms.webhooks.model import Source
from openvoip_sms.webhooks.plan import (
    NothingToSend,
    Outcome,
    Pinged,
    Planned,
    PlannedEvent,
    PlannedMessage,
    RejectedMessage,
    plan,
    plan_trusted,
)
from openvoip_sms.webhooks.verify import Refused

# The template's defaults for price and length; any sender, as each stack allows its own.
POLICY = Policy(default_sender="Sender", allowed_senders=frozenset("*"))


def preview_call(
    source: Source,
    call: SampleCall,
    secrets: Mapping[str, str],
    now: datetime,
    policy: Policy = POLICY,
) -> Preview:
    """Return what a call would cause, even if it is not authentic. Nothing is sent."""
    planned = plan(source, call.request, secrets, now)
    if isinstance(planned, Pinged):
        return Preview(source.name, None, "An unsigned test of the address: it is answered 200.")
    authentic, why = _authenticity(source, call, secrets, planned)
    needed = () if authentic else headers_to_sign(source, call.request, secrets, now)
    if isinstance(planned, Refused):
        planned = plan_trusted(source, call.request, now)
    if isinstance(planned, Unreadable):
        return Preview(source.name, authentic, why, needed, no_event=planned.detail)
    events = tuple(_event(source, event, policy, now) for event in planned.events)
    no_event = "" if events else "The body is readable, but there is no event in it."
    return Preview(source.name, authentic, why, needed, no_event, events)


def _authenticity(
    source: Source,
    call: SampleCall,
    secrets: Mapping[str, str],
    planned: Refused | Unreadable | Planned,
) -> tuple[bool | None, str]:
    if not call.is_verifiable:
        return None, "No headers given."
    if isinstance(planned, Refused):
        more = hint(source, call.request, secrets, planned)
        return False, f"{planned.detail} {more}".strip()
    around = around_secret(source, secrets)
    if source.auth.kind == "token":
        return True, f"The token is the secret. {around}".strip()
    return True, f"The signature fits body and secret. {around}".strip()


def _event(source: Source, event: PlannedEvent, policy: Policy, now: datetime) -> PreviewedEvent:
    first = event.messages[0]
    if isinstance(first, NothingToSend) and not event.definitions:
        messages: tuple[PreviewedMessage, ...] = (_other_topic(source, event.topic, first),)
    else:
        messages = tuple(_message(source, outcome, policy, now) for outcome in event.messages)
    return PreviewedEvent(event.topic, event.event_key, messages)


def _other_topic(source: Source, topic: str | None, nothing: NothingToSend) -> PreviewedMessage:
    place = source.topic
    where = f" ({place.kind}:{place.name})" if place else ""
    missing = () if topic else (f"The call names no topic{where}.",)
    known = f"The source has messages for: {', '.join(source.messages)}."
    return PreviewedMessage("nothing", nothing.reason, (*missing, known), ())


def _message(source: Source, outcome: Outcome, policy: Policy, now: datetime) -> PreviewedMessage:
    match outcome:
        case NothingToSend(reason="no_mobile"):
            because = "None of the paths in `to` leads to an Italian mobile."
            return PreviewedMessage("nothing", outcome.reason, (because,), outcome.lookups)
        case NothingToSend():
            return PreviewedMessage("nothing", outcome.reason, (outcome.detail,), ())
    return _recorded(outcome, planned_record(outcome, source, policy, now), policy)


def _recorded(
    outcome: PlannedMessage | RejectedMessage, record: Record, policy: Policy
) -> PreviewedMessage:
    """Show the record that the service would make."""
    is_rejected = record.status is Status.REJECTED
    message = PreviewedMessage(
        "reject" if is_rejected else "send",
        record.reason or "",
        (record.detail or "",) if is_rejected else (),
        outcome.lookups,
        id=record.id,
        to=record.to,
        found_at=outcome.lookups[-1].path,
        category=record.category,
    )
    if isinstance(outcome, RejectedMessage):
        return message
    return _with_text(message, outcome, record, policy.segment_price_eur)


def _with_text(
    message: PreviewedMessage, planned: PlannedMessage, record: Record, price: Decimal
) -> PreviewedMessage:
    """Add text and cost; a rejected record has no cost, so it is calculated here."""
    final = cost_on_record(record) or text_cost(smart(planned.text).text, price)
    proposal = cheaper_text(final.text)
    return replace(
        message,
        sender=planned.sender or "",
        send_at=planned.send_at and planned.send_at.astimezone(ROME),
        raw=text_cost(planned.text, price),
        final=final,
        cheaper=text_cost(proposal, price) if proposal else None,
    )
