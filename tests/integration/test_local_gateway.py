"""The local gateway as its callers see it: signatures, refusals, replies, call log, control."""

import json
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from local.gateway import LocalGateway
from local.gateway.php import read_query
from local.gateway.reply_forms import FORMS
from local.gateway.sms_size import sms_size

ROOT = Path(__file__).parents[2]
PHP = json.loads((ROOT / "tests/vectors/gateway_signatures.json").read_text("utf-8"))
VECTORS = PHP["vectors"]
PLAIN, ACCENTS = VECTORS[0], VECTORS[2]
ABROAD = (
    # md5(sha1('Bottega' . 'Ciao' . '+441632960001' . 'local-secret' . '9999')), made by PHP
    "archivia=1&id_call_gr=9999&sms_text=Ciao&sms_destination=%2B441632960001"
    "&sms_sender=Bottega&verify=3ea4b694b6c10c458a2716c1cae38c6c"
)


@pytest.fixture
def gateway() -> Iterator[LocalGateway]:
    with LocalGateway(call_group="9999", secret="local-secret") as running:
        yield running


def get(url):
    return urllib3.request("GET", url, timeout=60, retries=False).data.decode()


def send(gateway, query):
    return get(f"{gateway.url}?{query}")


def control(gateway, method, path, fields=None):
    """The status and the content of a control call."""
    body = fields if isinstance(fields, bytes | None) else json.dumps(fields).encode()
    answer = urllib3.request(method, gateway.page_url + path, body=body, timeout=60, retries=False)
    return answer.status, answer.json()


# Reading and checking a call


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_what_php_signs_is_accepted(vector):
    with LocalGateway(vector["id_call_gr"], vector["secret"]) as gateway:
        assert send(gateway, vector["query"]) == "[0]"
        [sms] = gateway.accepted
    assert (sms.to, sms.sender, sms.text) == (
        vector["sms_destination"],
        vector["sms_sender"],
        vector["sms_text"],
    )
    assert sms.archive is (vector["archivia"] == "1")
    assert sms.signed


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_destination_encoded_twice_is_accepted_where_it_is_expected(vector):
    group, secret = vector["id_call_gr"], vector["secret"]
    with LocalGateway(group, secret, encode_destination_twice=True) as gateway:
        assert send(gateway, vector["query_destination_twice"]) == "[0]"
    assert [sms.to for sms in gateway.accepted] == [vector["sms_destination"]]


def test_a_destination_encoded_twice_is_a_wrong_signature_elsewhere(gateway):
    assert "Security error" in send(gateway, PLAIN["query_destination_twice"])


def test_a_destination_encoded_once_is_a_wrong_signature_where_twice_is_expected():
    with LocalGateway("9999", "local-secret", encode_destination_twice=True) as gateway:
        assert "Security error" in send(gateway, PLAIN["query"])


@pytest.mark.parametrize("reading", PHP["readings"], ids=lambda reading: reading["query"])
def test_a_query_is_read_as_php_reads_it(reading):
    values = read_query(reading["query"].encode())
    assert {name: value.hex() for name, value in values.items()} == reading["values_hex"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "id_call_gr=9999",
        PLAIN["query"].replace("9999", "9998"),
        PLAIN["query"].replace("pronto", "perso"),
        PLAIN["query"].replace("Bottega", "Bottego"),
        PLAIN["query"].replace("230001", "230002"),
        PLAIN["query"].replace(PLAIN["verify"], ""),
        PLAIN["query"].replace(PLAIN["verify"], PLAIN["verify"].upper()),
        PLAIN["query"] + "&sms_text=altro",
        PLAIN["query"] + "&verify=%FF%C3%A8",
    ],
)
def test_a_call_that_its_signature_does_not_fit_is_a_security_error(gateway, query):
    assert json.loads(send(gateway, query)) == {
        "exit_status": "-1",
        "exit_string": "Security error",
    }
    [call] = gateway.calls
    assert (call.accepted, call.verdict) == (False, "security")


def test_archiving_is_not_part_of_the_signature(gateway):
    send(gateway, PLAIN["query"].replace("archivia=1", "archivia=0"))
    assert [sms.archive for sms in gateway.accepted] == [False]


def test_a_number_abroad_is_a_bad_destination(gateway):
    reply = json.loads(send(gateway, ABROAD))
    assert reply == {"exit_status": "020", "exit_string": "Errore nel numero di destinazione"}
    assert [(call.accepted, call.signed) for call in gateway.calls] == [(False, True)]


def test_without_credit_the_error_is_generic():
    with LocalGateway("9999", "local-secret", credit=1) as gateway:
        replies = [send(gateway, PLAIN["query"]) for _ in range(2)]
    assert replies == ["[0]", '{"exit_status":"099","exit_string":"Errore generico"}']
    assert len(gateway.accepted) == 1


def test_a_refused_call_costs_no_credit():
    with LocalGateway("9999", "local-secret", credit=1) as gateway:
        send(gateway, ABROAD)
        assert send(gateway, PLAIN["query"]) == "[0]"


REPLIES = {
    "mixed": ("[0]", '{"exit_status":"020","exit_string":"Errore nel numero di destinazione"}'),
    "array": ("[0]", "[20]"),
    "array_text": ('["000"]', '["020"]'),
    "object": (
        '{"exit_status":"000","exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"exit_status":"020","exit_string":"Errore nel numero di destinazione"}',
    ),
    "object_number": (
        '{"exit_status":0,"exit_string":"Messaggio Inoltrato Correttamente"}',
        '{"exit_status":20,"exit_string":"Errore nel numero di destinazione"}',
    ),
    "number": ("0", "20"),
    "code": ("000", "020"),
    "quoted": ('"000"', '"020"'),
    "text": (
        "000 Messaggio Inoltrato Correttamente",
        "ERR: 020 Errore nel numero di destinazione",
    ),
    "list": (
        "ERR: 000 Messaggio Inoltrato Correttamente",
        "ERR: 020 Errore nel numero di destinazione",
    ),
    "padded": (" \r\n000\r\n\t", " \r\n020\r\n\t"),
}


@pytest.mark.parametrize("form", FORMS)
def test_replies_have_the_requested_form(form):
    with LocalGateway("9999", "local-secret", reply_form=form) as gateway:
        replies = (send(gateway, PLAIN["query"]), send(gateway, ABROAD))
    assert replies == REPLIES[form]


def test_the_security_error_of_the_guide_and_that_of_production_differ():
    replies = []
    for form in ("object", "array"):
        with LocalGateway("9999", "local-secret", reply_form=form) as gateway:
            replies.append(json.loads(send(gateway, ""))["exit_status"])
    assert replies == ["-1", "1"]


def test_a_reply_form_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no reply form 'xml'"):
        LocalGateway("9999", "local-secret", reply_form="xml")


def test_after_a_rotation_only_the_new_secret_signs(gateway):
    gateway.rotate_secret("another")
    assert "Security error" in send(gateway, PLAIN["query"])
    gateway.rotate_secret("local-secret")
    assert send(gateway, PLAIN["query"]) == "[0]"


def test_it_shares_no_code_with_the_service():
    sources = [path.read_text("utf-8") for path in (ROOT / "local/gateway").glob("*.py")]
    assert sources
    assert not [source for source in sources if "openvoip_sms" in source]


# The call log


def test_calls_are_kept_in_order_of_arrival_with_their_decisions(gateway):
    before = datetime.now(UTC)
    for query in (PLAIN["query"], "", ACCENTS["query"]):
        send(gateway, query)
    calls = gateway.calls
    assert [call.id for call in calls] == [1, 2, 3]
    assert [call.accepted for call in calls] == [True, False, True]
    assert [call.status for call in calls] == [200, 200, 200]
    assert calls[0].reply == "[0]"
    assert before <= calls[0].at <= calls[2].at <= datetime.now(UTC)


def test_calls_at_the_same_time_are_each_kept_once():
    with LocalGateway("9999", "local-secret", credit=30) as gateway:
        callers = [threading.Thread(target=send, args=(gateway, PLAIN["query"])) for _ in range(40)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert [call.id for call in gateway.calls] == list(range(1, 41))
    assert len(gateway.accepted) == 30


def test_bytes_that_are_not_utf8_are_kept_readable(gateway):
    send(gateway, "sms_text=caff%E8&sms_destination=%FF")
    [call] = gateway.calls
    assert (call.text, call.to) == ("caff\ufffd", "\ufffd")


def test_neither_secret_nor_signature_is_kept_or_shown(gateway):
    send(gateway, PLAIN["query"])
    _, shown = control(gateway, "GET", "api/calls")
    for trace in (repr(gateway), repr(vars(gateway)), repr(gateway.calls), json.dumps(shown)):
        assert "local-secret" not in trace
        assert PLAIN["verify"] not in trace


def test_after_clearing_the_ids_continue():
    with LocalGateway("9999", "local-secret", credit=1) as gateway:
        send(gateway, PLAIN["query"])
        gateway.fail_next(1, "http_404")
        gateway.clear()
        assert gateway.calls == []
        assert send(gateway, PLAIN["query"]) == "[0]"
    assert [call.id for call in gateway.calls] == [2]


def test_waiting_for_calls_that_do_not_arrive_says_how_many_did(gateway):
    send(gateway, PLAIN["query"])
    assert len(gateway.wait_for_calls(1)) == 1
    with pytest.raises(TimeoutError, match="1 of 2"):
        gateway.wait_for_calls(2, timeout=0.01)


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("è à ì ò ù é Ç £ ¥ § ñ", "GSM-7", 1),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("€" * 153, "GSM-7", 3),  # 76 a segment: the pair at 153 moves on whole
        ("a" + "€" * 152, "GSM-7", 2),
        ("ê" * 70, "UCS-2", 1),
        ("ê" * 71, "UCS-2", 2),
        ("ê" * 135, "UCS-2", 3),
        ("🎉" * 35, "UCS-2", 1),
        ("🎉" * 36, "UCS-2", 2),
        ("🎉" * 67, "UCS-2", 3),  # 33 a segment: the pair at 67 moves on whole
        ("ê" + "🎉" * 66, "UCS-2", 2),
        ("perché\u0301", "UCS-2", 1),
        ("perch\u00e9", "GSM-7", 1),
    ],
)
def test_segments_are_counted_as_the_networks_count(text, encoding, segments):
    assert sms_size(text) == (encoding, segments)


# The control


def test_another_process_reads_calls_and_accepted_from_where_it_left_off(gateway):
    for query in (PLAIN["query"], "", ACCENTS["query"]):
        send(gateway, query)
    _, after_one = control(gateway, "GET", "api/calls?after=1")
    _, accepted = control(gateway, "GET", "api/accepted")
    assert [call["id"] for call in after_one["calls"]] == [2, 3]
    assert [sms["id"] for sms in accepted["accepted"]] == [1, 3]
    assert accepted["accepted"][1]["text"] == ACCENTS["sms_text"]


def test_another_process_rotates_the_secret_and_clears(gateway):
    assert control(gateway, "POST", "api/secret", {"secret": "another"})[0] == 200
    assert "Security error" in send(gateway, PLAIN["query"])
    assert control(gateway, "POST", "api/clear") == (200, {"status": "ok"})
    assert gateway.calls == []


def test_another_process_sets_and_clears_faults(gateway):
    fields = {"fault": "refuse_099", "count": 3, "to": PLAIN["sms_destination"]}
    status, answer = control(gateway, "POST", "api/faults", fields)
    assert (status, answer["faults"]["scheduled"][0]["left"]) == (200, 3)
    assert "099" in send(gateway, PLAIN["query"])
    assert send(gateway, ACCENTS["query"]) == "[0]"
    _, to_come = control(gateway, "GET", "api/faults")
    assert to_come["faults"]["scheduled"][0]["left"] == 2
    control(gateway, "DELETE", "api/faults")
    assert send(gateway, PLAIN["query"]) == "[0]"


def test_a_fault_for_a_number_without_a_count_is_permanent(gateway):
    control(gateway, "POST", "api/faults", {"fault": "refuse_020", "to": PLAIN["sms_destination"]})
    assert all("020" in send(gateway, PLAIN["query"]) for _ in range(3))


def test_a_rate_is_set_with_names_or_with_options(gateway):
    faults = ["refuse_099", {"fault": "html", "accepted": True}]
    fields = {"faults": faults, "rate": 1, "seed": 7}
    assert control(gateway, "POST", "api/faults", fields)[0] == 200
    for _ in range(20):
        send(gateway, PLAIN["query"])
    assert {(call.fault, call.accepted) for call in gateway.calls} == {
        ("refuse_099", False),
        ("html", True),
    }


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("api/faults", b"", "not JSON"),
        ("api/faults", b"{", "not JSON"),
        ("api/faults", b"\xff\xfe\xfd", "not JSON"),
        ("api/faults", b"[" * 50_000, "not JSON"),
        ("api/faults", [], "JSON object"),
        ("api/faults", {}, "`fault` is missing"),
        ("api/faults", {"fault": "explode"}, "no fault 'explode'. There are: slow,"),
        ("api/faults", {"fault": 3}, "`fault` must be the name of a fault"),
        ("api/faults", {"fault": "slow", "count": 0}, "`count`"),
        ("api/faults", {"fault": "slow", "count": True}, "`count`"),
        ("api/faults", {"fault": "slow", "count": 1.5}, "`count`"),
        ("api/faults", {"fault": "slow", "seconds": -1}, "Seconds"),
        ("api/faults", b'{"fault": "slow", "seconds": NaN}', "Seconds"),
        ("api/faults", {"fault": "slow", "seconds": 10**400}, "Seconds"),
        ("api/faults", {"fault": "slow", "to": "Rosa"}, "`to` must be a phone number"),
        ("api/faults", {"fault": "slow", "delay": 1}, "no field 'delay'"),
        ("api/faults", {"fault": "cut", "accepted": True}, "cut accepts"),
        ("api/faults", {"fault": "http_503", "retry_after": "1\r\nX: y"}, "Retry-After"),
        ("api/faults", {"faults": ["slow"]}, "`rate` is missing"),
        ("api/faults", {"faults": [], "rate": 0.1}, "at least one fault"),
        ("api/faults", {"faults": [7], "rate": 0.1}, "the name of a fault"),
        ("api/faults", {"faults": ["slow"], "rate": 10}, "from 0 to 1"),
        ("api/faults", {"faults": ["slow"], "rate": "1"}, "from 0 to 1"),
        ("api/secret", {"secret": ""}, "not empty"),
        ("api/secret", {"secret": "\ud800"}, "not empty"),
        ("api/secret", {}, "`secret` is missing"),
    ],
)
def test_bad_control_input_gets_a_sentence_and_changes_nothing(gateway, path, fields, sentence):
    status, answer = control(gateway, "POST", path, fields)
    assert status == 400
    assert sentence in answer["error"]
    assert send(gateway, PLAIN["query"]) == "[0]"


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "٣", "9" * 5000])
def test_an_invalid_id_gets_a_sentence(gateway, after):
    path = f"api/calls?after={urllib.parse.quote(after)}"
    assert control(gateway, "GET", path)[0] == 400


def test_a_control_body_that_is_too_large_is_refused(gateway):
    assert control(gateway, "POST", "api/faults", b" " * 65_537)[0] == 413


def test_a_path_that_does_not_exist_is_not_found(gateway):
    assert control(gateway, "GET", "api/sms")[0] == 404
    assert control(gateway, "POST", "sms_send_soa.php", {})[0] == 404


def test_it_is_healthy(gateway):
    assert control(gateway, "GET", "health") == (200, {"status": "ok"})


def test_the_page_needs_nothing_from_elsewhere(gateway):
    answer = urllib3.request("GET", gateway.page_url, timeout=60, retries=False)
    page = answer.data.decode()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "No SMS yet" in page
    assert "innerHTML" not in page
    assert not [word for word in ("https://", "//cdn", '<link rel="stylesheet') if word in page]


# The program


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_its_address_and_ends_on_a_signal(end):
    options = ["--port", "0", "--call-group", "9999", "--secret", "local-secret", "--credit", "1"]
    command = [sys.executable, "-m", "local.gateway", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        try:
            ready = json.loads(program.stdout.readline())
            replies = [get(f"{ready['url']}?{PLAIN['query']}") for _ in range(2)]
            assert "No SMS yet" in get(ready["page"])
            program.send_signal(end)
            assert program.wait(timeout=60) == 0
        finally:
            program.kill()
    assert ready["url"] == ready["page"] + "sms_send_soa.php"
    assert replies[0] == "[0]"
    assert "099" in replies[1]


@pytest.mark.parametrize("port", ["in use", "99999"])
def test_the_program_says_when_it_cannot_listen(gateway, port):
    port = str(urllib.parse.urlsplit(gateway.url).port) if port == "in use" else port
    command = [sys.executable, "-m", "local.gateway", "--port", port]
    ended = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}: ")
