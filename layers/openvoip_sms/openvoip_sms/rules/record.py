"""The record of a message, its public form, and each status and reason in plain words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from openvoip_sms.rules.rfc3339 import to_rfc3339


class Status(StrEnum):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


WAITING = frozenset({Status.SCHEDULED, Status.QUEUED})
OPEN = WAITING | {Status.SENDING}
FINAL = frozenset(Status) - OPEN - {Status.UNKNOWN}

STATUS_IN_WORDS = {
    Status.SCHEDULED: "Waits for its time.",
    Status.QUEUED: "Waits to be sent, which happens automatically.",
    Status.SENDING: "Is being sent to the gateway right now.",
    Status.SENT: "The gateway accepted the message.",
    Status.REJECTED: "The message was refused for good and was not sent.",
    Status.FAILED: "The gateway refused the message several times; it was not sent.",
    Status.EXPIRED: "The message was not sent in time and will not be sent any more.",
    Status.SUPPRESSED: "The message was held back on purpose and was not sent.",
    Status.CANCELLED: "The message was cancelled before it was sent.",
    Status.UNKNOWN: (
        "It is not known whether the gateway accepted the message: a person must decide."
    ),
}


class Reason(StrEnum):
    """Why a message is not (yet) sent."""

    BAD_DESTINATION = "bad_destination"
    GATEWAY_ERROR = "gateway_error"
    BAD_CREDENTIALS = "bad_credentials"
    SECRET_NOT_SET = "secret_not_set"  # noqa: S105 - a reason, not a secret
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105 - a reason, not a secret
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    GATEWAY_BUSY = "gateway_busy"
    GATEWAY_MISCONFIGURED = "gateway_misconfigured"
    SEND_AT = "send_at"
    PAUSED = "paused"
    GATEWAY_DOWN = "gateway_down"
    DAILY_LIMIT = "daily_limit"
    TABLE_UNAVAILABLE = "table_unavailable"
    OUT_OF_TIME = "out_of_time"
    NO_CLEAR_ANSWER = "no_clear_answer"
    LEASE_EXPIRED = "lease_expired"
    INTERRUPTED = "interrupted"
    REQUEUED = "requeued"
    TOO_LATE = "too_late"
    TEST_MODE = "test_mode"
    SAME_TEXT = "same_text"
    RECIPIENT_LIMIT = "recipient_limit"
    RANGE_LIMIT = "range_limit"
    SOURCE_LIMIT = "source_limit"
    SOURCE_PAUSED = "source_paused"
    CANCELLED_BY_REQUEST = "cancelled_by_request"
    RESENT_BY_PERSON = "resent_by_person"
    CONFIRMED_BY_PERSON = "confirmed_by_person"


# What waits for one of these is in no queue: the reconciler hands it over when that has ended.
HELD_BY = (Reason.PAUSED, Reason.GATEWAY_DOWN, Reason.DAILY_LIMIT)

REASON_IN_WORDS = {
    Reason.BAD_DESTINATION: "The gateway refused the number.",
    Reason.GATEWAY_ERROR: "The gateway answered with its generic error.",
    Reason.BAD_CREDENTIALS: (
        "The gateway refused the account: check id_call_gr and secret in the gateway secret."
    ),
    Reason.SECRET_NOT_SET: (
        "The gateway secret still holds its placeholder: put the account's id_call_gr and secret"
        " into it."
    ),
    Reason.SECRET_UNAVAILABLE: "The gateway secret could not be read from Secrets Manager.",
    Reason.GATEWAY_UNREACHABLE: "No connection to the gateway could be established.",
    Reason.GATEWAY_BUSY: "The gateway asks to try again later.",
    Reason.GATEWAY_MISCONFIGURED: (
        "The gateway's address answered with a redirect or a client error: check GatewayUrl."
    ),
    Reason.SEND_AT: "Waits for its send_at.",
    Reason.PAUSED: "A person has paused all sending; it goes when sending is resumed.",
    Reason.GATEWAY_DOWN: (
        "The gateway's answers have become unclear: nothing is sent until it answers clearly again."
    ),
    Reason.DAILY_LIMIT: (
        "The day's limit of segments is used up; it goes after midnight in Rome, or when"
        " DailySegmentLimit is raised."
    ),
    Reason.TABLE_UNAVAILABLE: "The table did not answer before the call; it will be tried again.",
    Reason.OUT_OF_TIME: "Too little time was left for a call; it will be tried again.",
    Reason.NO_CLEAR_ANSWER: (
        "The gateway was called but gave no clear answer. Look into the openvoip panel's"
        " archive, then confirm or resend. If it arrived and gateway.reply says so in words, put"
        " that reply into AcceptedReplies."
    ),
    Reason.LEASE_EXPIRED: (
        "The service was interrupted before it recorded the outcome. Look into the openvoip panel's"
        " archive, then confirm or resend."
    ),
    Reason.INTERRUPTED: (
        "The service was interrupted several times before it could send the message."
    ),
    Reason.REQUEUED: "It was waiting for too long, and was queued again.",
    Reason.TOO_LATE: "Its validity ended before the gateway accepted it.",
    Reason.TEST_MODE: "Mode is test and the number is not in TestRecipients.",
    Reason.SAME_TEXT: "The same text went to the same number within the last ten minutes.",
    Reason.RECIPIENT_LIMIT: "The number has reached its limit of messages within an hour.",
    Reason.RANGE_LIMIT: (
        "Neighbouring numbers have reached their limit of messages from this source within an"
        " hour; the source pauses."
    ),
    Reason.SOURCE_LIMIT: (
        "The source has reached its limit of messages within an hour, and pauses."
    ),
    Reason.SOURCE_PAUSED: "The source pauses because a limit was exceeded.",
    Reason.CANCELLED_BY_REQUEST: "Cancelled on request.",
    Reason.RESENT_BY_PERSON: "A person decided to send it again.",
    Reason.CONFIRMED_BY_PERSON: "A person confirmed that it arrived.",
}

_MOBILE = re.compile(r"\+39[0-9]{9,10}")


@dataclass(frozen=True, slots=True)
class Record:
    """One message and its state.

    `version` grows with every change: a change is stored only if the version it was made from is
    still current. `claim` names the worker that may call the gateway until its lease ends at
    `claimed_until`. After `check_at` the reconciler handles a record that is still open.
    `other_attributes` are those that a later version has stored: every write keeps them.
    """

    id: str
    status: Status
    to: str
    source: str
    category: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    fingerprint: str
    sender: str | None = None
    text: str | None = None
    encoding: str | None = None
    segments: int | None = None
    replaced: tuple[dict[str, Any], ...] = ()
    cost_eur: Decimal | None = None
    archive: bool | None = None
    reference: str | None = None
    attempts: int = 0
    gateway_code: str | None = None
    gateway_reply: str | None = None
    reason: str | None = None
    detail: str | None = None
    sent_at: datetime | None = None
    send_at: datetime | None = None
    held_until: datetime | None = None
    valid_for: float | None = None  # seconds
    claim: str | None = None
    claimed_until: datetime | None = None
    refusals: int = 0  # generic errors and, with `resend`, unclear outcomes
    maybe_sent: bool = False  # an earlier call may have been accepted, and it was tried again
    check_at: datetime | None = None
    decided_by: str | None = None  # who took the last decision of a person
    resolution: str | None = None  # the id under which it was taken for many records at once
    version: int = 1
    other_attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def held_by(self) -> Reason | None:
        """What it waits for outside the queue."""
        if self.status is not Status.QUEUED:
            return None
        return next((reason for reason in HELD_BY if reason == self.reason), None)

    @property
    def unsendable(self) -> str:
        """The first field that the gateway needs and that is missing or damaged; else empty."""
        usable = {
            "to": _MOBILE.fullmatch(self.to),
            "text": self.text,
            "sender": self.sender,
            "archive": self.archive is not None,
        }
        return next((name for name, is_usable in usable.items() if not is_usable), "")

    def becomes(self, status: Status, now: datetime, **changes: Any) -> "Record":  # noqa: ANN401
        """Return the next version of this record in `status`."""
        return replace(self, status=status, updated_at=now, version=self.version + 1, **changes)


PUBLIC = (
    "id status to sender text encoding segments replaced cost_eur category archive source reference"
    " attempts reason detail decided_by resolution created_at updated_at sent_at send_at held_until"
    " expires_at"
).split()
REPLACED = ("character", "by", "count")


def public(record: Record) -> dict[str, Any]:
    """Return the record as the API shows it: absent rather than null."""
    shown = {name: _plain(getattr(record, name)) for name in PUBLIC}
    if record.gateway_code is not None or record.gateway_reply is not None:
        shown["gateway"] = {"code": record.gateway_code or "", "reply": record.gateway_reply or ""}
    return {name: value for name, value in shown.items() if value not in (None, [])}


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field's value
    match value:
        case datetime():
            return to_rfc3339(value)
        case Decimal():
            return float(value)
        case tuple():  # what was replaced; a later version may store more about it
            return [{name: one[name] for name in REPLACED} for one in value]
        case _:
            return value
