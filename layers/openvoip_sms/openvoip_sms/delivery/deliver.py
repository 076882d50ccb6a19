"""Deliver one message: claim it, call the gateway once, record what came of it.

The one place that calls the gateway. A claim is a conditional write, so that of all workers that
hold the same message only one calls; a claim that was left behind is recognised, and its message
is never sent again by itself (unless the firm chose `resend`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openvoip_sms.delivery.ports import (
    Account,
    AccountNotSet,
    Accounts,
    AccountUnavailable,
    Chance,
    Clock,
    Gateway,
    Journal,
    NewClaim,
    OutcomeUnrecorded,
    Sms,
    Store,
    StoreUnavailable,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import OPEN, WAITING, Reason, Record, Status
from openvoip_sms.rules.replies import Reply, Verdict

CALL_BUDGET = timedelta(seconds=14)  # connect and read time-out as a whole, and a margin


@dataclass(frozen=True, slots=True)
class Result:
    """What stands after a delivery; `retry_in` seconds until this message should come again.

    `repeated`: the message had been taken up before. `conflict`: its id belongs to another one.
    """

    record: Record | None
    retry_in: float | None = None
    repeated: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """May raise `StoreUnavailable`: then the message must come again."""

    store: Store
    gateway: Gateway
    accounts: Accounts
    journal: Journal
    policy: Policy
    clock: Clock
    chance: Chance
    new_claim: NewClaim

    def send_new(self, record: Record, seconds_left: Callable[[], float]) -> Result:
        """Store a message that has no record yet, as claimed by us, and send it.

        A repeated one is left as it stands.
        """
        now = self.clock()
        ended = transitions.stopped(record, now, self.policy)
        ours = ended or transitions.claimed(record, self.new_claim(), now)
        stands = self.store.create(ours)
        if stands != ours:
            self.journal.duplicate(stands)
            conflict = stands.fingerprint != record.fingerprint
            return Result(stands, repeated=not conflict, conflict=conflict)
        if ended:
            self.journal.changed(ended)
            return Result(ended)
        return self._call(ours, seconds_left)

    def send_stored(self, record_id: str, seconds_left: Callable[[], float]) -> Result:
        """Send a message that the table holds. `record` is `None` when it does not."""
        record = self.store.get(record_id)
        return Result(None) if record is None else self._take(record, seconds_left)

    def _take(self, record: Record, seconds_left: Callable[[], float]) -> Result:
        if record.status in WAITING:
            return self._take_waiting(record, seconds_left)
        if record.status is Status.SENDING:
            return self._find_claimed(record)
        return Result(record, repeated=True)

    def _take_waiting(self, record: Record, seconds_left: Callable[[], float]) -> Result:
        now = self.clock()
        if record.send_at is not None and record.send_at > now:
            return Result(record, _until(record.send_at, now))
        if ended := transitions.stopped(record, now, self.policy):
            return self._write(record, ended)
        ours = transitions.claimed(record, self.new_claim(), now)
        stands = self.store.replace(record, ours)
        if stands != ours:
            return self._lost_race(stands)
        return self._call(ours, seconds_left)

    def _lost_race(self, stands: Record | None) -> Result:
        """Somebody else changed the record meanwhile: look again soon if it is still open."""
        still_open = stands is not None and stands.status in OPEN
        return Result(stands, transitions.SHORTEST_DELAY if still_open else None, repeated=True)

    def _find_claimed(self, record: Record) -> Result:
        """Leave a live claim alone; say `unknown` of one that was left behind."""
        now = self.clock()
        left = ((record.claimed_until or now) - now).total_seconds()
        if left > 0:
            return Result(record, left + transitions.SHORTEST_DELAY, repeated=True)
        after = transitions.died(record, now, self.policy, self.chance())
        return self._write(record, after.record, after.retry_in)

    def _call(self, ours: Record, seconds_left: Callable[[], float]) -> Result:
        try:
            after = self._outcome(ours, seconds_left)
        except AccountUnavailable as error:
            self.journal.trouble("account.unavailable", ours.id, error)
            unset = isinstance(error, AccountNotSet)
            reason = Reason.SECRET_NOT_SET if unset else Reason.SECRET_UNAVAILABLE
            after = transitions.released(ours, reason, self.clock(), self.chance())
        try:
            return self._write(ours, after.record, after.retry_in)
        except StoreUnavailable as error:
            self.journal.unrecorded(after.record)
            raise OutcomeUnrecorded(ours.id) from error

    def _outcome(self, ours: Record, seconds_left: Callable[[], float]) -> transitions.Next:
        account = self.accounts.current()
        if not self._time_for_a_call(ours, seconds_left):
            return transitions.released(ours, Reason.OUT_OF_TIME, self.clock(), self.chance())
        reply = self._gateway_call(ours, account)
        if reply.verdict is Verdict.BAD_CREDENTIALS:
            # The secret may have been rotated: read it past the cache, one more call.
            account = self.accounts.afresh()
            if self._time_for_a_call(ours, seconds_left):
                reply = self._gateway_call(ours, account)
        return transitions.answered(ours, reply, self.clock(), self.policy, self.chance())

    def _time_for_a_call(self, ours: Record, seconds_left: Callable[[], float]) -> bool:
        """A call must end within the claim and within our own life, or it could be made twice."""
        claim_holds = ours.claimed_until is not None and (
            self.clock() + CALL_BUDGET <= ours.claimed_until
        )
        return claim_holds and seconds_left() >= CALL_BUDGET.total_seconds()

    def _gateway_call(self, ours: Record, account: Account) -> Reply:
        sms = Sms(
            sender=ours.sender or "", text=ours.text or "", to=ours.to, archive=bool(ours.archive)
        )
        started = self.clock()
        reply = self.gateway.call(sms, account)
        self.journal.called(ours, reply, (self.clock() - started).total_seconds())
        return reply

    def _write(self, old: Record, new: Record, retry_in: float | None = None) -> Result:
        stands = self.store.replace(old, new)
        if stands == new:
            self.journal.changed(new)
            return Result(new, retry_in)
        if stands is not None and _gave_us_up(old, stands):
            # We were taken for dead while we knew the answer: knowledge beats doubt.
            return self._write(stands, replace(new, version=stands.version + 1), retry_in)
        return self._lost_race(stands)


def _until(send_at: datetime, now: datetime) -> float | None:
    """Too early by little: wait. By much: its schedule, or the reconciler, brings it again."""
    early = (send_at - now).total_seconds()
    return early if early <= transitions.LONGEST_DELAY else None


def _gave_us_up(ours: Record, stands: Record) -> bool:
    same_claim = ours.claim is not None and ours.claim == stands.claim
    return same_claim and ours.status is Status.SENDING and stands.status is Status.UNKNOWN
