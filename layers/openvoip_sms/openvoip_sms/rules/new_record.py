"""New records: of a message that may be sent, and of one that cannot."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from openvoip_sms.rules.message import (
    CATEGORIES,
    InvalidMessage,
    Message,
    fingerprint,
    without_nulls,
)
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import Record, Status

TEXT_KEPT, NUMBER_KEPT = 2000, 40  # characters stored of a rejected message


def record_of(
    message: Message,
    *,
    id: str,  # noqa: A002 - the record's name for it
    source: str,
    policy: Policy,
    now: datetime,
    asked_at: datetime | None = None,
) -> Record:
    """Return a new record, queued or scheduled; whether it may be sent is decided elsewhere.

    Its validity counts from `asked_at` (None: now), or from a later `send_at`.
    """
    asked_at = min(now, asked_at or now)
    start = max(asked_at, message.send_at or asked_at)
    valid_for = message.valid_for or policy.validity.total_seconds()
    return Record(
        id=id,
        status=Status.SCHEDULED if start > now else Status.QUEUED,
        to=message.to,
        sender=message.sender,
        text=message.text,
        encoding=message.encoding,
        segments=message.segments,
        replaced=message.replaced,
        cost_eur=message.cost_eur,
        category=message.category,
        archive=message.archive,
        source=source,
        reference=message.reference,
        fingerprint=message.fingerprint,
        created_at=now,
        updated_at=now,
        send_at=message.send_at,
        valid_for=valid_for,
        expires_at=start + timedelta(seconds=valid_for),
    )


def rejected_record(
    given: Mapping[str, Any],
    invalid: InvalidMessage,
    *,
    default_id: str,
    source: str,
    policy: Policy,
    now: datetime,
) -> Record:
    """Return the record of a message that is well-formed but cannot be sent, for good."""
    given, worst = without_nulls(given), invalid.violations[0]
    return Record(
        id=given.get("id", default_id),
        status=Status.REJECTED,
        to=_shown(given.get("to")),
        text=_storable(given.get("text")) if policy.store_text else None,
        category=given.get("category", CATEGORIES[0]),
        source=source,
        reference=given.get("reference"),
        fingerprint=fingerprint(given),
        reason=worst.reason,
        detail=worst.detail,
        created_at=now,
        updated_at=now,
        expires_at=now,
    )


def _storable(text: object) -> str | None:
    """The part of a text that the table can store: cut, without unpaired surrogates."""
    if not isinstance(text, str):
        return None
    return text[:TEXT_KEPT].encode("utf-8", "replace").decode()


def _shown(to: object) -> str:
    """A number as given, in a form that the table can store; index keys must not be empty."""
    raw = str(to)[:NUMBER_KEPT].encode("ascii", "replace").decode().strip()
    return raw or "(empty)"
