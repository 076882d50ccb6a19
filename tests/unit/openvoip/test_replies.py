"""The gateway's replies, in every published form, and in forms that only look similar."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openvoip_sms.openvoip.replies import MAX_RAW, read_reply, seconds_until
from openvoip_sms.rules.call_result import CallOutcome

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def read(body, status=200, retry_after=None):
    given = body if isinstance(body, bytes) else body.encode()
    return read_reply(status, given, retry_after, NOW)


# Published replies, in each form


@pytest.mark.parametrize(
    "body",
    [
        "[0]",
        " [ 0 ] \r\n",
        "\ufeff[0]",
        '["0"]',
        '["000"]',
        "[000]",
        "0",
        "000",
        '"000"',
        "'000'",
        "\r\n\t 000 \n",
        "000 Messaggio Inoltrato Correttamente",
        "000: messaggio inoltrato correttamente.",
        '"000 Messaggio Inoltrato Correttamente"',
        '["000", "Messaggio Inoltrato Correttamente"]',
        '{"exit_status":"000","exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"exit_status": 0, "exit_string": "Messaggio Inoltrato Correttamente"}',
        '{"exit_status":000,"exit_string":"Messaggio Inoltrato Correttamente"}',
        '[{"exit_status":"0","exit_string":""}]',
        '{"exit_string":"","exit_status":"0","id":"77"}',
        '{"exit_status":"0","id":"d0ab1cde-77","data":"2026-12-03 09:30","esito":"OK","n":3}',
        '{"exit_status":"0"}',
    ],
)
def test_a_published_acceptance_is_accepted_in_every_form(body):
    assert read(body).outcome is CallOutcome.ACCEPTED


@pytest.mark.parametrize(
    "body",
    [
        "[20]",
        "[020]",
        '["020"]',
        "20",
        "020",
        '"20"',
        " 020\r\n",
        "ERR: 020",
        "ERR: 020 Errore nel numero di destinazione",
        "err:20",
        "ERR 020 qualsiasi altra frase",
        "020 Errore nel numero di destinazione",
        '["20","Errore nel numero di destinazione"]',
        '{"exit_status":"020","exit_string":"Errore nel numero di destinazione"}',
        '{"exit_status":020,"exit_string":"Errore nel numero di destinazione"}',
        '{"exit_status":20,"exit_string":"altra frase"}',
    ],
)
def test_a_published_bad_destination_is_one_in_every_form(body):
    assert read(body).outcome is CallOutcome.BAD_DESTINATION


@pytest.mark.parametrize(
    "body",
    [
        "[99]",
        "[099]",
        "99",
        "099",
        "ERR: 099 Errore generico",
        "099 Errore generico",
        '{"exit_status":"99","exit_string":"Errore generico"}',
        '{"exit_status":"099","exit_string":""}',
        '{"exit_status": 99}',
    ],
)
def test_a_published_generic_error_is_one_in_every_form(body):
    assert read(body).outcome is CallOutcome.GENERIC_ERROR


@pytest.mark.parametrize(
    "body",
    [
        '{"exit_status":"-1","exit_string":"Security error"}',
        '{"exit_status":"1","exit_string":"Security error"}',
        '{"exit_status":-1,"exit_string":"Security error"}',
        '{"exit_status": 1, "exit_string": " security ERROR "}',
        '{"exit_status":"99","exit_string":"Security error"}',
        '[{"exit_status":"-1","exit_string":"Security error"}]',
    ],
)
def test_a_security_error_is_about_the_account(body):
    assert read(body).outcome is CallOutcome.BAD_CREDENTIALS


# The three lines of the guide's list, exactly as they stand there

LIST = [
    ("ERR: 000 Messaggio Inoltrato Correttamente", "000", CallOutcome.ACCEPTED),
    ("ERR: 020 Errore nel numero di destinazione", "020", CallOutcome.BAD_DESTINATION),
    ("ERR: 099 Errore generico", "099", CallOutcome.GENERIC_ERROR),
]


def forms_of(line):
    """The line in each form that a reply may take, as text, in an array or in an object."""
    label, code, sentence = line.split(" ", 2)
    without, head = f"{code} {sentence}", f"{label} {code}"
    for one in (line, without):
        yield from (one, f" {one}\r\n", f"'{one}'", f"{one}.", f"\ufeff{one}")
        yield from (json.dumps(one), json.dumps([one]), json.dumps([{"exit_status": one}]))
        yield json.dumps({"exit_string": one})
        yield json.dumps({"exit_status": one, "exit_string": ""})
        yield json.dumps({"exit_status": "", "exit_string": one})
        yield from (
            json.dumps({"exit_status": status, "exit_string": one})
            for status in (code, int(code), head, line, str(int(code)))
        )
    yield json.dumps([head, sentence])
    yield json.dumps([label, code, sentence])
    yield json.dumps([label.rstrip(":"), code, sentence])
    yield json.dumps([int(code), sentence])
    yield json.dumps({"exit_status": head, "exit_string": sentence})
    yield json.dumps({"exit_status": line, "exit_string": sentence})
    yield line.replace(" ", "  ")
    yield line.replace(" ", "\n")


@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title])
@pytest.mark.parametrize(("line", "code", "outcome"), LIST, ids=[code for _, code, _ in LIST])
def test_a_line_of_the_guides_list_counts_as_it_stands_there_in_every_form(
    line, code, outcome, change
):
    for form in forms_of(change(line)):
        assert (read(form).outcome, form) == (outcome, form)
        assert int(read(form).code) == int(code), form


@pytest.mark.parametrize(
    "body",
    [
        "ERR: 000",
        "ERR: 000 Errore generico",
        "ERR: 000 Errore nel numero di destinazione",
        "ERR: 000 Messaggio Inoltrato Correttamente ERR: 099 Errore generico",
        "ERR: 000 Messaggio Inoltrato Correttamente\nERR: 020 Errore nel numero di destinazione",
        "ERR: 000 Messaggio NON Inoltrato Correttamente",
        "ERR: 000 Messaggio Inoltrato Correttamente?",
        "ERR 0000 Messaggio Inoltrato Correttamente",
        "<p>ERR: 000 Messaggio Inoltrato Correttamente</p>",
        '["ERR: 000"]',
        '["ERR: 000","Errore generico"]',
        '["ERR: 000 Messaggio Inoltrato Correttamente","ERR: 099 Errore generico"]',
        '["ERR","000","Messaggio Inoltrato Correttamente","020"]',
        '["ERR","020","qualsiasi"]',
        '{"exit_status":"ERR: 000","exit_string":""}',
        '{"exit_status":"ERR: 000"}',
        '{"exit_status":"0","exit_string":"ERR: 000"}',
        '{"exit_status":"0","exit_string":"ERR: 020 Errore nel numero di destinazione"}',
        '{"exit_status":"0","exit_string":"Errore nel numero di destinazione"}',
        '{"exit_status":"20","exit_string":"ERR: 000 Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"99","exit_string":"000 Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"-1","exit_string":"ERR: 000 Messaggio Inoltrato Correttamente"}',
        '{"exit_status":null,"exit_string":"ERR: 000 Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"000 Messaggio Inoltrato Correttamente","exit_string":"Errore generico"}',
        '{"exit_status":"000 Credito insufficiente","exit_string":""}',
        '{"exit_status":"OK 020","exit_string":""}',
        '{"exit_status":"0","exit_string":"Security error"}',
        '{"exit_string":"000"}',
        '{"exit_string":"020 qualsiasi"}',
    ],
)
def test_what_only_resembles_a_line_of_the_list_stays_a_doubt(body):
    assert read(body).outcome is CallOutcome.UNCERTAIN


@given(st.text(max_size=30))
def test_a_status_of_zero_beside_other_words_stays_a_doubt(sentence):
    words = " ".join(re.sub(r"[\W_]+", " ", sentence).casefold().split())
    expected = words in {"", "messaggio inoltrato correttamente"}
    reply = read(json.dumps({"exit_status": "0", "exit_string": sentence}))
    if not expected:
        assert reply.outcome is CallOutcome.UNCERTAIN


# What only looks like it


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "\x00",
        "0 Errors",
        "0 errori",
        "0,0",
        "0 0",
        "00 messaggi inoltrati",
        "20 messaggi inoltrati",
        "99 problemi",
        "0x0",
        "-0",
        "+0",
        "0.0",
        "0e0",
        "0000",
        "٠",  # a zero in Arabic digits
        "false",
        "null",
        "true",
        "NaN",
        "OK",
        "ERR: 0",
        "ERR: 020 Messaggio Inoltrato Correttamente",
        "OK 020",
        "OKORE 000",
        "OK: 99",
        "Messaggio Inoltrato Correttamente",
        "Security error",
        "[]",
        "[0,0]",
        "[0, 20]",
        "[false]",
        "[null]",
        "[[0]]",
        "[-0]",
        "[0.0]",
        "[0",
        "0]",
        '["000","Errore generico"]',
        '["000","Messaggio Inoltrato Correttamente","020"]',
        "{}",
        '{"exit_status":null}',
        '{"exit_status":false,"exit_string":""}',
        '{"exit_status":[0]}',
        '{"exit_status":"0","exit_string":null}',
        '{"exit_status":"","exit_string":"Security error"}',
        '{"exit_status":0,"exit_string":"Security error"}',
        '{"exit_status":"0000","exit_string":"Security error"}',
        '{"exit_status":"-0","exit_string":"Security error"}',
        '{"exit_status":0.0,"exit_string":"Security error"}',
        '{"exit_status":"boh","exit_string":"Security error"}',
        '{"exit_status":"0","exit_string":"Errore generico"}',
        '{"exit_status":"0","exit_string":"Messaggio non inoltrato"}',
        '{"exit_status":"0","exit_string":"Credito insufficiente"}',
        '{"exit_status":"0","error":"Credito insufficiente"}',
        '{"exit_status":0,"exit_string":"","messaggio":"Errore"}',
        '{"exit_status":"99","exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"20","exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"20","exit_status":"0"}',
        '{"exit_status":"-1","exit_string":"Altro errore"}',
        '{"exit_status":"1"}',
        '{"exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"status":"0"}',
        '{"exit_status":"0","exit_string":"',
        "<html><body>0</body></html>",
        "0<br>",
        "0\n<html>",
        "<!DOCTYPE html><title>000 Messaggio Inoltrato Correttamente</title>",
        "Warning: mysql_connect() in line 20",
        "[" * 50_000,
        '{"a":' * 20_000,
        "0" * 60_000,
        "9" * 60_000,
        b"\xff\xfe0\x000\x00",
        b"\xe8 0",
    ],
)
def test_a_near_miss_is_uncertain_and_never_success(body):
    assert read(body).outcome is CallOutcome.UNCERTAIN


def test_an_unpublished_code_is_uncertain_and_stored():
    reply = read("ERR: 042 Qualcosa di nuovo")
    assert (reply.outcome, reply.code) == (CallOutcome.UNCERTAIN, "042")
    assert reply.raw == "ERR: 042 Qualcosa di nuovo"


def test_the_gateways_own_code_is_stored_unchanged():
    assert read("020").code == "020"
    assert read('{"exit_status":"-1","exit_string":"Security error"}').code == "-1"


def test_a_long_reply_is_cut_for_the_record():
    assert read("x" * 4000).raw == "x" * MAX_RAW


# HTTP


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_gateway_was_not_reached_whatever_the_body_says(status):
    reply = read("[0]", status, "120")
    assert (reply.outcome, reply.retry_after) == (CallOutcome.BUSY, 120.0)
    assert reply.code == f"http_{status}"


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 418, 451])
def test_a_redirect_or_client_error_was_not_sent(status):
    assert read("[0]", status).outcome is CallOutcome.MISCONFIGURED


@pytest.mark.parametrize("status", [100, 101, 199, 500, 501, 502, 504, 505, 599, 600, 999])
def test_any_other_status_is_uncertain_whatever_the_body_says(status):
    assert read("[0]", status).outcome is CallOutcome.UNCERTAIN


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Tue, 24 Nov 2026 08:31:30 GMT", 90.0),
        ("Tue, 24 Nov 2026 09:31:30 +0100", 90.0),
        ("Tuesday, 24-Nov-26 08:31:30 GMT", 90.0),  # RFC 850, still allowed
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0.0),  # past
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("1" * 40, None),
        ("Tue, 99 Nov 2026 08:31:30 GMT", None),
        ("Tue, 24 Nov 2026 08:31:30", None),  # no zone
    ],
)
def test_retry_after_is_read_in_both_forms(value, seconds):
    assert seconds_until(value, NOW) == seconds


# Any reply

SENTENCE = "messaggio inoltrato correttamente"


def says_accepted(body):
    """An independent and simple-minded reading: code 0, no word but the published sentence.

    The code and the sentence may stand twice, as status and as string; the label of the list needs
    the sentence.
    """
    letters = "".join(c if c.isalnum() else " " for c in body.decode("utf-8", "replace"))
    words = letters.casefold().split()
    rest = [w for w in words if w not in ("exit", "status", "string", "ok")]
    labels = [w for w in rest if w in ("err", "error", "errore")]
    zeros = [w for w in rest if w in ("0", "00", "000")]
    said = " ".join(w for w in rest if w not in zeros and w not in labels)
    sentences = {SENTENCE, f"{SENTENCE} {SENTENCE}"} | (set() if labels else {""})
    return 1 <= len(zeros) <= 2 and said in sentences


pieces = st.sampled_from(
    '0 00 000 20 020 99 - . [ ] { } , : " " \' ERR: OK exit_status "exit_status" "exit_string"'
    " Messaggio Inoltrato Correttamente Errore generico Security error null false \ufeff".split(" ")
)


@given(st.binary(max_size=40) | st.lists(pieces, max_size=8).map(lambda p: " ".join(p).encode()))
@example(b"[0]")
def test_nothing_but_a_published_acceptance_is_ever_accepted(body):
    if read_reply(200, body, None, NOW).outcome is CallOutcome.ACCEPTED:
        assert says_accepted(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.floats() | st.sampled_from(["0", "20"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["exit_status", "exit_string", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(json_values)
def test_json_of_any_shape_is_accepted_only_for_a_lone_zero(value):
    reply = read(json.dumps(value))
    lone = value[0] if isinstance(value, list) and len(value) == 1 else value
    status = lone.get("exit_status") if isinstance(lone, dict) else lone
    if reply.outcome is CallOutcome.ACCEPTED:
        assert type(status) in (int, str)
        assert int(status) == 0


@given(
    st.integers(0, 999),
    st.binary(max_size=300),
    st.none() | st.text(max_size=40) | st.sampled_from(["Tue, 24 Nov 10000 00:00:00 GMT", "1e9"]),
)
def test_no_reply_makes_the_reader_raise(status, body, retry_after):
    reply = read_reply(status, body, retry_after, NOW)
    assert reply.retry_after is None or reply.retry_after >= 0
    assert reply.outcome is not CallOutcome.ACCEPTED or 200 <= status < 300


@pytest.mark.parametrize(
    "status", ["+393331234567 il testo", "393331234567", "3331234567", "0" * 60_000, "testo"]
)
@pytest.mark.parametrize("sentence", ["", "Security error", "Errore generico"])
def test_a_code_is_short_digits_whatever_the_gateway_repeats(status, sentence):
    reply = read(json.dumps({"exit_status": status, "exit_string": sentence}))
    assert reply.code == ""
    assert len(reply.raw) <= MAX_RAW
