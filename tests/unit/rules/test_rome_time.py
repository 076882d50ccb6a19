"""Days and hours in Rome, over both changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.rome_time import (
    Duration,
    in_rome,
    later,
    moment_of,
    read_clock,
    read_duration,
    read_when,
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


THIRD = date(2026, 12, 3)
HALF_PAST_NINE = utc(2026, 12, 3, 8, 30)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # Windows, .NET and Google Sheets with Italian settings
        ("03/12/2026 9.30.00", HALF_PAST_NINE),
        ("\u200e03\u200e/\u200e12\u200e/\u200e2026 \u200e9\u200e:\u200e30", HALF_PAST_NINE),
        ("\ufeff03/12/2026 9.30", HALF_PAST_NINE),
        ("03/12/2026 14.30.00", utc(2026, 12, 3, 13, 30)),
        ("03/12/2026 09:30:00", HALF_PAST_NINE),
        ("03/12/2026 09:30:00.123", HALF_PAST_NINE),
        ("3/12/2026, 09:30:00", HALF_PAST_NINE),
        ("2026-12-03 9:30", HALF_PAST_NINE),
        ("2026-12-03 9.30.00", HALF_PAST_NINE),
        ("2026/12/03 09:30", HALF_PAST_NINE),
        ("2026-12-03 09:30:00 +0100", HALF_PAST_NINE),
        ("2026-12-03 09:30:00 CET", HALF_PAST_NINE),
        ("3/12/2026 9:30:00 CET", HALF_PAST_NINE),
        ("3/12/2026 9:30:00\u202fCET", HALF_PAST_NINE),
        ("3/12/2026 8:30 UTC", HALF_PAST_NINE),
        ("3/7/2026 9:30 CEST", utc(2026, 7, 3, 7, 30)),
        ("03/12/2026 - 09:30", HALF_PAST_NINE),
        ("03/12/2026T09:30", HALF_PAST_NINE),
        # people, and sites in Italian
        ("3 dicembre 2026 ore 9:30", HALF_PAST_NINE),
        ("Giovedì 3 Dicembre 2026 alle ore 09:30", HALF_PAST_NINE),
        ("giovedi' 3 dicembre 2026, 9.30", HALF_PAST_NINE),
        ("GIOVEDI\u0300 3 DICEMBRE 2026 h. 9:30", HALF_PAST_NINE),
        ("3/12/2026 alle 9:30", HALF_PAST_NINE),
        ("3/12/2026 ore 9", utc(2026, 12, 3, 8)),
        ("1° dicembre 2026 ore 9", utc(2026, 12, 1, 8)),
    ],
)
def test_a_moment_is_read_as_italian_programs_and_people_write_it(written, expected):
    assert read_when(written) == expected
    assert moment_of(written) == expected


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-3",
        "2026/12/03",
        "2026/12/3",
        "2026.12.03",
        "3/12/2026",
        "03.12.2026",
        "03. 12. 2026",
        "3 / 12 / 2026",
        "3 dicembre 2026",
        "3 DIC 2026",
        "3-dic-2026",
        "3 dic. 2026",
        "il 3 dicembre 2026",
        "gio 3/12/2026",
        "gio, 3 dic 2026",
        "Giovedì, 3 dicembre 2026",
    ],
)
def test_a_date_is_read_as_italian_programs_and_people_write_it(written):
    assert read_when(written) == THIRD


@pytest.mark.parametrize(
    "written",
    [
        "03/12/26",  # or 2003-12-26
        "03-12-26",
        "26-12-03",
        "3 dic 26",
        "3 dicembre",
        "3/12",
        "12/25/2026",
        "3/12/2026 9:30 AM",  # of a program that writes the month first
        "12/3/2026 2:30 PM",
        "venerdì 3 dicembre 2026",  # a Thursday
        "foo 3/12/2026",
        "3 foo 2026",
        "3/7/2026 9:30 CET",  # in summer
        "3/12/2026 9:30 CEST",
        "3/12/2026 9:30 EST",
        "3/12/2026 9:30 - 10:30",
        "3/12/2026 9",
        "3/12/2026 24:30",
        "3/12/2026 9:60",
        "3/12/2026 9.30.61",
        "31/02/2026",
        "2026/12-03",
        "2026-13-3",
        "20261203",
        "03122026",
        "46359",
        46359,  # a date of a spreadsheet
        46359.395833,
        "x" * 100,
        "3/12/2026" + " " * 100 + "9:30",
    ],
)
def test_what_could_be_another_day_or_hour_is_none(written):
    assert read_when(written) is None


MONTHS = (
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
).split()
WEEKDAYS = "lunedì martedì mercoledì giovedì venerdì sabato domenica".split()
DAYS = [
    lambda d: f"{d.day}/{d.month}/{d.year}",
    lambda d: f"{d.day:02}-{d.month:02}-{d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.year}-{d.month}-{d.day}",
    lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day} {MONTHS[d.month - 1][:3].upper()}. {d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()]} {d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()][:3].title()}, {d.day:02}/{d.month:02}/{d.year}",
]
HOURS = [
    lambda t: f" {t.hour}:{t.minute:02}",
    lambda t: f" {t.hour:02}.{t.minute:02}",
    lambda t: f" {t.hour}.{t.minute:02}.00",
    lambda t: f", {t.hour:02}:{t.minute:02}:00",
    lambda t: f" alle {t.hour}:{t.minute:02}",
    lambda t: f" ore {t.hour}.{t.minute:02}",
]
WITH_A_YEAR = st.dates(date(1970, 1, 1), date(2200, 12, 31))


@given(WITH_A_YEAR, st.sampled_from(DAYS))
def test_every_day_is_read_from_each_form(day, form):
    assert read_when(form(day)) == day


@given(WITH_A_YEAR, st.times(), st.sampled_from(DAYS), st.sampled_from(HOURS))
def test_every_hour_is_read_from_each_form(day, clock, form, hour):
    local = datetime.combine(day, clock.replace(second=0, microsecond=0))
    assert read_when(form(day) + hour(clock)) == in_rome(local)


@given(st.text(alphabet="0123456789/-.: TZ+ceortigv,°", max_size=90))
def test_no_text_raises(text):
    read_when(text)


@pytest.mark.parametrize("clock", ["9.30.00", "09:30:00", "ore 9:30", "alle 9.30", " 9:30 "])
def test_an_hour_is_read_as_italian_programs_write_it(clock):
    assert read_clock(clock) == time(9, 30)


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
