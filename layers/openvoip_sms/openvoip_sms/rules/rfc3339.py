"""Times as stored and shown: RFC 3339 in UTC, with milliseconds, of constant width."""

from datetime import UTC, datetime, timedelta

MAX_CHARS = 64  # of a date and time, with any number of decimals that makes sense


def to_rfc3339(moment: datetime) -> str:
    """`2026-11-24T08:30:00.000Z`: sorts as text as in time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_next_millisecond(moment: datetime) -> datetime:
    """Return the first moment that can be stored and is not before this one.

    Raises:
        OverflowError: there is none.
    """
    return moment + timedelta(microseconds=-moment.microsecond % 1000)


def from_rfc3339(text: str) -> datetime:
    """Read a date and time with its offset.

    Raises:
        ValueError: not a date and time, or without an offset.
    """
    if len(text) > MAX_CHARS:
        raise ValueError("longer than any date and time")
    normalized = text.upper()  # RFC 3339, 5.6: `t` and `z` may be lower case
    moment = datetime.fromisoformat(normalized)
    if moment.tzinfo is None or "T" not in normalized:
        raise ValueError("a date and time needs a T and an offset")
    return moment.astimezone(UTC)
