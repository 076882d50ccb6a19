"""The days of Rome, in which limits and usage are counted."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")


def day_of(moment: datetime) -> date:
    return moment.astimezone(ROME).date()


def midnight_after(moment: datetime) -> datetime:
    """When the day ends: it has 23 or 25 hours when clocks change."""
    tomorrow = day_of(moment) + timedelta(days=1)
    return datetime.combine(tomorrow, time(), ROME).astimezone(UTC)
