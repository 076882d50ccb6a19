"""Times as the outside reads them: RFC 3339 in UTC, milliseconds, always the same width."""

from datetime import UTC, datetime


def to_rfc3339(moment: datetime) -> str:
    """`2026-11-24T08:30:00.000Z`: as text it sorts as in time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read a date and time with its offset.

    Raises:
        ValueError: not a date and time, or without an offset.
    """
    written = text.upper()  # RFC 3339, 5.6: `t` and `z` may be small
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None or "T" not in written:
        raise ValueError("a date and time needs a T and an offset")
    return moment.astimezone(UTC)
