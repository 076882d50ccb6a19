"""What a container knows of its sources, so that not each message reads it."""

from datetime import datetime, timedelta

from openvoip_sms.delivery.ports import Counters
from openvoip_sms.rules.guard_item import GuardItem


class SourceStates:
    """The sources' items as they were seen last. May raise `StoreUnavailable`."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._seen: dict[str, tuple[GuardItem, datetime]] = {}

    def get(self, subject: str, now: datetime, max_age: timedelta) -> GuardItem:
        """Return what is known, or look if that is older."""
        known = self.known(subject, now, max_age)
        return known or self.learn(subject, self._counters.look(subject, now), now)

    def known(self, subject: str, now: datetime, max_age: timedelta) -> GuardItem | None:
        item, at = self._seen.get(subject, (None, now))
        return item if abs(now - at) <= max_age else None

    def learn(self, subject: str, item: GuardItem, now: datetime) -> GuardItem:
        self._seen[subject] = item, now
        return item

    def forget(self, subject: str) -> None:
        """Let the next message look."""
        self._seen.pop(subject, None)
