"""Days of Rome: they begin at its midnight, and two of them have 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.rome import ROME, day_of, midnight_after

HOUR = timedelta(hours=1)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def utc(text):
    return datetime.fromisoformat(f"{text}Z")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-24T22:59:59", date(2026, 11, 24)),
        ("2026-11-24T23:00:00", date(2026, 11, 25)),  # an hour before midnight in UTC
        ("2026-07-24T21:59:59", date(2026, 7, 24)),
        ("2026-07-24T22:00:00", date(2026, 7, 25)),  # two hours in summer
        ("2026-12-31T23:00:00", date(2027, 1, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_rome(moment, day):
    assert day_of(utc(moment)) == day


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        ("2026-03-28T23:00:00", "2026-03-29T22:00:00", 23),
        ("2026-10-24T22:00:00", "2026-10-25T23:00:00", 25),
        ("2027-03-27T23:00:00", "2027-03-28T22:00:00", 23),
        ("2026-11-23T23:00:00", "2026-11-24T23:00:00", 24),
    ],
)
def test_a_day_ends_at_the_next_midnight_however_long_it_is(begins, ends, hours):
    assert midnight_after(utc(begins)) == utc(ends)
    assert midnight_after(utc(ends) - timedelta(milliseconds=1)) == utc(ends)
    assert utc(ends) - utc(begins) == hours * HOUR


@pytest.mark.parametrize("hour", ["00:30", "01:30"])  # 02:30 in Rome, in summer time and after it
def test_the_hour_that_comes_twice_belongs_to_its_day(hour):
    moment = utc(f"2026-10-25T{hour}:00")
    assert day_of(moment) == date(2026, 10, 25)
    assert midnight_after(moment) == utc("2026-10-25T23:00:00")


@given(MOMENTS)
def test_the_next_midnight_is_the_first_moment_of_the_next_day(moment):
    midnight = midnight_after(moment)
    assert timedelta() < midnight - moment <= 25 * HOUR
    assert day_of(midnight) == day_of(moment) + timedelta(days=1)
    assert day_of(midnight - timedelta(microseconds=1)) == day_of(moment)
    assert midnight.astimezone(ROME).time() == datetime.min.time()
    assert midnight.tzinfo is UTC
