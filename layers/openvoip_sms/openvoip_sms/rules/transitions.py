"""The state machine of a record, as pure functions (docs/delivery.md has the diagram).

A caller gets the next version of a record, and stores it on condition that the version it was made
from is still current.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from openvoip_sms.rules import limits
from openvoip_sms.rules.call_result import CallOutcome, CallResult
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import FINAL, REASON_IN_WORDS, WAITING, Reason, Record, Status

LEASE = timedelta(seconds=90)  # longer than any function's time-out that may call the gateway
MAX_REFUSALS = 3  # calls with a generic error or, with `resend`, an unknown outcome
MIN_DELAY, MAX_DELAY = 1.0, 900.0  # seconds
MAX_RETRY_AFTER = 6 * 3600.0  # seconds; the visibility time-out of SQS is at most 12 hours
GRACE = timedelta(minutes=15)  # for the queue, before the reconciler acts
MIN_GRACE = timedelta(minutes=1)

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
    """Return a new record that waits until `due`, with the time of the reconciler's check."""
    return replace(record, check_at=check_after(due, record.expires_at))


def check_after(due: datetime, expires_at: datetime) -> datetime:
    """When the reconciler looks for a message that was to go when due.

    That leaves two thirds of a short validity, if it is minutes.
    """
    return due + min(GRACE, max(MIN_GRACE, (expires_at - due) / 3))


def waiting_for(record: Record, reason: Reason, until: datetime | None) -> Record:
    """Return a new record that is held back; it is checked when its validity ends."""
    return replace(
        record,
        status=Status.QUEUED,
        reason=reason,
        detail=REASON_IN_WORDS[reason],
        held_until=until,
        check_at=record.expires_at,
    )


def held(record: Record, reason: Reason, until: datetime | None, now: datetime) -> Record:
    """Return an open record that is held back."""
    return replace(
        waiting_for(not_called(record), reason, until),
        updated_at=now,
        version=record.version + 1,
        claim=None,
        claimed_until=None,
    )


def not_called(record: Record) -> Record:
    """Return a record without the attempt that its claim has counted, as no call was made."""
    claimed = record.status is Status.SENDING
    return replace(record, attempts=record.attempts - claimed)


def woken(record: Record, now: datetime) -> Record:
    """Return a record that is held back no longer, to be queued."""
    again = replace(record, reason=None, detail=None, held_until=None, updated_at=now)
    return replace(waiting_until(again, now), version=record.version + 1)


def to_hand_over_again(record: Record, now: datetime) -> Record:
    """Return a waiting record that could not be handed over: the reconciler's next run does it."""
    return replace(record, check_at=now, version=record.version + 1)


def handed_over_again(record: Record, due: datetime) -> Record:
    """Return a record that waits until `due` as the reconciler hands it over once more."""
    return replace(waiting_until(record, due), version=record.version + 1)


def claimed(record: Record, claim: str, now: datetime) -> Record:
    """Return the record as claimed by one worker: no other may call the gateway for it."""
    return record.becomes(
        Status.SENDING,
        now,
        claim=claim,
        claimed_until=now + LEASE,
        check_at=now + LEASE,
        attempts=record.attempts + 1,
        reason=None,
        detail=None,
        held_until=None,
    )


def answered(
    record: Record, reply: CallResult, now: datetime, policy: Policy, jitter: float
) -> Transition:
    """Return what the gateway's reply makes of a claimed record (docs/delivery.md has the table).

    `jitter`, from 0 to 1, spreads the retry.
    """
    replied = replace(record, gateway_code=reply.code or None, gateway_reply=reply.raw or None)
    if reply.outcome is CallOutcome.ACCEPTED:
        return Transition(ended(replied, Status.SENT, None, now, policy, sent_at=now))
    if reply.outcome is CallOutcome.BAD_DESTINATION:
        return Transition(ended(replied, Status.REJECTED, Reason.BAD_DESTINATION, now, policy))
    if reply.outcome is CallOutcome.UNCERTAIN:
        return _maybe_sent(replied, Reason.NO_CLEAR_ANSWER, now, policy, jitter)
    if reply.outcome is CallOutcome.GENERIC_ERROR:
        return _refused(replied, Reason.GATEWAY_ERROR, now, policy, jitter)
    return released(replied, _NOT_SENT[reply.outcome], now, jitter, at_least=reply.retry_after)


def lease_expired(record: Record, now: datetime, policy: Policy, jitter: float) -> Transition:
    """Return the outcome of a claim whose lease expired: a call may have been made or not."""
    return _maybe_sent(record, Reason.LEASE_EXPIRED, now, policy, jitter)


def released(
    record: Record, reason: Reason, now: datetime, jitter: float, *, at_least: float | None = None
) -> Transition:
    """Return a claimed record, certainly not sent, to the status `queued`, with backoff."""
    delay = backoff(record.attempts, jitter)
    if at_least is not None:
        delay = max(delay, min(at_least, MAX_RETRY_AFTER))
    # Not beyond the end of the validity: the message should expire on time.
    delay = min(delay, max(MIN_DELAY, (record.expires_at - now).total_seconds()))
    return Transition(_waiting(record, reason, now, delay), delay)


def backoff(attempts: int, jitter: float) -> float:
    """Return the seconds to wait: exponential with full jitter, 1 s to 15 min."""
    ceiling = min(MAX_DELAY, MIN_DELAY * 2.0 ** min(attempts, 30))
    return max(MIN_DELAY, ceiling * jitter)


def requeued(record: Record, now: datetime) -> Record:
    """Return a waiting record as the reconciler queues it again."""
    return _waiting(record, Reason.REQUEUED, now, 0.0)


def resent(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return the record queued again by a person; `None` where that is not possible.

    The validity starts again, now or at a `send_at` that is still to come. `maybe_sent` is kept: if
    this attempt fails or is cancelled, the earlier call may still have been accepted.
    """
    if not _is_resendable(record) or record.unsendable:
        return None
    validity = timedelta(seconds=record.valid_for or policy.validity.total_seconds())
    start = max(now, record.send_at or now)
    again = _waiting(record, Reason.RESENT_BY_PERSON, now, (start - now).total_seconds())
    return replace(
        again,
        status=Status.SCHEDULED if start > now else Status.QUEUED,
        refusals=0,
        maybe_sent=record.status is Status.UNKNOWN,
        expires_at=start + validity,
    )


def _is_resendable(record: Record) -> bool:
    held_by_limit = record.status is Status.SUPPRESSED and record.reason in limits.REASONS
    return record.status in RESENDABLE or held_by_limit


def confirmed(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return an unknown record as sent, confirmed by a person; `None` where not possible."""
    if record.status is not Status.UNKNOWN:
        return None
    return ended(
        record, Status.SENT, Reason.CONFIRMED_BY_PERSON, now, policy, sent_at=record.updated_at
    )


def cancelled(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return a waiting record as cancelled; `None` where it is too late.

    If an earlier call may have been accepted, it becomes `unknown` instead, and is not sent again.
    """
    if record.status not in WAITING:
        return None
    return ended(record, Status.CANCELLED, Reason.CANCELLED_BY_REQUEST, now, policy)


def decided(record: Record, by: str | None, resolution: str | None = None) -> Record:
    """Return what a person's decision has made of a record, with who took it.

    `resolution` is the id under which it was taken for many records at once.
    """
    return replace(record, decided_by=by, resolution=resolution)


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
    """`hold`: a person decides. `resend`: like a refusal, at the risk of a second SMS."""
    if policy.resend_unknown and record.refusals + 1 < MAX_REFUSALS:
        return _refused(replace(record, maybe_sent=True), reason, now, policy, jitter)
    return Transition(_held_as_unknown(record, reason, now))


def _held_as_unknown(record: Record, reason: Reason, now: datetime) -> Record:
    # The claim is kept: its worker, if it was only suspended, may still record the outcome.
    return record.becomes(
        Status.UNKNOWN,
        now,
        reason=reason,
        detail=REASON_IN_WORDS[reason],
        held_until=None,
        check_at=None,
    )


def _waiting(record: Record, reason: Reason, now: datetime, delay: float) -> Record:
    return record.becomes(
        Status.QUEUED,
        now,
        reason=reason,
        detail=REASON_IN_WORDS[reason],
        held_until=None,
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
    """Return the record in a final status; `unknown` if that denies a call that may have sent it.

    Without a `detail` the sentence of the reason is stored.
    """
    if record.maybe_sent and status in _SAYS_NOT_SENT:
        return _held_as_unknown(record, Reason.NO_CLEAR_ANSWER, now)
    keep_text = policy.store_text or status not in FINAL
    return record.becomes(
        status,
        now,
        reason=reason,
        detail=detail or (REASON_IN_WORDS[reason] if reason else None),
        text=record.text if keep_text else None,
        held_until=None,
        claim=None,
        claimed_until=None,
        check_at=None,
        **changes,
    )
