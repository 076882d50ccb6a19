"""One record of a batch from SQS, whatever its shape."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from openvoip_sms.delivery.ports import MAX_MESSAGE_BYTES, QUEUED_AT
from openvoip_sms.rules.message import ID_PATTERN
from openvoip_sms.rules.rfc3339 import from_rfc3339

_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """`receives` is 1 where SQS does not say. `fault`: no queue message, and why.

    `queued_at`: as SQS says; of a dead letter that was redriven, when it was queued first.
    """

    sqs_id: str
    body: str = field(repr=False)
    receipt_handle: str = ""
    receives: int = 1
    queued_at: datetime | None = None
    fault: str = ""


def received_message(record: object) -> ReceivedMessage:
    """Read a record; one without an id or a body is kept whole as its body. Never raises."""
    if not isinstance(record, dict):
        return ReceivedMessage("", _as_text(record), fault="malformed_record")
    sqs_id, body = _text(record.get("messageId")), _text(record.get("body"))
    attributes = record.get("attributes")
    return ReceivedMessage(
        sqs_id=sqs_id,
        body=body or _as_text(record),
        receipt_handle=_text(record.get("receiptHandle")),
        receives=max(1, _number(attributes, "ApproximateReceiveCount")),
        queued_at=_queued_at(attributes, record.get("messageAttributes")),
        fault="" if body and ID_PATTERN.fullmatch(sqs_id) else "malformed_record",
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(attributes: object, name: str) -> int:
    given = _text(attributes.get(name)) if isinstance(attributes, dict) else ""
    return int(given) if _NUMBER.fullmatch(given) else 0


def _queued_at(attributes: object, own_attributes: object) -> datetime | None:
    """The oldest known moment."""
    moments = [_moment(_number(attributes, "SentTimestamp")), _first_queued_at(own_attributes)]
    return min((one for one in moments if one is not None), default=None)


def _first_queued_at(own_attributes: object) -> datetime | None:
    own = own_attributes.get(QUEUED_AT) if isinstance(own_attributes, dict) else None
    try:
        return from_rfc3339(_text(own.get("stringValue"))) if isinstance(own, dict) else None
    except (ValueError, OverflowError):
        return None


def _moment(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _as_text(record: object) -> str:
    try:
        return json.dumps(record, default=str)[:MAX_MESSAGE_BYTES]  # or no queue would take it
    except (TypeError, ValueError, RecursionError):
        return "(not JSON)"
