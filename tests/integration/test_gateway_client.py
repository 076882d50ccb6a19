"""The gateway's client against real sockets: every row of docs/delivery.md, one request a call."""

import contextlib
import gzip
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.gateway import Fault, LocalGateway
from local.gateway.faults import KINDS
from local.gateway.reply_forms import FORMS
from openvoip_sms.delivery.ports import Sms
from openvoip_sms.openvoip import connection
from openvoip_sms.openvoip.account import OpenvoipAccount
from openvoip_sms.rules.call_result import CallOutcome
from tests.gateway_call import ACCOUNT, PHP, ROSA, SMS
from tests.scripted_server import ScriptedServer, always, response, url_of

ENDLESS = 3600  # seconds that no test waits for


# Accepted


def test_a_signed_call_is_accepted_with_all_it_carries(gateway, connect):
    reply = connect(gateway.url).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.raw) == (CallOutcome.ACCEPTED, "[0]")
    [call] = gateway.accepted
    assert (call.to, call.sender, call.text) == (SMS.to, SMS.sender, SMS.text)
    assert (call.archive, call.call_group) == (True, "9999")


@pytest.mark.parametrize("vector", PHP["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize("twice", [False, True])
def test_what_php_would_send_is_what_arrives(connect, vector, twice):
    sms = Sms(
        vector["sms_sender"],
        vector["sms_text"],
        vector["sms_destination"],
        archive=vector["archivia"] == "1",
    )
    expected = vector["query_destination_twice" if twice else "query"]
    with ScriptedServer(always(response("[0]"))) as server:
        reply = connect(url_of(server), twice=twice).send(
            sms, OpenvoipAccount(vector["id_call_gr"], vector["secret"])
        )
    assert reply.outcome is CallOutcome.ACCEPTED
    assert server.requests == [f"GET /sms_send_soa.php?{expected} HTTP/1.1".encode()]


def test_no_library_rewrites_what_is_percent_encoded(connect):
    with ScriptedServer(always(response("[0]"))) as server:
        connect(url_of(server)).send(Sms("Bottega", "~%7E+%2B%252B %c3", SMS.to), ACCOUNT)
    [request_line] = server.requests
    assert b"&sms_text=%7E%257E%2B%252B%25252B+%25c3&" in request_line


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_replies_is_understood(connect, form):
    with LocalGateway("9999", "local-secret", reply_form=form) as gateway:
        call = connect(gateway.url).send
        assert call(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
        gateway.fail_next(1, "refuse_020")
        assert call(SMS, ACCOUNT).outcome is CallOutcome.BAD_DESTINATION
        gateway.fail_next(1, "refuse_099")
        assert call(SMS, ACCOUNT).outcome is CallOutcome.GENERIC_ERROR
        assert call(SMS, OpenvoipAccount("9999", "other")).outcome is CallOutcome.BAD_CREDENTIALS
    assert len(gateway.calls) == 4


def test_a_slow_reply_within_the_time_out_counts(gateway, connect):
    gateway.fail_next(1, Fault("slow", seconds=0.05))
    assert connect(gateway.url).send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED


def test_proxies_of_the_environment_are_not_used(gateway, connect, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert connect(gateway.url).send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED


def test_a_request_carries_nothing_but_what_the_gateway_needs(connect, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedServer(always(response("[0]", "Set-Cookie: canary=1; Path=/"))) as server:
        call = connect(url_of(server)).send
        assert [call(SMS, ACCOUNT).outcome for _ in range(2)] == [CallOutcome.ACCEPTED] * 2
    expected = [
        b"GET /sms_send_soa.php?" + ROSA["query"].encode() + b" HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}".encode(),
        b"Accept-Encoding: identity",
        b"User-Agent: openvoip-sms",
    ]
    assert server.request_heads == [b"\r\n".join([*expected, b"", b""])] * 2


def test_an_unrequested_compression_makes_a_reply_uncertain(connect):
    body = gzip.compress(b"[0]").decode("latin-1")
    with ScriptedServer(always(response(body, "Content-Encoding: gzip"))) as server:
        assert connect(url_of(server)).send(SMS, ACCOUNT).outcome is CallOutcome.UNCERTAIN


# Every other row: the outcome, one request, and no harm to the next call

ROWS = {
    Fault("refuse_020"): CallOutcome.BAD_DESTINATION,
    Fault("refuse_099"): CallOutcome.GENERIC_ERROR,
    Fault("security_error"): CallOutcome.BAD_CREDENTIALS,
    Fault("http_429"): CallOutcome.BUSY,
    Fault("http_503"): CallOutcome.BUSY,
    Fault("http_302"): CallOutcome.MISCONFIGURED,
    Fault("http_403"): CallOutcome.MISCONFIGURED,
    Fault("http_404"): CallOutcome.MISCONFIGURED,
    Fault("hang"): CallOutcome.UNCERTAIN,
    Fault("hang_after"): CallOutcome.UNCERTAIN,
    Fault("cut"): CallOutcome.UNCERTAIN,
    Fault("cut_inside"): CallOutcome.UNCERTAIN,
    Fault("cut_after"): CallOutcome.UNCERTAIN,
    Fault("cut_behind"): CallOutcome.ACCEPTED,
    Fault("http_500", accepted=True): CallOutcome.UNCERTAIN,
    Fault("http_500"): CallOutcome.UNCERTAIN,
    Fault("http_502"): CallOutcome.UNCERTAIN,
    Fault("http_504"): CallOutcome.UNCERTAIN,
    Fault("empty"): CallOutcome.UNCERTAIN,
    Fault("html"): CallOutcome.UNCERTAIN,
    Fault("huge", accepted=True): CallOutcome.UNCERTAIN,
    Fault("non_utf8"): CallOutcome.UNCERTAIN,
    Fault("wrong_json"): CallOutcome.UNCERTAIN,
    Fault("drip", seconds=0.02): CallOutcome.UNCERTAIN,
    Fault("drip_headers", seconds=0.02): CallOutcome.UNCERTAIN,
    Fault("slow", seconds=ENDLESS): CallOutcome.UNCERTAIN,
}
NEVER_END = {"hang", "hang_after", "drip", "drip_headers", "slow"}


def test_every_fault_of_the_local_gateway_has_its_row():
    assert {fault.kind for fault in ROWS} == set(KINDS)


@pytest.mark.parametrize("fault", ROWS, ids=str)
def test_each_fault_has_its_outcome_costs_one_call_and_affects_no_other(
    gateway, connect, fault, monkeypatch
):
    call = connect(gateway.url).send
    gateway.fail_next(1, fault)
    with monkeypatch.context() as patch:
        if fault.kind in NEVER_END:  # the others have the time that a loaded machine may need
            patch.setattr(connection, "READ_SECONDS", 0.25)
        reply = call(SMS, ACCOUNT)
    assert reply.outcome is ROWS[fault]
    assert len(gateway.wait_for_calls(1)) == 1
    assert reply.outcome is CallOutcome.UNCERTAIN or gateway.calls[0].accepted is (
        reply.outcome is CallOutcome.ACCEPTED
    )
    if fault.kind != "cut_behind":  # it closes later than it answers: below, without the race
        assert call(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
        assert len(gateway.calls) == 2


@pytest.mark.parametrize("kind", ["http_429", "http_503"])
@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(120, 120.0), ("Tue, 24 Nov 2026 08:31:00 GMT", 60.0), ("later", None), (None, None)],
)
def test_retry_after_is_passed_on_in_seconds(gateway, connect, kind, retry_after, seconds):
    gateway.fail_next(1, Fault(kind, retry_after=retry_after))
    assert connect(gateway.url).send(SMS, ACCOUNT).retry_after == seconds


# No connection: certainly not sent


def test_a_refused_connection_was_certainly_not_sent(connect):
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    reply = connect(f"http://127.0.0.1:{port}/").send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "NewConnectionError")


def test_a_name_that_does_not_resolve_was_certainly_not_sent(connect):
    reply = connect("http://gateway.invalid/").send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "NameResolutionError")


def test_a_name_that_dns_cannot_encode_was_certainly_not_sent(connect):
    reply = connect(f"http://{'a' * 64}.example/").send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNREACHABLE


@pytest.mark.usefixtures("short_time_outs")
def test_a_connect_time_out_was_certainly_not_sent(connect):
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # more than fit: from now on the system accepts no connection
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        reply = connect(f"http://127.0.0.1:{listener.getsockname()[1]}/").send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "ConnectTimeoutError")


def test_a_connection_that_took_too_long_is_not_used(gateway, connect, monkeypatch):
    monkeypatch.setattr(connection, "CONNECTED_WITHIN", 0.0)
    reply = connect(gateway.url).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "ConnectedTooLate")
    assert gateway.calls == []


def test_what_cannot_be_output_as_utf8_was_certainly_not_sent(gateway, connect):
    reply = connect(gateway.url).send(SMS, OpenvoipAccount("9999", "canary\ud800"))
    assert reply.outcome is CallOutcome.MISCONFIGURED
    assert "canary" not in repr(reply)
    assert gateway.calls == []


# The reply as a whole


@pytest.mark.usefixtures("short_time_outs")
@pytest.mark.parametrize(
    "piece",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",  # may be repeated for ever
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3,
    ],
)
def test_endless_headers_do_not_block_a_worker(connect, piece):
    def respond(connection, _):
        pause = threading.Event()
        while not pause.wait(0.01):
            connection.sendall(piece)

    with ScriptedServer(respond) as server:
        assert connect(url_of(server)).send(SMS, ACCOUNT).outcome is CallOutcome.UNCERTAIN
    assert len(server.requests) == 1


@pytest.mark.usefixtures("short_time_outs")
def test_a_reply_without_a_length_that_timed_out_is_not_mistaken_for_a_complete_one(connect):
    def respond(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n0")
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(b" ")

    with ScriptedServer(respond) as server:
        reply = connect(url_of(server)).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNCERTAIN, "ReplyTooSlow")


@pytest.mark.usefixtures("short_time_outs")
@pytest.mark.parametrize(
    "answer",
    [
        b"[0]",  # HTTP/0.9
        b"[0]\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n[0]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[0]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[0]\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[0]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n[0]",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n[0]",
    ],
)
def test_an_answer_that_breaks_http_is_uncertain(connect, answer):
    with ScriptedServer(lambda connection, _: connection.sendall(answer)) as server:
        assert connect(url_of(server)).send(SMS, ACCOUNT).outcome is CallOutcome.UNCERTAIN
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\n[0]",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[0]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n2\r\n0]\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[0]",
    ],
)
def test_every_framing_of_http_is_understood(connect, answer):
    with ScriptedServer(lambda connection, _: connection.sendall(answer)) as server:
        assert connect(url_of(server)).send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("200 OK", CallOutcome.UNCERTAIN), ("302 Found", CallOutcome.MISCONFIGURED)],
)
def test_no_more_of_a_reply_is_read_than_a_reply_can_be(connect, status, outcome):
    body = "0" * (connection.MAX_REPLY_BYTES + 1)
    with ScriptedServer(always(response(body, "Location: /elsewhere", status=status))) as server:
        reply = connect(url_of(server)).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (outcome, "ReplyTooLong")
    assert len(server.requests) == 1


# A status that alone says "not sent", whatever is wrong with the rest

HALF = b"Content-Length: 50\r\n\r\n<html>"
BROKEN = {
    "body cut": HALF,
    "chunks cut": b"Transfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n",
    "chunks unreadable": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n<html>\r\n0\r\n\r\n",
    "body too large": b"\r\n" + b"0" * (connection.MAX_REPLY_BYTES + 1),
    "body announced too large": b"Content-Length: 99999999999\r\n\r\n" + b"0" * 70_000,
    "length unreadable": b"Content-Length: fifty\r\n\r\n<html>",
    "header cut": b"X: y",
    "header too long": b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "headers too many": b"X: y\r\n" * 200 + b"\r\n",
}
NOT_SENT = {
    "300 Multiple Choices": CallOutcome.MISCONFIGURED,
    "302 Found": CallOutcome.MISCONFIGURED,
    "308 Permanent Redirect": CallOutcome.MISCONFIGURED,
    "400 Bad Request": CallOutcome.MISCONFIGURED,
    "404 Not Found": CallOutcome.MISCONFIGURED,
    "429 Too Many Requests": CallOutcome.BUSY,
    "499 Unheard Of": CallOutcome.MISCONFIGURED,
    "503 Service Unavailable": CallOutcome.BUSY,
}
DOUBTS = ["200 OK", "500 Internal Server Error", "502 Bad Gateway", "504 Gateway Time-out"]


@pytest.mark.parametrize("rest", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("status", "outcome"), NOT_SENT.items())
def test_a_status_that_says_not_sent_decides_alone(connect, status, outcome, rest):
    answer = f"HTTP/1.1 {status}\r\n".encode() + rest
    with ScriptedServer(lambda connection, _: connection.sendall(answer)) as server:
        reply = connect(url_of(server)).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.code) == (outcome, f"http_{status[:3]}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("rest", [BROKEN["body cut"], BROKEN["headers too many"]])
@pytest.mark.parametrize("status", DOUBTS)
def test_a_status_that_does_not_say_so_leaves_a_broken_answer_a_doubt(connect, status, rest):
    answer = f"HTTP/1.1 {status}\r\n".encode() + rest
    with ScriptedServer(lambda connection, _: connection.sendall(answer)) as server:
        reply = connect(url_of(server)).send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNCERTAIN
    assert reply.fault


@pytest.mark.usefixtures("short_time_outs")
@pytest.mark.parametrize("start", [b"", b"Retry-After: 7\r\n\r\n"], ids=["headers", "body"])
@pytest.mark.parametrize("drip", [b"", b"a"], ids=["silent", "dripping"])
@pytest.mark.parametrize(("status", "outcome"), [*NOT_SENT.items()][1::3])
def test_a_status_that_says_not_sent_decides_however_slow_the_rest_is(
    connect, status, outcome, start, drip
):
    def talk(line, _):
        line.sendall(f"HTTP/1.1 {status}\r\n".encode() + start)
        pause = threading.Event()
        while drip and not pause.wait(0.02):
            line.sendall(drip)
        return True

    with ScriptedServer(talk) as server:
        reply = connect(url_of(server)).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.code) == (outcome, f"http_{status[:3]}")
    assert reply.fault
    if start and outcome is CallOutcome.BUSY:
        assert reply.retry_after == 7.0
    assert len(server.requests) == 1


def test_a_status_line_that_is_not_whole_decides_nothing(connect):
    for part in (
        b"HTTP/1.1 50",
        b"HTTP/1.1 abc Busy\r\n\r\n",
        b"503\r\n\r\n",
        b"HTTP/1.1 99\r\n\r\n",
    ):
        with ScriptedServer(lambda line, _, part=part: line.sendall(part)) as server:
            reply = connect(url_of(server)).send(SMS, ACCOUNT)
        assert reply.outcome is CallOutcome.UNCERTAIN, part


def test_a_broken_refusal_spoils_no_later_call(connect):
    answer = b"HTTP/1.1 503 Busy\r\n" + HALF

    def talk(line, number):
        line.sendall(answer if number == 1 else response("[0]"))
        return number > 1

    with ScriptedServer(talk) as server:
        call = connect(url_of(server)).send
        outcomes = [call(SMS, ACCOUNT).outcome for _ in range(2)]
    assert outcomes == [CallOutcome.BUSY, CallOutcome.ACCEPTED]


# Keeping connections


def test_calls_in_a_row_share_a_connection(connect):
    with ScriptedServer(always(response("[0]"))) as server:
        call = connect(url_of(server)).send
        assert {call(SMS, ACCOUNT).outcome for _ in range(5)} == {CallOutcome.ACCEPTED}
    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_connection_that_idled_is_not_reused(connect, monkeypatch):
    with ScriptedServer(always(response("[0]"))) as server:
        call = connect(url_of(server)).send
        call(SMS, ACCOUNT)
        monkeypatch.setattr(connection, "IDLE_SECONDS", 0.0)
        assert call(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_that_the_gateway_closed_causes_no_unknown_outcome(connect):
    with ScriptedServer(lambda connection, _: connection.sendall(response("[0]"))) as server:
        call = connect(url_of(server)).send
        for _ in range(3):
            assert call(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
            assert server.closed.acquire(timeout=60)
    assert (server.connections, len(server.requests)) == (3, 3)


def test_bytes_after_a_reply_are_not_mistaken_for_the_next_one(connect):
    def respond(connection, number):
        connection.sendall(response("[0]") + response("[0]") if number == 1 else response("020"))
        return True

    with ScriptedServer(respond) as server:
        call = connect(url_of(server)).send
        assert call(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
        assert call(SMS, ACCOUNT).outcome is CallOutcome.BAD_DESTINATION
    assert len(server.requests) == 2


def test_messages_sent_at_the_same_time_each_get_their_own_answer(gateway, connect):
    call = connect(gateway.url).send
    numbers = [f"+3933312300{n:02}" for n in range(30)]
    for number in numbers[::3]:
        gateway.fail(Fault("refuse_020"), to=number)
    with ThreadPoolExecutor(10) as workers:
        replies = workers.map(lambda to: call(Sms("Bottega", "Ciao", to), ACCOUNT), numbers)
        outcomes = [reply.outcome for reply in replies]
    assert (
        outcomes == [CallOutcome.BAD_DESTINATION, CallOutcome.ACCEPTED, CallOutcome.ACCEPTED] * 10
    )
    assert sorted(sms.to for sms in gateway.calls) == numbers


# What must not be logged


@pytest.mark.usefixtures("short_time_outs")
def test_no_log_at_any_level_and_no_reply_shows_what_is_secret(connect, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    broken = response("[0]", "no header at all", " ", "X\x00Y: z")
    scripts = [
        always(response("[0]")),
        always(broken),
        always(response("", "Location: /elsewhere", status="302 Found")),
        always(response("[0]", "Retry-After: 5", status="503 Busy")),
        lambda connection, _: connection.sendall(response("[0]")),
        lambda *_: None,
        lambda connection, _: connection.sendall(b"nonsense"),
    ]
    replies = []
    for respond in scripts:
        with ScriptedServer(respond) as server:
            call = connect(url_of(server)).send
            replies += [call(SMS, ACCOUNT), call(SMS, ACCOUNT)]
        replies.append(call(SMS, ACCOUNT))  # refused
        replies.append(connect(url_of(server, "https")).send(SMS, ACCOUNT))
    output = caplog.text + repr(replies) + "".join(capfd.readouterr())
    number = ROSA["sms_destination"].removeprefix("+")
    for canary in (ROSA["secret"], ROSA["verify"], number, "ordine", "verify="):
        assert canary not in output
