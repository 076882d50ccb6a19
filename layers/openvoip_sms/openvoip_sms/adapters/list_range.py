"""Which part of a list is read: a period, and what comes after the page before."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from openvoip_sms.delivery.ports import BadCursor
from openvoip_sms.rules.period import Period
from openvoip_sms.rules.rfc3339 import to_rfc3339

_MAX_KEY_BYTES = (1024, 2048)  # of DynamoDB's sort keys and partition keys

type Place = tuple[str, str]  # a record's `created_at` and id: where it stands in its list


@dataclass(frozen=True, slots=True)
class Range:
    """Places from the moment `since`, before the moment `until`, and after the last page's end."""

    since: str | None
    until: str | None
    after: Place | None

    @classmethod
    def of(cls, period: Period, after: Place | None) -> "Range":
        since, until = (
            None if moment is None else to_rfc3339(moment)
            for moment in (period.since, period.until)
        )
        return cls(since, until, after)

    @property
    def _last(self) -> str | None:
        """The newest moment that is read; what is at `until` itself is left out afterwards."""
        return min((one for one in (self.until, self.after and self.after[0]) if one), default=None)

    @property
    def is_empty(self) -> bool:
        last = self._last
        return self.since is not None and last is not None and last < self.since

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A key condition has one part for the sort key, and only `BETWEEN` has two ends."""
        ends = {":since": self.since, ":until": self._last}
        values = {name: {"S": end} for name, end in ends.items() if end is not None}
        parts = {
            (":since", ":until"): " AND created_at BETWEEN :since AND :until",
            (":since",): " AND created_at >= :since",
            (":until",): " AND created_at <= :until",
        }
        return parts.get(tuple(values), ""), values

    def contains(self, place: Place) -> bool:
        is_later = self.after is None or place < self.after
        return is_later and (self.until is None or place[0] < self.until)


def write_cursor(value: str, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, *place]).encode()).decode()


def read_cursor(cursor: str, value: str) -> Place:
    """Read a cursor that belongs to the same list.

    Raises:
        BadCursor: it is not.
    """
    try:
        of, *place = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        created_at, record_id = place
        # A page may end with a damaged record, after which the list must continue: any key will do.
        if of == value and all(map(_may_be_key, (created_at, record_id), _MAX_KEY_BYTES)):
            return created_at, record_id
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass  # binascii.Error is a ValueError
    raise BadCursor("The cursor does not belong to this list: start without it.")


def _may_be_key(text: str, maximum: int) -> bool:
    return 0 < len(text.encode()) <= maximum
