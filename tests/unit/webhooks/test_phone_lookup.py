"""The lookup of the number: every place that was looked at, and why it had none."""

import json

import pytest

from openvoip_sms.webhooks.phone_lookup import MAX_NUMBERS, MAX_SHOWN
from openvoip_sms.webhooks.plan import plan_trusted
from tests.unit.webhooks.webhook_calls import NOW, call, json_call, preset


def planned(to, data, text="Ciao"):
    return plan_trusted(preset("make", to=to, message={"text": text}), json_call(data), NOW)


def lookups(to, data, text="Ciao"):
    (only,) = planned(to, data, text).messages
    return only.lookups


def test_the_lookups_end_at_the_first_mobile_whatever_becomes_of_the_message():
    data = {"a": "06 1234567", "b": "333 1234567", "c": "347 1234567"}
    for text in ("Ciao", "Ciao {nobody}"):  # to be sent, and rejected
        first, second = lookups(["a", "b", "c"], data, text)
        assert (first.path, first.mobile, first.reason) == ("a", "", "landline")
        assert (second.path, second.mobile, second.reason) == ("b", "+393331234567", "")


@pytest.mark.parametrize(
    ("found", "reason", "value", "sentence"),
    [
        (None, "missing", "", "There is nothing."),
        (False, "missing", "", "There is nothing."),
        ([], "missing", "", "There is nothing."),
        (" \t", "missing", "", "There is nothing."),
        (True, "wrong_type", "true", "neither text nor a whole number"),
        (3331234567.0, "decimal", "3331234567.0", "decimal of a spreadsheet"),
        (333123456.7, "decimal", "333123456.7", "decimal of a spreadsheet"),
        (0.0, "decimal", "0.0", "decimal of a spreadsheet"),
        (1e300, "decimal", "1e+300", "decimal of a spreadsheet"),
        (" " * 1000, "too_long", " " * MAX_SHOWN + "…", "too long"),
        ({"n": "è"}, "wrong_type", '{"n": "è"}', "neither text nor a whole number"),
        ("06 1234567", "landline", "06 1234567", "landline"),
        ("+44 7911 123456", "foreign", "+44 7911 123456", "not Italian"),
        ("\u200b", "empty", "\u200b", "no digit"),
        (0, "landline", "0", "landline"),
    ],
)
def test_a_value_that_is_not_a_mobile_says_why(found, reason, value, sentence):
    (only,) = lookups("a", {"a": found})
    assert (only.mobile, only.reason, only.value) == ("", reason, value)
    assert sentence in only.detail


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"phone=%2B3906123456", "landline"),
        (b"phone=+3906123456", "ambiguous_prefix"),  # the plus is a space in a form
        (b"phone=+39+06+123456", "landline"),
        (b"phone=(+39)+02+345678", "landline"),
        (b"phone=39+338+1234", "too_short"),
    ],
)
def test_a_landline_of_a_form_whose_plus_is_lost_reaches_nobody(body, reason):
    form = call(body, {"Content-Type": "application/x-www-form-urlencoded"})
    (only,) = plan_trusted(preset("make", to=["phone"]), form, NOW).messages
    assert (only.reason, only.detail) == ("no_mobile", f"phone: {reason}")


def test_a_number_of_a_form_whose_plus_is_lost_is_read_as_before():
    form = call(b"phone=+39+333+1234567", {"Content-Type": "application/x-www-form-urlencoded"})
    (only,) = plan_trusted(preset("make", to=["phone"]), form, NOW).messages
    assert only.to == "+393331234567"


def test_each_value_of_a_list_is_looked_at_up_to_ten():
    numbers = ["", "06 1234567", *["x"] * 20]
    found = lookups("a", {"a": numbers})
    assert [one.reason for one in found[:3]] == ["missing", "landline", "letters"]
    assert len(found) == MAX_NUMBERS == 10
    assert lookups("a", {"a": ["", "333 1234567", "06 1234567"]})[-1].mobile == "+393331234567"


def test_a_long_value_is_shown_short():
    (only,) = lookups("a", {"a": "x" * 1000})
    assert only.value == "x" * MAX_SHOWN + "…"


def test_looked_up_values_are_in_no_repr():
    data = {"a": "06 7654321", "b": {"private": 1}, "c": "333 1234567"}
    for paths in (["a", "b", "c"], ["a", "b"]):
        shown = repr(planned(paths, data))
        assert "landline" in shown
        for trace in ("7654321", "private", "1234567"):
            assert trace in json.dumps(data)
            assert trace not in shown


def test_a_plan_names_the_definition_of_each_outcome_and_none_for_another_topic():
    shop = preset("shopify", messages={"orders/paid": [{"text": "a"}, {"name": "b", "text": "b"}]})
    topic = {"X-Shopify-Topic": "orders/paid"}
    (event,) = plan_trusted(shop, json_call({"phone": "333 1234567"}, topic), NOW).events
    assert event.definitions == shop.messages["orders/paid"]
    (event,) = plan_trusted(shop, json_call({}), NOW).events
    assert (event.definitions, event.messages[0].reason) == ((), "other_topic")
