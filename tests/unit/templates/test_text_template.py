"""Texts with expressions in braces: the result reads as if a person had written it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.rules.text import InvalidText, check_text
from openvoip_sms.templates.text_template import (
    BadTemplate,
    MissingValue,
    NotText,
    compile_template,
    render,
)


def text(template, **data):
    return render(compile_template(template), data)


def test_values_replace_their_expressions():
    assert text("Ciao {a}, ordine {b.c[1]}.", a="Anna", b={"c": [1, 2]}) == "Ciao Anna, ordine 2."


def test_doubled_braces_are_braces_where_they_hold_no_words():
    assert text("{{{a}}} {{10}} :{{ }} {{...}}", a="1") == "{1} {10} :{ } {...}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{a.{x: b, y: c}.x}", "1"),
        ("{ {x: a.b}.x}", "1"),
        ("{d[?e=='}'].f | [0]}", "2"),
        ('{d[?e==`"}"`].f | [0]}', "2"),
        ('{"a}b"}', "3"),
        (r"{d[?e=='\'}'].f | [0] || 'no'}", "no"),
    ],
)
def test_braces_inside_an_expression_belong_to_it(template, expected):
    data = {"a": {"b": "1", "c": "x"}, "d": [{"e": "}", "f": "2"}], "a}b": "3"}
    assert render(compile_template(template), data) == expected


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("a { b", "without its }"),
        ("a } b", "without its {"),
        ("{}", "nothing between"),
        ("{ }", "nothing between"),
        ("{a.}", "a."),
        ("{eur(a)}", "no function eur()"),
        ("{euro()}", "takes 1 argument"),
        ("{euro(a, b)}", "takes 1 argument"),
        ("{date(a, 'long')}", "form"),
        ("{name's}", "name's"),
    ],
)
def test_a_template_that_cannot_work_is_refused_when_it_is_read(template, part):
    with pytest.raises(BadTemplate) as refused:
        compile_template(template)
    assert part in refused.value.reason


@pytest.mark.parametrize("value", [None, "", "  ", "\t\n", "\u00a0", "\u202e"])
def test_a_missing_or_blank_value_stops_the_message_and_is_named(value):
    assert text("Ciao {a.b}!", a={"b": value}) == MissingValue("a.b")
    assert text("Ciao {a.b}!") == MissingValue("a.b")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_default_replaces_a_missing_or_blank_value(value):
    assert text("Ciao {a || 'cliente'}!", a=value) == "Ciao cliente!"
    assert text("Ciao {a || b || 'cliente'}!", a=value, b="Bea") == "Ciao Bea!"


def test_only_an_explicit_empty_default_may_leave_nothing():
    assert text("Pronto. {a || ''}") == "Pronto."
    assert text("Ciao {a || ''} e {b || ''} !", b=" ") == "Ciao e !"
    assert text("{c[].d | [0] || ''}.", c=[]) == "."
    assert text("Grazie {a || ''}, a {b || ''} {c || ''}: {d}", d=1) == "Grazie, a: 1"
    assert text("{a && b}.", a="x") == MissingValue("a && b")


@pytest.mark.parametrize("value", [True, False, [], ["a"], {}, {"a": 1}])
def test_booleans_lists_and_objects_are_not_text(value):
    assert text("a {v} b", v=value) == NotText("v")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (-5, "-5"),
        (820982911946154508, "820982911946154508"),
        (12.5, "12,5"),
        (3.0, "3"),
        (0.1, "0,1"),
        (1e22, "10000000000000000000000"),
        (1.5e-7, "0,00000015"),
    ],
)
def test_numbers_read_as_in_italy(value, expected):
    assert text("{v}", v=value) == expected


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_that_is_none_is_missing(value):
    assert text("{v}", v=value) == MissingValue("v")


def test_what_a_shopper_typed_is_never_read_as_an_expression():
    typed = "{secret} {{secret}} {euro(`1`)} ${secret} %s"
    assert text("Ciao {a}", a=typed, secret="x") == f"Ciao {typed}"


def test_control_characters_become_one_space():
    assert text("a{v}b", v="\x00x\r\n\ty\x1b\x7f\u2028z\u202e\ud800!") == "ax y z !b"


def test_line_breaks_of_the_template_stay():
    assert text("Ciao {a}\n\n{b || ''}  \nfine ", a="Anna") == "Ciao Anna\n\n\nfine"


def test_a_long_value_is_cut_at_a_word_to_sixty_characters():
    address = "Via della Repubblica numero centoventisette interno quattordici scala B"
    assert text("{v}", v=address) == "Via della Repubblica numero centoventisette interno..."
    assert text("{v}", v="x" * 61) == "x" * 57 + "..."
    assert text("{v}", v="x" * 60) == "x" * 60


def test_a_link_is_kept_whole_or_left_out_never_cut():
    link = "https://tracking.example.it/?" + "n" * 100
    assert text("{v}", v=link) == link
    too_long = link + "n" * 100
    assert text("Via. {v || ''}", v=too_long) == "Via."
    assert text("Via. {v}", v=too_long) == MissingValue("v")


def test_powertools_functions_open_what_is_packed():
    packed = {"j": '{"a":{"b":"Anna"}}', "b": "QW5uYQ=="}
    assert text("{powertools_json(j).a.b}", **packed) == "Anna"
    assert text("{powertools_base64(b)}", **packed) == "Anna"


@pytest.mark.parametrize("packed", [None, 1, "{", "[" * 200_000, "NaN", "9" * 5000])
def test_what_cannot_be_decoded_is_missing(packed):
    assert text("{powertools_json(j).a}", j=packed) == MissingValue("powertools_json(j).a")
    assert text("{powertools_base64(j) || 'x'}", j=packed) in ("x", "")


@pytest.mark.parametrize(
    "expression",
    [
        "join(', ', v)",
        "to_string(v)",
        "length(v)",
        "sum(v)",
        "max_by(v, &a)",
        "ceil(v)",
        "euro(v)",
        "date(v)",
        "time(v)",
        "title(v)",
        "first_name(v)",
        "days_before(v, `3`)",
        "at(v, '09:00')",
    ],
)
@pytest.mark.parametrize("value", [None, True, {"a": None}, [None, 1, "a"]])
def test_a_function_that_cannot_use_a_value_leaves_the_default(expression, value):
    shown = text(f"{{{expression} || 'niente'}}", v=value)
    assert shown == "niente" or shown.isdigit()


def test_a_list_can_be_joined():
    assert text("{join(', ', v[].n)}", v=[{"n": "pane"}, {"n": "vino"}]) == "pane, vino"


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_value_stays_one_short_printable_line(first, second):
    shown = text("[{a || ''}|{b || '-'}]", a=first, b=second)
    assert len(shown) <= 2 * 200 + 3
    assert "  " not in shown
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)


@given(st.text(max_size=60))
def test_any_template_compiles_or_is_refused(template):
    try:
        compiled = compile_template(template)
    except BadTemplate:
        return
    assert render(compiled, {}) is not None


@pytest.mark.parametrize(
    "value",
    ["Nicol\ufffd", "https://x.it/?a=Forl\ufffd", "x" * 58 + " Forl\ufffd", "www.x.it/\ufffd..."],
)
@pytest.mark.parametrize("text", ["Ciao {v || ''}.", "Vai su https://x.it/{v} ora", "{title(v)}"])
def test_a_value_that_was_not_utf_8_makes_the_text_refused(text, value):
    rendered = render(compile_template(text), {"v": value})
    with pytest.raises(InvalidText, match="UTF-8"):
        check_text(rendered)
