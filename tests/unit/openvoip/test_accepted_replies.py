"""`AcceptedReplies`: what an operator may declare a success, and what it does."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoip_sms.openvoip.accepted_replies import NotAcceptable, accepted_replies
from openvoip_sms.openvoip.replies import read_reply
from openvoip_sms.rules.call_result import CallOutcome
from tests.template import template

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
PATTERN = re.compile(template()["Parameters"]["AcceptedReplies"]["AllowedPattern"])
PUBLISHED_REFUSALS = [
    "ERR: 020 Errore nel numero di destinazione",
    "ERR: 099 Errore generico",
    "err: 020",
    "020",
    "99",
    "[20]",
    "[099]",
    '"020"',
    '["020", "Errore nel numero di destinazione"]',
    "020 Errore nel numero di destinazione",
    "Errore nel numero di destinazione",
    "ERRORE GENERICO",
    "Errore  generico.",
    "Security error",
    "ATTENZIONE: security error (-1)",
]
IN_OBJECTS = [
    '{"exit_status":"-1","exit_string":"Security error"}',
    '{"exit_status":"1","exit_string":"Security error"}',
    '{"exit_status":"20","exit_string":"Errore nel numero di destinazione"}',
    '{"exit_status":"099","exit_string":""}',
    '{"exit_status":20}',
    '{"exit_status":"-1","exit_string":"Altro"}',
    '[{"exit_status":"020"}]',
]
SHORT = [";", " ; ", "a", "OK;", ";OK", "OK;;Inviato", "OK; x ;Inviato", "0"]
HTML = [
    "<html><body>OK</body></html>",
    "OK<br>",
    "<p>Inviato</p>",
    "<!DOCTYPE html>",
    "OK;Inviato <b>ora</b>",
]
GOOD = {
    "": set(),
    "  ": set(),
    "Messaggio preso in carico": {"Messaggio preso in carico"},
    " OK inviato ; Messaggio accettato\n": {"OK inviato", "Messaggio accettato"},
    "OK": {"OK"},
    '{"stato":"inviato"};[1]': {'{"stato":"inviato"}', "[1]"},
    "200 OK inviato": {"200 OK inviato"},
    "Inviato a 1 destinatario, 99 crediti": {"Inviato a 1 destinatario, 99 crediti"},
}


@pytest.mark.parametrize(("setting", "replies"), GOOD.items())
def test_whole_replies_are_separated_by_semicolons_and_trimmed(setting, replies):
    assert accepted_replies(setting) == replies
    assert PATTERN.fullmatch(setting)


@pytest.mark.parametrize("setting", PUBLISHED_REFUSALS + SHORT + HTML)
@pytest.mark.parametrize("around", ["{}", "OK inviato;{}", "{};OK inviato"])
def test_a_refusal_html_or_less_than_two_characters_fails_the_deployment(setting, around):
    whole = around.format(setting)
    with pytest.raises(NotAcceptable, match=r"^reply \d "):
        accepted_replies(whole)
    assert not PATTERN.fullmatch(whole)


@pytest.mark.parametrize("setting", IN_OBJECTS)
def test_a_refusal_as_an_object_is_found_before_the_deployment(setting):
    with pytest.raises(NotAcceptable, match="refusal"):
        accepted_replies(f"OK inviato;{setting}")


def test_the_reply_at_fault_is_named_by_its_number_and_not_repeated():
    with pytest.raises(NotAcceptable) as refused:
        accepted_replies("OK inviato;ERR: 020 al numero 3331234567")
    assert str(refused.value).startswith("reply 2 ")
    assert "333" not in str(refused.value)


@given(st.text(st.sampled_from("ab0;<> \n29"), max_size=12))
def test_the_template_lets_pass_what_is_fit(setting):
    try:
        replies = accepted_replies(setting)
    except NotAcceptable:
        return
    assert PATTERN.fullmatch(setting)
    assert all(len(one) >= 2 and "<" not in one and one == one.strip() for one in replies)


def read(body, status=200, accepted=frozenset({"Messaggio preso in carico"})):
    return read_reply(status, body.encode(), None, NOW, accepted=accepted).outcome


@pytest.mark.parametrize("around", ["{}", " {}\r\n", "\ufeff{}\n"])
def test_a_confirmed_reply_is_an_acceptance_after_trimming(around):
    assert read(around.format("Messaggio preso in carico")) is CallOutcome.ACCEPTED


@pytest.mark.parametrize(
    "body",
    [
        "",
        "messaggio preso in carico",
        "Messaggio preso in carico.",
        "Messaggio  preso in carico",
        "Messaggio preso in caric",
        "Messaggio preso in carico\nWarning: credito esaurito",
        '"Messaggio preso in carico"',
        "Messaggio preso in carico;",
        "Messaggio preso in carico\x00",
    ],
)
def test_anything_but_the_whole_reply_stays_a_doubt(body):
    assert read(body) is CallOutcome.UNCERTAIN


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, CallOutcome.UNCERTAIN),
        (202, CallOutcome.UNCERTAIN),
        (206, CallOutcome.UNCERTAIN),
        (302, CallOutcome.MISCONFIGURED),
        (404, CallOutcome.MISCONFIGURED),
        (500, CallOutcome.UNCERTAIN),
        (503, CallOutcome.BUSY),
    ],
)
def test_a_confirmed_reply_counts_with_status_200_only(status, outcome):
    assert read("Messaggio preso in carico", status) is outcome


def test_a_reply_that_is_not_whole_is_none():
    accepted = frozenset({"[1]"})
    result = read_reply(200, b"[1]", None, NOW, fault="IncompleteRead", accepted=accepted)
    assert result.outcome is CallOutcome.UNCERTAIN


@pytest.mark.parametrize("body", PUBLISHED_REFUSALS[:8] + IN_OBJECTS[:4])
def test_no_setting_turns_a_published_refusal_into_an_acceptance(body):
    plain = read_reply(200, body.encode(), None, NOW).outcome
    assert plain is not CallOutcome.UNCERTAIN
    assert read(body, accepted=frozenset({body})) is plain


def test_what_stands_on_a_record_can_be_copied_into_the_setting():
    body = json.dumps({"stato": "inviato", "nota": "è in coda"}, ensure_ascii=False)
    shown = read_reply(200, f" {body}\n".encode(), None, NOW).raw
    assert read(f" {body}\n", accepted=accepted_replies(shown)) is CallOutcome.ACCEPTED
