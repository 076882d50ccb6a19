"""Watches for sources whose authentic calls cause no message, which nobody would notice.

The row of such calls is kept in the source's item. A message ends it where its container knows of
it: from a call of its own, or from its last look at the item (`SourceStates`).
"""

from dataclasses import dataclass

from openvoip_sms.delivery.ports import Clock, Counters, StoreUnavailable, Telemetry
from openvoip_sms.delivery.source_states import SourceStates
from openvoip_sms.rules import limits
from openvoip_sms.rules.unused import is_to_be_told


@dataclass(frozen=True, slots=True)
class SourceWatch:
    """Never raises: the sender gets its answer whatever becomes of the count."""

    counters: Counters
    telemetry: Telemetry
    clock: Clock
    states: SourceStates

    def unused(self, source: str, reason: str, *, is_fault: bool) -> None:
        """Count an authentic call that caused no message."""
        now, subject = self.clock(), limits.subject("source", f"webhook:{source}")
        self.states.forget(subject)
        try:
            unused = self.counters.count_unused(subject, now, is_fault=is_fault)
        except StoreUnavailable as error:
            self.telemetry.not_counted(source, error)
            return
        if is_to_be_told(unused, reason, now, is_fault=is_fault):
            self.telemetry.source_unused(source, reason, unused)
