"""Dates and times in Italy: without an offset, a time is in the zone Europe/Rome."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from openvoip_sms.rules.message import MAX_AHEAD

ROME = ZoneInfo("Europe/Rome")
MORNING = time(9)  # when a message is sent whose date has no time

_YEARS = range(1970, 2201)
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.{0,24})?", re.IGNORECASE)
_ITALIAN = re.compile(
    r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})(?:,? +([0-9]{1,2})[:.]([0-9]{2})(?::[0-9]{2})?)?"
)
_CLOCK = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})")
_DURATION = re.compile(
    r"P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,8})S)?)?"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar days of Rome, then seconds: `P1D` over a clock change keeps the hour."""

    days: int
    seconds: int


def in_rome(local: datetime) -> datetime:
    """The moment of a wall-clock time in Rome.

    The hour skipped in spring is moved on by one; of the hour repeated in autumn the first counts.
    """
    return local.replace(tzinfo=ROME, fold=0).astimezone(UTC).astimezone(ROME)


def read_when(value: object) -> datetime | date | None:
    """A moment in Rome, or a date without a time; None for anything else.

    Reads RFC 3339, a date, `3/12/2026 9:30` (day first), and seconds or milliseconds since 1970.
    """
    try:
        found = _from_text(value.strip()) if isinstance(value, str) else _from_number(value)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and found.year in _YEARS else None


def moment_of(value: object) -> datetime | None:
    """The same in UTC, a date without a time at nine in the morning."""
    found = read_when(value)
    if found is not None and not isinstance(found, datetime):
        found = in_rome(datetime.combine(found, MORNING))
    return None if found is None else found.astimezone(UTC)


def shifted(value: object, days: int) -> datetime | date | None:
    """`days` calendar days later (before, if negative), at the same hour where there is one."""
    found = read_when(value)
    if found is None or abs(days) > MAX_AHEAD.days * 100:
        return None
    later = found + timedelta(days=days)
    return in_rome(later.replace(tzinfo=None)) if isinstance(later, datetime) else later


def at_clock(value: object, clock: str) -> datetime | None:
    """That day at `HH:MM` in Rome."""
    found, hour = read_when(value), read_clock(clock)
    if found is None or hour is None:
        return None
    return in_rome(datetime.combine(found, hour))


def read_clock(clock: str) -> time | None:
    """`9:30`, `09.30`; None for anything else."""
    match = _CLOCK.fullmatch(clock.strip())
    hour, minute = (int(match[1]), int(match[2])) if match else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a clock


def read_duration(value: object) -> Duration | None:
    """Whole seconds, or ISO 8601 with weeks to seconds (`P2DT3H`, `PT15M`); None for the rest."""
    if isinstance(value, int) and not isinstance(value, bool):
        found = Duration(0, value)
    elif isinstance(value, str) and (match := _DURATION.fullmatch(value)) and any(match.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        found = Duration(7 * weeks + days, 3600 * hours + 60 * minutes + seconds)
    else:
        return None
    length = timedelta(days=found.days, seconds=found.seconds)
    return found if timedelta(0) <= length <= MAX_AHEAD else None


def later(now: datetime, duration: Duration) -> datetime:
    """The moment, in UTC, a duration after `now`."""
    local = now.astimezone(ROME).replace(tzinfo=None) + timedelta(days=duration.days)
    day = in_rome(local) if duration.days else now
    return day.astimezone(UTC) + timedelta(seconds=duration.seconds)


def _from_text(text: str) -> datetime | date | None:
    if match := _ITALIAN.fullmatch(text):
        day, month, year, hour, minute = (int(part or 0) for part in match.groups())
        if match[4] is None:
            return date(year, month, day)
        return in_rome(datetime(year, month, day, hour, minute))  # noqa: DTZ001 - `in_rome` adds the zone
    if _EPOCH.fullmatch(text):
        return _from_number(int(text))
    if not _ISO.fullmatch(text):
        return None
    if len(text) == len("2026-12-03"):
        return date.fromisoformat(text)
    return _with_zone(datetime.fromisoformat(text))


def _with_zone(moment: datetime) -> datetime:
    return in_rome(moment) if moment.tzinfo is None else moment.astimezone(ROME)


def _from_number(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    if seconds > _MILLISECONDS_FROM:
        return None
    return datetime.fromtimestamp(seconds, UTC).astimezone(ROME)
