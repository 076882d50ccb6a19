"""Every change a record can go through, as pure functions: the state machine of the promise.

Nothing here calls anything. A caller asks for the next version of a record and stores it on
condition that the version it started from still stands.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import FINAL, REASON_IN_WORDS, WAITING, Reason, Record, Status
from openvoip_sms.rules.replies import Reply, Verdict

LEASE = timedelta(seconds=90)  # longer than any function's time-out that may call the gateway
MOST_REFUSALS = 3  # calls that end in a generic error or, with `resend`, in doubt
SHORTEST_DELAY, LONGEST_DELAY = 1.0, 900.0  # seconds
LONGEST_RETRY_AFTER = 6 * 3600.0  # seconds; SQS hides a message for 12 hours at the most
GRACE = timedelta(minutes=15)  # what the queue may take before the reconciler looks

_SAYS_NOT_SENT = FINAL - {Status.SENT}
RESENDABLE = frozenset({Status.UNKNOWN, Status.FAILED, Status.EXPIRED})

_NOT_SENT = {
    Verdict.GENERIC_ERROR: Reason.GATEWAY_ERROR,
    Verdict.BAD_CREDENTIALS: Reason.BAD_CREDENTIALS,
    Verdict.UNREACHABLE: Reason.GATEWAY_UNREACHABLE,
    Verdict.BUSY: Reason.GATEWAY_BUSY,
    Verdict.MISCONFIGURED: Reason.GATEWAY_MISCONFIGURED,
}


@dataclass(frozen=True, slots=True)
class Next:
    """A record's next version; `retry_in` seconds until it should be tried again, if at all."""

    record: Record
    retry_in: float | None = None


def first(record: Record, now: datetime, policy: Policy) -> Record:
    """Return a new record as it is stored: waiting, with a time to look after it, or ended."""
    if record.status not in WAITING:
        return record
    due = max(now, record.send_at or now)
    return stopped(record, now, policy) or replace(record, check_at=due + GRACE)


def stopped(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return the record as it ends when it must not be sent now or ever, else `None`."""
    if not policy.allows_recipient(record.to):
        return _ended(record, Status.SUPPRESSED, Reason.TEST_MODE, now, policy)
    if now >= record.expires_at:
        return _ended(record, Status.EXPIRED, Reason.TOO_LATE, now, policy)
    return None


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


def answered(record: Record, reply: Reply, now: datetime, policy: Policy, chance: float) -> Next:
    """Return what the gateway's reply makes of a claimed record (docs/delivery.md has the table).

    `chance` from 0 to 1 is the jitter of a retry.
    """
    heard = replace(record, gateway_code=reply.code or None, gateway_reply=reply.raw or None)
    if reply.verdict is Verdict.ACCEPTED:
        return Next(_ended(heard, Status.SENT, None, now, policy, sent_at=now))
    if reply.verdict is Verdict.BAD_DESTINATION:
        return Next(_ended(heard, Status.REJECTED, Reason.BAD_DESTINATION, now, policy))
    if reply.verdict is Verdict.UNCERTAIN:
        return _doubted(heard, Reason.NO_CLEAR_ANSWER, now, policy, chance)
    if reply.verdict is Verdict.GENERIC_ERROR:
        return _refused(heard, Reason.GATEWAY_ERROR, now, policy, chance)
    return released(heard, _NOT_SENT[reply.verdict], now, chance, at_least=reply.retry_after)


def died(record: Record, now: datetime, policy: Policy, chance: float) -> Next:
    """Return what becomes of a claim that ran out: the call may or may not have been made."""
    return _doubted(record, Reason.DIED_WHILE_SENDING, now, policy, chance)


def released(
    record: Record, reason: Reason, now: datetime, chance: float, *, at_least: float | None = None
) -> Next:
    """Return a claimed record that was certainly not sent to the queue, with backoff."""
    delay = backoff(record.attempts, chance)
    if at_least is not None:
        delay = max(delay, min(at_least, LONGEST_RETRY_AFTER))
    # No sleeping past the end: a message that is worthless then should say so then.
    delay = min(delay, max(SHORTEST_DELAY, (record.expires_at - now).total_seconds()))
    return Next(_waiting(record, reason, now, delay), delay)


def backoff(attempts: int, chance: float) -> float:
    """Return seconds to wait: exponential with full jitter, 1 s to 15 min."""
    ceiling = min(LONGEST_DELAY, SHORTEST_DELAY * 2.0 ** min(attempts, 30))
    return max(SHORTEST_DELAY, ceiling * chance)


def queued_afresh(record: Record, now: datetime) -> Record:
    """Return a waiting record as the reconciler puts it into the queue again."""
    return _waiting(record, Reason.QUEUED_AFRESH, now, 0.0)


def resent(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return the record queued once more on a person's word; `None` where that is not possible.

    The validity starts anew: the person wants it sent now. A doubt stays: should this attempt
    fail or be cancelled, the earlier call may still have been accepted.
    """
    if record.status not in RESENDABLE or record.text is None:
        return None
    validity = timedelta(seconds=record.valid_for or policy.validity.total_seconds())
    again = _waiting(record, Reason.RESENT_BY_PERSON, now, 0.0)
    doubted = record.status is Status.UNKNOWN
    return replace(again, refusals=0, doubted=doubted, expires_at=now + validity)


def confirmed(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return an unknown record as sent, on a person's word; `None` where that is not possible."""
    if record.status is not Status.UNKNOWN:
        return None
    return _ended(
        record, Status.SENT, Reason.CONFIRMED_BY_PERSON, now, policy, sent_at=record.updated_at
    )


def cancelled(record: Record, now: datetime, policy: Policy) -> Record | None:
    """Return a waiting record as cancelled; `None` where it is too late.

    If an earlier call may have been accepted, it will not be sent again, but the doubt stays.
    """
    if record.status not in WAITING:
        return None
    return _ended(record, Status.CANCELLED, Reason.ASKED, now, policy)


def _refused(record: Record, reason: Reason, now: datetime, policy: Policy, chance: float) -> Next:
    counted = replace(record, refusals=record.refusals + 1)
    if counted.refusals >= MOST_REFUSALS:
        return Next(_ended(counted, Status.FAILED, reason, now, policy))
    return released(counted, reason, now, chance)


def _doubted(record: Record, reason: Reason, now: datetime, policy: Policy, chance: float) -> Next:
    """`hold`: a person decides. `resend`: like a refusal, at the price of a possible double."""
    if policy.resend_unknown and record.refusals + 1 < MOST_REFUSALS:
        return _refused(replace(record, doubted=True), reason, now, policy, chance)
    return Next(_parked(record, reason, now))


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


def _ended(
    record: Record,
    status: Status,
    reason: Reason | None,
    now: datetime,
    policy: Policy,
    **changes: Any,  # noqa: ANN401 - any further field
) -> Record:
    if record.doubted and status in _SAYS_NOT_SENT:
        return _parked(record, Reason.NO_CLEAR_ANSWER, now)
    keep_text = policy.store_text or status not in FINAL
    return record.becomes(
        status,
        now,
        reason=reason,
        detail=REASON_IN_WORDS[reason] if reason else None,
        text=record.text if keep_text else None,
        claim=None,
        claimed_until=None,
        check_at=None,
        **changes,
    )
