"""The functions that texts in Italian need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.templates.expressions import BadExpression, compile_expression


def value(expression, **data):
    return compile_expression(expression).of(data)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (12.5, "12,50 €"),
        (0, "0,00 €"),
        (1234.5, "1.234,50 €"),
        (1234567, "1.234.567,00 €"),
        (-3, "-3,00 €"),
        (0.005, "0,01 €"),
        (2.675, "2,68 €"),
        ("12.50", "12,50 €"),
        (" 1234.5 ", "1.234,50 €"),
        ("12,50", "12,50 €"),
        ("1.234,50", "1.234,50 €"),
        ("12,50 €", "12,50 €"),
        ("€ 12,50", "12,50 €"),
        ("1234.567", "1.234,57 €"),
        ("12,50 EUR", "12,50 €"),
        ("EUR 12.50", "12,50 €"),
        ("EUR12,5", "12,50 €"),
        ("Euro 12,50", "12,50 €"),
        ("12,50 euro", "12,50 €"),
        ("12.50€", "12,50 €"),
        ("12 EUR", "12,00 €"),
        ("1.234,50 EUR", "1.234,50 €"),
        ("1\u202f234,50\u00a0€", "1.234,50 €"),
        ("1 234 567,89", "1.234.567,89 €"),
        ("1.234.567 €", "1.234.567,00 €"),
        ("EUR 1'234.50", "1.234,50 €"),
        ("€ -12,50", "-12,50 €"),
        ("-€ 12,50", "-12,50 €"),
        ("−12,50 €", "-12,50 €"),
    ],
)
def test_money_reads_as_in_italy(raw, expected):
    assert value("euro(v)", v=raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "1.234",
        "1,234.50",
        "dodici",
        "",
        "1e5",
        "٣",
        "12.50 USD",
        True,
        [],
        10**13,
        1e300,
        "9" * 40,
        "EUR 1.234",
        "1.234 €",
        "€ 12,50 €",
        "- -12",
        "12,50 CHF",
        "$ 12",
        "12,345",
        "1.23,00",
        "1 23,00",
        "1.234 567,00",
        "12,50 EUR circa",
        "da 12,50 EUR",
        "EUR",
        "€",
        "-",
        "12,50,00",
        "1.2.3",
    ],
)
def test_an_ambiguous_amount_is_refused(raw):
    assert value("euro(v)", v=raw) is None


def grouped(digits, by):
    return by.join(
        digits[max(0, len(digits) - at - 3) : len(digits) - at]
        for at in range((len(digits) - 1) // 3 * 3, -1, -3)
    )


@given(
    st.integers(0, 10**11 - 1),
    st.sampled_from(["{}", "{} €", "{}€", "€ {}", "€{}", "EUR {}", "{} EUR", "{} euro", " {} "]),
    st.sampled_from(["", "-", "−"]),
    st.sampled_from([(".", ","), (" ", ","), ("\u00a0", ","), ("", ","), ("", "."), ("'", ".")]),
)
def test_every_amount_is_read_from_each_form(cents, form, sign, separators):
    thousands, decimal = separators
    whole, rest = str(cents // 100), f"{cents % 100:02}"
    written = form.format(sign + grouped(whole, thousands) + decimal + rest)
    minus = "-" if sign and cents else ""
    assert value("euro(v)", v=written) in (
        f"{minus}{grouped(whole, '.')},{rest} €",
        f"-{grouped(whole, '.')},{rest} €" if sign else None,
    )


def test_cents_read_as_euro():
    assert value("euro_cents(v)", v=1250) == "12,50 €"
    assert value("euro_cents(v)", v="5") == "0,05 €"
    assert value("euro_cents(v)", v=12.5) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-12-03", "3 dicembre"),
        ("2026-12-03T23:30:00Z", "4 dicembre"),
        ("2026-12-03T23:30:00+01:00", "3 dicembre"),
        ("2026-12-03T23:30:00", "3 dicembre"),
        ("2026-12-03 10:00:00", "3 dicembre"),
        ("3/12/2026", "3 dicembre"),
        ("03-12-2026", "3 dicembre"),
        ("03.12.2026 9:30", "3 dicembre"),
        (1796286600, "3 dicembre"),
        (1796286600000, "3 dicembre"),
        ("1796286600", "3 dicembre"),
    ],
)
def test_dates_read_as_in_italy_in_whatever_usual_form_they_come(raw, expected):
    assert value("date(v)", v=raw) == expected


def test_dates_have_longer_and_shorter_forms():
    assert value("date(v, 'weekday')", v="2026-12-03") == "giovedì 3 dicembre"
    assert value("date(v, 'year')", v="2026-12-03") == "3 dicembre 2026"
    assert value("date(v, 'short')", v="2026-12-03") == "3/12"


@pytest.mark.parametrize(
    "raw",
    [
        "2026-13-01",
        "31/02/2026",
        "domani",
        "",
        "12/25/2026",
        -1,
        0,
        1e300,
        10**30,
        True,
        "0001-01-01",
        "9999-12-31T23:59:59-23:59",
        "2026-12-03T10:00 and more",
        "2026-W49-4",
    ],
)
def test_what_is_not_a_date_is_none(raw):
    assert value("date(v)", v=raw) is None


def test_times_are_those_of_rome():
    assert value("time(v)", v="2026-12-03T08:30:00Z") == "9:30"
    assert value("time(v)", v="2026-07-03T08:05:00Z") == "10:05"
    assert value("time(v)", v="2026-12-03T09:30:00") == "9:30"
    assert value("time(v)", v="2026-12-03") is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("MARIO ROSSI", "Mario Rossi"),
        ("mario de luca", "Mario De Luca"),
        ("D'ANGELO", "D'Angelo"),
        ("dall’acqua", "Dall’Acqua"),
        ("NICOLO' BIANCHI-VERDI", "Nicolo' Bianchi-Verdi"),
        ("niccolò", "Niccolò"),
        ("McDonald", "McDonald"),
    ],
)
def test_names_get_their_capitals(raw, expected):
    assert value("title(v)", v=raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("mario rossi", "Mario"),
        ("  ANNA  ", "Anna"),
        ("Dott.ssa Lucia Neri", "Lucia"),
        ("Sig. d'angelo", "D'Angelo"),
        ("Maria-Grazia Verdi", "Maria-Grazia"),
        ("Rossi, Mario", "Rossi"),
    ],
)
def test_a_first_name_is_extracted_from_a_full_one(raw, expected):
    assert value("first_name(v)", v=raw) == expected


@pytest.mark.parametrize(
    "raw",
    ["https://evil.example", "evil.example vinci", "<b>", "3331231234", "x" * 31, "", "Dott."],
)
def test_what_is_not_a_name_gives_no_first_name(raw):
    assert value("first_name(v)", v=raw) is None


def test_three_days_before_the_due_date_at_nine_can_be_expressed():
    expression = "at(days_before(due, `3`), '09:00')"
    assert value(expression, due="2026-12-16") == "2026-12-13T09:00:00+01:00"
    assert value(expression, due="16/12/2026") == "2026-12-13T09:00:00+01:00"
    assert value(expression, due="2026-07-16T23:30:00Z") == "2026-07-14T09:00:00+02:00"
    assert value(expression, due=None) is None
    assert value("days_after(d, `30`)", d="2026-12-16") == "2027-01-15"


def test_days_keep_their_hour_over_a_clock_change():
    assert (
        value("days_before(v, `1`)", v="2026-10-25T12:00:00+01:00") == "2026-10-24T12:00:00+02:00"
    )


@pytest.mark.parametrize("clock", ["25:00", "9", "nine", "12:60", ""])
def test_an_invalid_hour_gives_none(clock):
    assert value(f"at(v, '{clock}')", v="2026-12-03") is None


@pytest.mark.parametrize(
    ("expression", "proposal"),
    [("eur(a)", "euro()"), ("fist_name(a)", "first_name()"), ("a[", ""), ("", "")],
)
def test_a_bad_expression_is_refused_with_what_may_have_been_meant(expression, proposal):
    with pytest.raises(BadExpression) as refused:
        compile_expression(expression)
    assert proposal in refused.value.proposal


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
CALLS = [
    compile_expression(text)
    for text in (
        "euro(v)",
        "euro_cents(v)",
        "date(v)",
        "date(v, 'weekday')",
        "time(v)",
        "title(v)",
        "first_name(v)",
        "days_before(v, `3`)",
        "days_after(v, w)",
        "at(v, '09:00')",
        "at(v, w)",
        "powertools_json(v)",
        "powertools_base64(v)",
        "to_number(v)",
        "sum(v)",
        "avg(v)",
        "join(w, v)",
        "sort(v)",
        "v[::w]",
        "v.a || w",
        "max_by(v, &a)",
        "contains(v, w)",
        "abs(v)",
        "ceil(v)",
    )
    if text != "v[::w]"
]


@given(v=JSON, w=JSON)
def test_no_value_makes_a_function_raise(v, w):
    for expression in CALLS:
        expression.of({"v": v, "w": w})
    for expression in CALLS:
        expression.of(v)
