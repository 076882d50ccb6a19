"""Every change a record can go through, as pure functions: the state machine of the promise.

Nothing here calls anything. A caller asks for the next version of a record and stores it on
condition that the version it started from is still current.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import FINAL, REASON_IN_WORDS, WAITING, Reason, Record, Status

LEASE = timedelta(seconds=90)  # longer than any function's time-out that may call the gateway
MAX_REFUSALS = 3  # calls that end in a generic error or, with `resend`, in doubt
MIN_DELAY, MAX_DELAY = 1.0, 900.0  # seconds
MAX_RETRY_AFTER = 6 * 3600.0  # seconds; SQS hides a message for 12 hours at the most
GRACE = timedelta(minutes=15)  # what the queue may take before the reconciler looks

_SAYS_NOT_SENT = FINAL - {Status.SENT}
RESENDABLE = frozenset({Status.UNKNOWN, Status.FAILED, Status.EXPIRED})

_NOT_SENT = {
    CallOutcome.GENERIC_ERROR: Reason.GATEWAY_ERROR,
    CallOutcome.BAD_CREDENTIALS: Reason.BAD_CREDENTIALS,
    CallOutcome.UNREACHABLE: Reason.GATEWAY_UNREACHABLE,
    CallOutcome.BUSY: Reason.GATEWAY_BUSY,
    CallOutcome.MISCONFIGURED: Reason.GATEWAY_MISCONFIGURED,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A record's next version; `retry_in` seconds until it should be tried again, if at all."""

    record: Record
    retry_in: float | None = None


def waiting_until(record: Record, due: datetime) -> Record:
    """Return a new record as it is stored when it waits: with a time to look after it."""
    return replace(record, check_at=due + GRACE)


def claimed(record: Record, claim: str, now: datetime) -> Record:
    """Return the record as one worker's own: nobody else may call the gateway for it."""
    return record.becomes(
        Status.SENDING,
        now,
        claim=claim,
        claimed_until=now + LEASE,
        check_at=now + LEASE,
        attempts=record.attempts + 1,
        reason=None,
        detail=None,
    )


def answered(
    record: Record, reply: CallResult, now: datetime, policy: Policy, jitter: float
) -> Transition:
    """Return what the gateway's reply makes of a claimed record (docs/delivery.md has the table).

    `jitter` from 0 to 1 is the jitter of a retry.
    """
    heard = replace(record, gateway_code=reply.code or None, gateway_reply=reply.raw or None)
    if reply.outcome is CallOutcome.ACCEPTED:
        return Transition(ended(heard, Status.SENT, None, now, policy, sent_at=now))
    if reply.outcome is CallOutcome.BAD_DESTINATION:
        return Transition(ended(heard, Status.REJECTED, Reason.BAD_DESTINATION, now, policy))
    if reply.outcome is CallOutcome.UNCERTAIN:
        return _maybe_sent(heard, Reason.NO_CLEAR_ANSWER, now, policy, jitter)
    if reply.outcome is CallOutcome.GENERIC_ERROR:
        return _refused(heard, Reason.GATEWAY_ERROR, now, policy, jitter)
    return released(heard, _NOT_SENT[reply.outcome], now, jitter, at_least=reply.retry_after)


def lease_expired(record: Record, now: datetime, policy: Policy, jitter: float) -> Transition:
    """Return what becomes of a claim that ran out: the call may or may not have been made."""
    return _maybe_sent(record, Reason.LEASE_EXPIRED, now, policy, jitter)


def released(
    record: Record, reason: Reason, now: datetime, jitter: float, *, at_least: float | None = None
) -> Transition:
    """Return a claimed record that was certainly not sent to the queue, with backoff."""
    delay = backoff(record.attempts, jitter)
    if at_least is not None:
        delay = max(delay, min(at_least, MAX_RETRY_AFTER))
    # No sleeping past the end: a message that is worthless then should say so then.
    delay = min(delay, max(MIN_DELAY, (record.expires_at - now).total_seconds()))
    return Transition(_waiting(record, reason, now, delay), delay)


def backoff(attempts: int, jitter: float) -> float:
    """Return seconds to wait: exponential with full jitter, 1 s to 15 min."""
    ceiling = min(MAX_DELAY, MIN_DELAY * 2.0 ** min(attempts, 30))
    return max(MIN_DELAY, ceiling * jitter)


def requeued(record: Record, now: datetime) -> Record:
    """Return a waiting record as the reconciler puts it into the queue again."""
    return _waiting(record, Reason.REQUEUED, now, 0.0)


def resent(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return the record queued once more on a person's word; `None` where that is not possible.

    The validity starts again: the person wants it sent now. A doubt stays: should this attempt
    fail or be cancelled, the earlier call may still have been accepted.
    """
    if record.status not in RESENDABLE or record.text is None:
        return None
    validity = timedelta(seconds=record.valid_for or policy.validity.total_seconds())
    again = _waiting(record, Reason.RESENT_BY_PERSON, now, 0.0)
    maybe_sent = record.status is Status.UNKNOWN
    return replace(again, refusals=0, maybe_sent=maybe_sent, expires_at=now + validity)


def confirmed(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return an unknown record as sent, on a person's word; `None` where that is not possible."""
    if record.status is not Status.UNKNOWN:
        return None
    return ended(
        record, Status.SENT, Reason.CONFIRMED_BY_PERSON, now, policy, sent_at=record.updated_at
    )


def cancelled(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return a waiting record as cancelled; `None` where it is too late.

    If an earlier call may have been accepted, it will not be sent again, but the doubt stays.
    """
    if record.status not in WAITING:
        return None
    return ended(record, Status.CANCELLED, Reason.CANCELLED_BY_REQUEST, now, policy)


def _refused(
    record: Record, reason: Reason, now: datetime, policy: Policy, jitter: float
) -> Transition:
    counted = replace(record, refusals=record.refusals + 1)
    if counted.refusals >= MAX_REFUSALS:
        return Transition(ended(counted, Status.FAILED, reason, now, policy))
    return released(counted, reason, now, jitter)


def _maybe_sent(
    record: Record, reason: Reason, now: datetime, policy: Policy, jitter: float
) -> Transition:
    """`hold`: a person decides. `resend`: like a refusal, at the price of a possible double."""
    if policy.resend_unknown and record.refusals + 1 < MAX_REFUSALS:
        return _refused(replace(record, maybe_sent=True), reason, now, policy, jitter)
    return Transition(_parked(record, reason, now))


def _parked(record: Record, reason: Reason, now: datetime) -> Record:
    # The claim stays on the record: its owner, should it wake up late, may still say how it ended.
    return record.becomes(
        Status.UNKNOWN, now, reason=reason, detail=REASON_IN_WORDS[reason], check_at=None
    )


def _waiting(record: Record, reason: Reason, now: datetime, delay: float) -> Record:
    return record.becomes(
        Status.QUEUED,
        now,
        reason=reason,
        detail=REASON_IN_WORDS[reason],
        claim=None,
        claimed_until=None,
        check_at=now + timedelta(seconds=delay) + GRACE,
    )


def ended(
    record: Record,
    status: Status,
    reason: Reason | None,
    now: datetime,
    policy: Policy,
    *,
    detail: str | None = None,
    **changes: Any,  # noqa: ANN401 - any further field
) -> Record:
    """Return the record in a final status; `unknown` if it says not sent and may have been sent.

    Without a `detail` the reason's own sentence is kept.
    """
    if record.maybe_sent and status in _SAYS_NOT_SENT:
        return _parked(record, Reason.NO_CLEAR_ANSWER, now)
    keep_text = policy.store_text or status not in FINAL
    return record.becomes(
        status,
        now,
        reason=reason,
        detail=detail or (REASON_IN_WORDS[reason] if reason else None),
        text=record.text if keep_text else None,
        claim=None,
        claimed_until=None,
        check_at=None,
        **changes,
    )
