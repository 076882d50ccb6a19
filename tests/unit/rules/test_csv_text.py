"""CSV that Excel opens as it is, without a cell that becomes a formula."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.csv_text import csv_text


def read(text):
    """As another program reads it."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


def test_it_is_utf_8_for_excel_with_a_header_and_semicolons():
    text = csv_text(["id", "text"], [{"id": "m-1", "text": "È pronto"}])
    assert text == "\ufeffid;text\r\nm-1;È pronto\r\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_starts_a_formula(first):
    assert read(csv_text(["a"], [{"a": f"{first}1+1"}]))[1] == [f"'{first}1+1"]


def test_a_number_keeps_its_plus_in_excel():
    """Excel would show 3,93331E+11; this service reads the number with the apostrophe too."""
    assert read(csv_text(["to"], [{"to": "+393331234567"}]))[1] == ["'+393331234567"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (0.09, "0,09"),
        (Decimal("0.10"), "0,10"),
        (1e-7, "0,0000001"),
        (3, "3"),
        (True, "true"),
        ("a;b", "a;b"),
        ('"', '"'),
        ("a\nb", "a\nb"),
        ("a=b", "a=b"),
    ],
)
def test_each_value_has_its_cell(value, cell):
    assert read(csv_text(["a", "b"], [{"a": value}]))[1] == [cell, ""]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4))
def test_whatever_the_texts_are_each_is_one_cell_and_no_formula(texts):
    rows = read(csv_text(["a", "b"], [{"a": text, "b": "fine"} for text in texts]))
    assert [row[0].removeprefix("'") for row in rows[1:]] == [t.removeprefix("'") for t in texts]
    assert all(row[1] == "fine" for row in rows[1:])
    assert not [row for row in rows if row[0].startswith(("=", "+", "-", "@", "\t", "\r"))]
