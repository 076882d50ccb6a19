"""Dates and times in Italy: without an offset, a time is in the zone Europe/Rome."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from openvoip_sms.rules.message import MAX_AHEAD
from openvoip_sms.rules.rome import ROME

MORNING = time(9)  # when a message is sent whose date has no time

_YEARS = range(1970, 2201)
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_EPOCH = re.compile(r"[0-9]{10}(?:[0-9]{3})?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}.{0,24})?", re.IGNORECASE)
_MAX_TEXT = 80  # characters of a date with its time
_DIRECTIONS = re.compile("[\u200b\u200e\u200f\u202a\u202c\ufeff]")  # as browsers add them
_MONTHS = "gen feb mar apr mag giu lug ago set ott nov dic".split()
_FULL_MONTHS = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
).split()
_WEEKDAYS = "lunedi martedi mercoledi giovedi venerdi sabato domenica".split()
_TIME = r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,][0-9]{1,9})?)?"
_AT = r"(?:alle ore|alle|ore|h)\.? "
_WRITTEN = re.compile(
    r"(?:(?P<weekday>[a-zì]{3,9})['’]?\.?,? )?(?:il )?"
    r"(?:(?P<y>[0-9]{4})([/.-])(?P<m>[0-9]{1,2})\3(?P<d>[0-9]{1,2})"
    r"|(?P<day>[0-9]{1,2}) ?[/.-] ?(?P<month>[0-9]{1,2}) ?[/.-] ?(?P<year>[0-9]{4})"
    r"|(?P<nth>[0-9]{1,2})[°º]?[ ./-]?(?P<name>[a-z]{3,9})\.?[ ./-]?(?P<of>[0-9]{4}))"
    rf"(?:(?:,? ?(?:{_AT})| - |, ?|[t ])(?P<clock>{_TIME})|,? ?{_AT}(?P<hour>[0-9]{{1,2}}))?"
    r"(?P<zone> ?(?:z|utc|gmt|cet|cest|[+-][0-9]{2}:?[0-9]{2}))?"
)
_CLOCK = re.compile(rf"(?:{_AT})?{_TIME}")
_FIRST_NUMBER = 3_000_000  # below are the day numbers of spreadsheets, not seconds
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

    Reads RFC 3339, what Italian programs write, day first (`3/12/2026 9.30.00`, `2026/12/03`,
    `giovedì 3 dicembre 2026 ore 9:30`), and seconds or milliseconds since 1970. A year of two
    digits, AM and PM, or a weekday that is another day's leave it uncertain.
    """
    try:
        found = _from_text(value) if isinstance(value, str) else _from_number(value)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and found.year in _YEARS else None


def moment_of(value: object) -> datetime | None:
    """The same in UTC, a date without a time at nine in the morning."""
    found = read_when(value)
    if found is not None and not isinstance(found, datetime):
        found = in_rome(datetime.combine(found, MORNING))
    return None if found is None else found.astimezone(UTC)


def end_of(value: object) -> datetime | None:
    """The same in UTC, a date without a time at the end of its day."""
    found = read_when(value)
    if found is not None and not isinstance(found, datetime):
        found = in_rome(datetime.combine(found, time.max))
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
    """`9:30`, `09.30`, `9.30.00`; None for anything else."""
    match = _CLOCK.fullmatch(" ".join(clock.lower().split())) if len(clock) <= _MAX_TEXT else None
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


def _from_text(value: str) -> datetime | date | None:
    text = _DIRECTIONS.sub("", value[: 2 * _MAX_TEXT]).strip()
    if len(text) > _MAX_TEXT:
        return None
    if _EPOCH.fullmatch(text):
        return _from_number(int(text))
    if _ISO.fullmatch(text):
        try:
            return _from_iso(text)
        except ValueError:  # may still be one with ` CET`
            pass
    plain = unicodedata.normalize("NFC", " ".join(text.lower().split()))
    written = _WRITTEN.fullmatch(plain)
    return _from_written(written) if written else None


def _from_iso(text: str) -> datetime | date:
    if len(text) == len("2026-12-03"):
        return date.fromisoformat(text)
    return _with_zone(datetime.fromisoformat(text))


def _from_written(written: re.Match[str]) -> datetime | date | None:
    day = _day(written)
    if day is None or not _is_weekday(written["weekday"], day):
        return None
    zone = (written["zone"] or "").strip()
    if written["clock"] is None and written["hour"] is None:
        return None if zone else day
    clock = _CLOCK.fullmatch(written["clock"] or f"{written['hour']}:00")
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (24, 0, 0)
    return _in_zone(datetime.combine(day, time(hour, minute, second)), zone)


def _day(written: re.Match[str]) -> date | None:
    if written["y"]:
        year, month, day = written["y"], int(written["m"]), written["d"]
    elif written["month"]:
        year, month, day = written["year"], int(written["month"]), written["day"]
    else:
        year, month, day = written["of"], _month(written["name"]), written["nth"]
    return date(int(year), month, int(day)) if month else None


def _month(name: str) -> int:
    """1 to 12, of a name or its abbreviation; 0 for another word."""
    if name in _FULL_MONTHS:
        return _FULL_MONTHS.index(name) + 1
    name = "set" if name == "sett" else name
    return _MONTHS.index(name) + 1 if name in _MONTHS else 0


def _is_weekday(name: str | None, day: date) -> bool:
    """Whether `name` is absent, or the day's own: `giovedì`, `giovedi`, `gio`."""
    own = _WEEKDAYS[day.weekday()]
    return name is None or name.replace("ì", "i") in (own, own[:3])


def _in_zone(local: datetime, zone: str) -> datetime | None:
    if zone in ("z", "utc", "gmt"):
        return local.replace(tzinfo=UTC).astimezone(ROME)
    if zone[:1] in ("+", "-"):
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
        return local.replace(tzinfo=timezone(offset)).astimezone(ROME)
    moment = in_rome(local)
    return moment if zone in ("", str(moment.tzname()).lower()) else None


def _with_zone(moment: datetime) -> datetime:
    return in_rome(moment) if moment.tzinfo is None else moment.astimezone(ROME)


def _from_number(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < _FIRST_NUMBER:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    if seconds > _MILLISECONDS_FROM:
        return None
    return datetime.fromtimestamp(seconds, UTC).astimezone(ROME)
