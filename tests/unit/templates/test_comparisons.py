"""A comparison decides by what the values are, whether they come as number or as text."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.templates.expressions import compile_expression

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def value(expression, **data):
    return compile_expression(expression).at(NOW).of(data)


@pytest.mark.parametrize(
    ("expression", "total", "expected"),
    [
        ("total > `50`", "49.90", False),
        ("total > `50`", "150.00", True),
        ("total >= `50`", "50.00", True),
        ("total < `9`", "10", False),
        ("total == `50`", "50.00", True),
        ("total != `50`", "50.00", False),
        ("total != `50`", "50.01", True),
        ("total > '50'", 150, True),
        ("total > '50'", "150", True),
        ("total == '50'", 50, True),
        ("total == `7`", "007", False),
        ("total == `50`", "50,00", False),
        ("total == '50'", "50.00", False),  # two texts: as they are
        ("total == `true`", "true", False),
        ("total == `1`", True, False),
        ("to_number(total) > `50`", "51", True),
    ],
)
def test_a_number_and_a_text_that_is_one_are_compared_as_numbers(expression, total, expected):
    assert value(expression, total=total) is expected


@pytest.mark.parametrize("total", [None, "", "molto", "1.234,50", [], {}, True])
def test_what_is_no_number_is_neither_more_nor_less(total):
    assert not value("total > `50`", total=total)
    assert not value("total <= `50`", total=total)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Anna", 50),
        ("1.234,50", 50),
        ("", 50),
        ("49,90", "50"),
        ("Anna", "50"),
        ("presto", "2026-01-01"),
        ("0000-00-00 00:00:00", "2026-01-01"),
        ("presto", 1796286600),
    ],
)
def test_what_has_no_order_is_false_and_the_rest_of_the_expression_applies(left, right, operator):
    data = {"a": left, "b": right}
    for one in (f"a {operator} b", f"b {operator} a"):
        assert value(one, **data) is False
        assert value(f"{one} && 'x' || 'y'", **data) == "y"
        assert value(f"!({one}) && 'x' || 'y'", **data) == "x"
        assert value(f"{one} || c == 'sì'", **data, c="sì") is True


@pytest.mark.parametrize("other", [None, [], {}, True, "Anna", "7", "2026-01-01", 7, 7.5, 1e300])
@pytest.mark.parametrize("one", [None, [], {}, True, "Anna", "7", "2026-01-01", 7, 7.5, -1])
@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_no_comparison_takes_the_rest_of_an_expression_along(one, other, operator):
    assert value(f"[(a {operator} b) && `1` || `1`, 'rest']", a=one, b=other) == [1, "rest"]


def test_a_filter_compares_in_the_same_way():
    lines = [{"price": "9.90"}, {"price": "99.00"}, {"price": 100}]
    assert value("lines[?price > `50`].price", lines=lines) == ["99.00", 100]


@pytest.mark.parametrize(
    ("expression", "when", "expected"),
    [
        ("v > now()", "2026-11-24T10:31:00+01:00", True),
        ("v > now()", "2026-11-24T10:29:00+01:00", False),
        ("v > now()", "24/11/2026 10:31", True),
        ("v >= now()", "2026-11-24", True),  # the day is not over
        ("v < now()", "2026-11-24", False),
        ("days_after(v, `7`) < now()", "2026-11-17T10:29:00+01:00", True),
        ("v > '2026-01-01'", "01/12/2026", True),
        ("v > now()", 1796286600, True),  # seconds since 1970
        ("v > now()", 1764000000, False),
        ("v > 'alfa'", "beta", True),  # words: the order of the texts
    ],
)
def test_times_are_compared_as_times(expression, when, expected):
    assert value(expression, v=when) is expected


@given(st.decimals(-(10**9), 10**9, places=2), st.decimals(-(10**9), 10**9, places=2))
def test_the_order_of_two_amounts_does_not_depend_on_how_they_are_written(first, second):
    texts = {"a": f"{first:f}", "b": f"{second:f}"}
    numbers = {"a": float(first), "b": float(second)}
    for data in (texts, numbers, texts | {"b": numbers["b"]}, texts | {"a": numbers["a"]}):
        assert value("a < b", **data) is (first < second)
        assert value("a >= b", **data) is (first >= second)


def test_now_is_a_time_in_rome_and_nothing_without_a_clock():
    assert value("now()") == "2026-11-24T10:30:00+01:00"
    assert value("date(now())") == "24 novembre"
    assert value("at(days_after(now(), `1`), '09:00')") == "2026-11-25T09:00:00+01:00"
    assert compile_expression("now()").of({}) is None
