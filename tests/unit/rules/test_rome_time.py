"""Days and hours in Rome, over both changes of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.rome_time import (
    Duration,
    in_rome,
    later,
    moment_of,
    read_duration,
)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-12-03T09:00", utc(2026, 12, 3, 8)),
        ("2026-07-03T09:00", utc(2026, 7, 3, 7)),
        ("2026-12-03", utc(2026, 12, 3, 8)),
        ("3/7/2026", utc(2026, 7, 3, 7)),
        ("3/7/2026 18:30", utc(2026, 7, 3, 16, 30)),
        ("2026-12-03T09:00:00Z", utc(2026, 12, 3, 9)),
        ("2026-12-03T09:00:00-05:00", utc(2026, 12, 3, 14)),
        ("2027-03-28T02:30", utc(2027, 3, 28, 1, 30)),  # skipped: 3:30 summer time
        ("2026-10-25T02:30", utc(2026, 10, 25, 0, 30)),  # twice: the first, in summer time
        (1796286600, utc(2026, 12, 3, 8, 30)),
    ],
)
def test_a_time_without_an_offset_is_romes(value, expected):
    assert moment_of(value) == expected


def test_the_skipped_hour_is_moved_on():
    assert in_rome(datetime(2027, 3, 28, 2, 30)).hour == 3  # noqa: DTZ001 - Rome's


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, Duration(0, 0)),
        (900, Duration(0, 900)),
        ("PT15M", Duration(0, 900)),
        ("P2DT3H", Duration(2, 10800)),
        ("P1W", Duration(7, 0)),
        ("P365D", Duration(365, 0)),
        ("PT90S", Duration(0, 90)),
    ],
)
def test_durations_are_seconds_or_iso_8601(value, expected):
    assert read_duration(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "P",
        "PT",
        "15M",
        "P1M",
        "P1Y",
        "-PT1M",
        "PT1.5H",
        "P366D",
        31_536_001,
        -1,
        1.5,
        True,
        None,
        "",
        "P1DT",
    ],
)
def test_other_durations_are_refused(value):
    assert read_duration(value) is None


def test_a_day_later_is_the_same_hour_even_over_a_clock_change():
    before = utc(2026, 10, 24, 10)  # noon in summer time
    assert later(before, Duration(1, 0)) == utc(2026, 10, 25, 11)  # noon in winter time
    assert later(before, Duration(0, 86400)) == utc(2026, 10, 25, 10)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - Rome's
def test_every_wall_clock_time_is_one_moment_at_most_an_hour_off(local):
    moment = in_rome(local)
    assert moment.replace(tzinfo=None) - local in (timedelta(0), timedelta(hours=1))
