"""What an expression cannot mean is refused when it is read, with what may have been meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.templates.expressions import BadExpression, compile_expression
from openvoip_sms.templates.text_template import BadTemplate, compile_template, render


def faults(expression):
    with pytest.raises(BadExpression) as refused:
        compile_expression(expression)
    return refused.value.faults


@pytest.mark.parametrize(
    ("written", "proposed"),
    [
        ("status = 'x'", "status == 'x'"),
        ("status === 'x'", "status == 'x'"),
        ("status <> 'x'", "status != 'x'"),
        ("a and b", "a && b"),
        ("a AND b or c", "a && b || c"),
        ("a & b", "a && b"),
        ("not paid", "!paid"),
        ("status == 'x' and total > 50", "status == 'x' && total > `50`"),
        ("status == 'nero and bianco' and a", "status == 'nero and bianco' && a"),
        ("total > 49,90", "total > `49.90`"),
        ("x == -5", "x == `-5`"),
        ("5 < x", "`5` < x"),
        ("total => 5", "total >= `5`"),
        ("at(days_before(x, 3), '09:00')", "at(days_before(x, `3`), '09:00')"),
        ("nome ?? 'cliente'", "nome || 'cliente'"),
        ("nome or 'cliente'", "nome || 'cliente'"),
        ("nome | default: 'cliente'", "nome || 'cliente'"),
        ("a ? 'b' : 'c'", "a && 'b' || 'c'"),
        ("status in ['a', 'b']", "contains(['a', 'b'], status)"),
        ("status is not null", "status != `null`"),
        ("$.x", "x"),
        ("$.customer.first_name", "customer.first_name"),
        (".x", "x"),
        ("data['x']", "data.x"),
        ('data["x-y"].z', 'data."x-y".z'),
        ("your-tel", '"your-tel"'),
        ("billing.codice-fiscale", 'billing."codice-fiscale"'),
        ("first_name(your-name) || ''", "first_name(\"your-name\") || ''"),
        ("città", '"città"'),
        ("fields[telefono][value]", '"fields[telefono][value]"'),
        ("nome e cognome", '"nome e cognome"'),
        ("1.3", '"1.3"'),
        ("3", '"3"'),
        ("+393331231234", "'+393331231234'"),
        ("+39 333 123 1234", "'+39 333 123 1234'"),
        ("@nome", "nome"),
        ("ordine?.nome", "ordine.nome"),
        ("ordine->nome", "ordine.nome"),
        ("righe.0.nome", "righe[0].nome"),
        ('nome or "cliente"', "nome || 'cliente'"),
        ('nome ? "a" : "b"', "nome && 'a' || 'b'"),
        ("nome;", "nome"),
        ("status == “completed”", "status == 'completed'"),
        ("nome || ‘cliente’", "nome || 'cliente'"),
        ("nome\u00a0|| 'cliente'", "nome || 'cliente'"),
    ],
)
def test_what_other_languages_write_is_proposed_as_it_is_written_here(written, proposed):
    [fault] = faults(written)
    assert fault.proposal.startswith(f"Did you mean {proposed}?")
    compile_expression(proposed)


def test_quotes_that_yaml_would_take_for_its_own_are_shown_inside_of_others():
    [fault] = faults("your-tel")
    assert """In YAML: '"your-tel"', in a text {\\"your-tel\\"}.""" in fault.proposal
    [fault] = faults("+393331231234")
    assert """In YAML: "'+393331231234'".""" in fault.proposal


@pytest.mark.parametrize("written", ["a[", "name's", "", "a == ~ b", "x.(", "| a", "a ||"])
def test_nothing_is_proposed_where_nothing_is_likely(written):
    [fault] = faults(written)
    assert fault.proposal == ""


@given(st.text(st.sampled_from("ab .=!<>&|'\"`()[]$?:-+5à,"), max_size=12))
def test_a_proposal_is_an_expression_that_can_be_used(written):
    try:
        compile_expression(written)
    except BadExpression as refused:
        for fault in refused.faults:
            if fault.proposal.startswith("Did you mean ") and not fault.proposal.endswith("()?"):
                proposed = fault.proposal.removeprefix("Did you mean ").partition("? In YAML")[0]
                compile_expression(proposed.removesuffix("?"))


# Double quotes


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('status == "completed"', "completed"),
        ('status != "completed"', "completed"),
        ('status == "on-hold"', "on-hold"),
        ('order.status == "in lavorazione"', "in lavorazione"),
        ('lines[0].status == "ok"', "ok"),
        ('"completed" == status', "completed"),
        ('"status" == "completed"', "completed"),
        ('answers[?field.ref == "telefono"].text', "telefono"),
        ("a == 'x' && (b || c == \"y\")", "y"),
        ('nome || "cliente"', "cliente"),
        ('nome || "Gentile cliente"', "Gentile cliente"),
        ('nome || ""', ""),
        ('first_name(nome || "cliente")', "cliente"),
        ('first_name(nome) || altro || "cliente"', "cliente"),
        ('not_null(nome, "cliente")', "cliente"),
        ('contains(tags, "vip")', "vip"),
        ('starts_with(nome, "Dott")', "Dott"),
        ('at(quando, "09:00")', "09:00"),
        ("nome && \"Signora\" || 'Cliente'", "Signora"),
        ('pagato && "Gentile cliente"', "Gentile cliente"),
        ("contains([\"completed\", 'processing'], status)", "completed"),
        ("contains(['a', \"on-hold\"], status)", "on-hold"),
        ('join(", ", nomi)', ", "),
        ('"+393331231234"', "+393331231234"),
        ('telefono || "+39 333 1231234"', "+39 333 1231234"),
    ],
)
def test_a_text_in_double_quotes_is_refused_with_the_same_in_single_ones(written, text):
    [fault] = faults(written)
    assert f'"{text}" in double quotes is the name of a field' in fault.reason
    assert f"'{text}' in single quotes" in fault.proposal


@pytest.mark.parametrize(
    ("written", "data", "expected"),
    [
        ("\"your-status\" == 'x'", {"your-status": "x"}, True),
        ('"your-total" > `5`', {"your-total": 6}, True),
        ("'x' == \"your-status\"", {"your-status": "x"}, True),
        ("\"status\" == 'x'", {"status": "x"}, True),
        ('"fields[nome][value]" || Nome', {"Nome": "Ada"}, "Ada"),
        ('Nome || "fields[nome][value]"', {"fields[nome][value]": "Ada"}, "Ada"),
        ('telefono || "your-tel"', {"your-tel": "1"}, "1"),
        ('"1.3"', {"1.3": "Ada"}, "Ada"),
        ('Nome || "1.3"', {"1.3": "Ada"}, "Ada"),
        ('first_name("your-name")', {"your-name": "ada"}, "Ada"),
        ('status == order."last-status"', {"status": 1, "order": {"last-status": 1}}, True),
        ('a == @."b c"', {"a": 1, "b c": 1}, True),
        ("contains(@.\"le-mie\", 'x')", {"le-mie": ["x"]}, True),
        ("a || b", {"b": "x"}, "x"),
        ('a && "your-tel"', {"a": 1, "your-tel": "x"}, "x"),
        ("contains([@.\"b c\"], 'x')", {"b c": "x"}, True),
        (
            'join(\' \', ["your-name", "your-surname"])',
            {"your-name": "a", "your-surname": "b"},
            "a b",
        ),
    ],
)
def test_a_name_in_double_quotes_that_is_one_stays_allowed(written, data, expected):
    assert compile_expression(written).of(data) == expected


def test_an_apostrophe_in_the_proposed_text_is_escaped():
    [fault] = faults('nome || "l\'ospite"')
    assert r"'l\'ospite'" in fault.proposal


@pytest.mark.parametrize("word", ["true", "false"])
def test_true_and_false_without_backticks_are_no_values(word):
    [fault] = faults(f"paid == {word}")
    assert fault.proposal == f"Write `{word}` in backticks."
    assert compile_expression(f"paid == `{word}`").of({"paid": word == "true"}) is True


def test_every_fault_of_an_expression_is_told():
    found = faults('a == "x" && b == "y" && eur(c)')
    assert [fault.reason[:5] for fault in found] == ['"x" i', '"y" i', "no fu"]


# Texts


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Ciao {{ nome }}", "{nome}"),
        ("Ciao {{nome}}", "{nome}"),
        ("Ordine {{ order.name }} pronto", "{order.name}"),
        ("Ordine {{ order['name'] }}", "{order.name}"),
        ("Ciao {{ nome | default: 'x' }}", "{nome || 'x'}"),
        ('Ciao {{ nome or "x" }}', "{nome || 'x'}"),
        ("Ciao {{your-name}}", '{"your-name"}'),
        ("Ciao {{ nome | first_name }}", "{nome | first_name(@)}"),
        ("Ciao {{ $json.nome }}", "{json.nome}"),
    ],
)
def test_doubled_braces_around_words_are_refused_with_the_single_form(text, right):
    with pytest.raises(BadTemplate) as refused:
        compile_template(text)
    [fault] = refused.value.faults
    assert fault.proposal.startswith(f"Write {right};")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Ciao ${nome}", "Write the brace alone"),
        ("Ciao $nome, pronto", "Write {nome}"),
        ("Ciao [your-name]", 'Write {"your-name"}'),
        ("Ordine [_serial_number]", "Write {_serial_number}"),
        ("Ciao [[nome]]", "Write {nome}"),
        ("Ciao [[ Nome e cognome ]]", 'Write {"Nome e cognome"}'),
        ("Ciao %NOME%!", "Write {NOME}"),
        ("Ciao *|FNAME|*", "Write {FNAME}"),
        ("Ciao <%= nome %>", "Write {nome}"),
    ],
)
def test_placeholders_of_other_languages_are_refused_with_the_right_form(text, right):
    with pytest.raises(BadTemplate) as refused:
        compile_template(text)
    [fault] = refused.value.faults
    assert fault.proposal.startswith(f"{right};")
    itself = fault.proposal.partition("themselves ")[2].removesuffix(".")
    assert render(compile_template(f"Ecco {itself}"), {}).removeprefix("Ecco ") in f"{text}{{"


@pytest.mark.parametrize(
    "text",
    [
        "Sconto 10%, oggi 20%.",
        "-10%{codice}%",
        "Costa $ {prezzo}, o 5$",
        "Ordine #{numero} [no-reply] [1] <3",
        "Scrivici: info@{dominio}",
        "US$ 12, 100%vero",
        "[Bottega] [[1]] *|* <= %%",
        "https://x.example.it/?a=%20b%C3%A8&c=[x]",
    ],
)
def test_what_only_looks_like_one_stays(text):
    compile_template(text)


@pytest.mark.parametrize(
    ("written", "proposed"),
    [
        ("nome | first_name", "Write | first_name(@) for the function; write .first_name"),
        ("totale|euro", "Write | euro(@) for the function"),
        ("nome | upper", "There is no such function; write .upper for the field."),
        ("(a || b) | title", "Write | title(@)"),
    ],
)
def test_a_filter_of_another_language_is_no_field(written, proposed):
    [fault] = faults(written)
    assert fault.proposal.startswith(proposed)
    for right in ("nome | first_name(@)", "shop | name", "righe | [0]", 'nome | "upper"'):
        compile_expression(right)


def test_the_proposed_way_to_write_braces_around_a_word_works():
    assert render(compile_template("{'{'}nome{'}'} {{{a}}} {{1}}"), {"a": 7}) == "{nome} {7} {1}"


def test_every_fault_of_a_text_is_told():
    with pytest.raises(BadTemplate) as refused:
        compile_template("{{ nome }} {eur(a)} } {} {a = 'x'} {b || \"y\"} fine {c")
    reasons = [fault.reason for fault in refused.value.faults]
    parts = ["{{ nome }}", "no function eur()", "a } without", "nothing between", "{a = 'x'}"]
    parts += ['"y" in double', "a { without"]
    assert len(reasons) == len(parts)
    assert all(part in reason for part, reason in zip(parts, reasons, strict=True))
