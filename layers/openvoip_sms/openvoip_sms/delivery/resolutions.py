"""Decide about many records of unknown outcome at once. Safe to interrupt, and to repeat.

The decision is stored first, with the version of each record. A record is changed only in exactly
that version, once, and carries the decision's id from then on: a repeated call continues with the
others. What becomes unknown later is no part of it.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from openvoip_sms.delivery.enqueue import Enqueuer
from openvoip_sms.delivery.ports import (
    Clock,
    RecordLists,
    Resolutions,
    Store,
    StoredResolution,
    Telemetry,
    UnreadableRecord,
    Usage,
)
from openvoip_sms.rules import transitions
from openvoip_sms.rules.policy import Policy
from openvoip_sms.rules.record import WAITING, Record, Status
from openvoip_sms.rules.resolution import Decision, Doubt, Resolution

MAX_MESSAGES = 10_000  # in a period: more take too long to find within one call
MIN_SECONDS_LEFT = 5.0  # the next call continues with the rest
_READ_AT_ONCE = 100  # records

_CHANGES = {Decision.RESEND: transitions.resent, Decision.CONFIRM: transitions.confirmed}


@dataclass(frozen=True, slots=True)
class Progress:
    """Records that were decided, that somebody or something else had changed, and that are left."""

    done: int
    skipped: int
    remaining: int


class Why(StrEnum):
    ID_IN_USE = "id_in_use"
    NUMBER_DIFFERS = "number_differs"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was decided; `found` is how many records are unknown."""

    why: Why
    found: int = 0


@dataclass(frozen=True, slots=True)
class Resolver:
    """May raise `StoreUnavailable`: a repeated call continues."""

    resolutions: Resolutions
    lists: RecordLists
    store: Store
    enqueuer: Enqueuer
    usage: Usage
    telemetry: Telemetry
    policy: Policy
    clock: Clock

    def resolve(
        self, resolution: Resolution, seconds_left: Callable[[], float]
    ) -> Progress | Refusal:
        """Take or continue a decision, as far as the time suffices."""
        stored = self.resolutions.get(resolution.id)
        if stored is None:
            found = self._find(resolution)
            if isinstance(found, Refusal):
                return found
            stored = self.resolutions.create(resolution, found, self.clock())
        if stored.resolution != resolution:
            return Refusal(Why.ID_IN_USE)
        return self._decide(stored, seconds_left)

    def _find(self, resolution: Resolution) -> Sequence[Doubt] | Refusal:
        ids = self.lists.ids_in_status(Status.UNKNOWN, resolution.period, MAX_MESSAGES + 1)
        if len(ids) > MAX_MESSAGES:
            return Refusal(Why.TOO_MANY)
        versions = {
            one.id: one.version for one in self.store.get_many(ids) if resolution.concerns(one)
        }
        if len(versions) != resolution.messages:
            return Refusal(Why.NUMBER_DIFFERS, len(versions))
        return [Doubt(one, versions[one]) for one in dict.fromkeys(ids) if one in versions]

    def _decide(self, stored: StoredResolution, seconds_left: Callable[[], float]) -> Progress:
        done = looked_at = 0
        for doubt, record in self._with_records(stored.doubts):
            if seconds_left() < MIN_SECONDS_LEFT:
                break
            looked_at += 1
            done += record is not None and self._decide_one(stored.resolution, doubt, record)
        remaining = len(stored.doubts) - looked_at
        return Progress(done, stored.resolution.messages - done - remaining, remaining)

    def _with_records(self, doubts: Sequence[Doubt]) -> Iterator[tuple[Doubt, Record | None]]:
        for some in itertools.batched(doubts, _READ_AT_ONCE, strict=False):
            records = {one.id: one for one in self.store.get_many([doubt.id for doubt in some])}
            for doubt in some:
                yield doubt, records.get(doubt.id)

    def _decide_one(self, resolution: Resolution, doubt: Doubt, record: Record) -> bool:
        """Return whether this decision changed the record, now or in an earlier call."""
        if record.version != doubt.version:
            is_ours = record.resolution == resolution.id
            if is_ours:
                self.enqueuer.hand_over_again(record)
            return is_ours
        try:
            current = self._change(resolution, record)
        except UnreadableRecord:
            return False  # it changed meanwhile; the store has reported it
        return current is not None and current.resolution == resolution.id

    def _change(self, resolution: Resolution, record: Record) -> Record | None:
        """Change exactly this version; return what is stored now."""
        changed = _CHANGES[resolution.decision](record, self.clock(), self.policy)
        if changed is None:
            return record
        new = transitions.decided(changed, resolution.by, resolution.id)
        current = self.store.replace(record, new)
        if current == new:
            self.telemetry.status_changed(new)
            if new.status in WAITING:
                self.enqueuer.hand_over(new)
            else:
                self.usage.remove_uncertain(record)
        return current
