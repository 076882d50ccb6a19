"""The local gateway with faults: what a client receives, and whether the SMS was sent."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import urllib3

from local.gateway import Fault, LocalGateway
from local.gateway.faults import KINDS

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors/gateway_signatures.json").read_text("utf-8")
)["vectors"]
ROSA, BRUNO = VECTORS[0], VECTORS[1]
BRIEFLY = 0.15  # seconds until a client of these tests times out
ENDLESS = 3600  # seconds that no test waits for


class Received(NamedTuple):
    """What was received over the connection, and how it ended: `closed`, `reset` or `open`."""

    data: bytes
    end: str

    @property
    def status(self) -> int:
        return int(self.data.split(b" ")[1])

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


@pytest.fixture
def gateway() -> Iterator[LocalGateway]:
    with LocalGateway(call_group="9999", secret="local-secret") as running:
        yield running


def call(gateway, query=ROSA["query"], timeout=60.0, keep="close", headers_within=None):
    """One call on a socket of its own, read to its end or until the time-out."""
    target = urllib3.util.parse_url(gateway.url)
    with socket.create_connection((target.host, target.port), timeout=timeout) as line:
        head = (
            f"GET {target.path}?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: {keep}\r\n\r\n"
        )
        line.sendall(head.encode())
        received = b""
        line.settimeout(headers_within or timeout)
        try:
            while piece := line.recv(65_536):
                received += piece
                if b"\r\n\r\n" in received:
                    line.settimeout(timeout)
        except TimeoutError:
            return Received(received, "open")
        except ConnectionResetError:
            return Received(received, "reset")
        return Received(received, "closed")


def test_every_fault_is_logged_with_whether_the_sms_was_sent():
    without_delay = {kind: Fault(kind, seconds=0) for kind in KINDS}
    accepting = set()
    with LocalGateway("9999", "local-secret") as gateway:
        for n, (kind, fault) in enumerate(without_delay.items(), 1):
            gateway.fail_next(1, fault)
            call(gateway, timeout=BRIEFLY if kind.startswith("hang") else 60.0)
            gateway.wait_for_calls(n)
        for entry, kind in zip(gateway.calls, without_delay, strict=True):
            assert entry.fault == kind
            if entry.accepted:
                accepting.add(kind)
    assert accepting == {
        "slow",
        "hang_after",
        "cut_inside",
        "cut_after",
        "cut_behind",
        "drip",
        "drip_headers",
    }


# Calls without a response


@pytest.mark.parametrize(("fault", "accepted"), [("hang", False), ("hang_after", True)])
def test_a_hanging_call_gets_no_byte(gateway, fault, accepted):
    gateway.fail_next(1, fault)
    assert call(gateway, timeout=BRIEFLY) == (b"", "open")
    [entry] = gateway.wait_for_calls(1)
    assert (entry.accepted, entry.status, entry.reply) == (accepted, None, None)


@pytest.mark.parametrize(
    ("fault", "end", "accepted"), [("cut", "reset", False), ("cut_after", "closed", True)]
)
def test_a_cut_call_gets_no_byte(gateway, fault, end, accepted):
    gateway.fail_next(1, fault)
    assert call(gateway) == (b"", end)
    assert [entry.accepted for entry in gateway.calls] == [accepted]


def test_no_thread_outlives_the_gateway():
    before = set(threading.enumerate())
    faults = ["hang", "hang_after", Fault("slow", seconds=ENDLESS), Fault("drip", seconds=ENDLESS)]
    with LocalGateway("9999", "local-secret") as gateway:
        target = urllib3.util.parse_url(gateway.url)
        lines = []
        for fault in faults:
            gateway.fail_next(1, fault)
            line = socket.create_connection((target.host, target.port), timeout=60)
            line.sendall(f"GET {target.path}?{ROSA['query']} HTTP/1.1\r\n\r\n".encode())
            lines.append(line)
            gateway.wait_for_calls(len(lines))
        idle = socket.create_connection((target.host, target.port), timeout=60)
    assert set(threading.enumerate()) == before
    for line in [*lines, idle]:
        line.close()


def test_a_hanging_call_ends_when_its_client_leaves(gateway):
    before = set(threading.enumerate())
    gateway.fail_next(1, "hang")
    target = urllib3.util.parse_url(gateway.url)
    with socket.create_connection((target.host, target.port), timeout=60) as line:
        line.sendall(f"GET {target.path}?{ROSA['query']} HTTP/1.1\r\n\r\n".encode())
        gateway.wait_for_calls(1)
        [hanging] = set(threading.enumerate()) - before
    hanging.join(timeout=60)
    assert not hanging.is_alive()


# Replies that are late, in pieces or incomplete


def test_a_slow_reply_is_complete(gateway):
    gateway.fail_next(1, Fault("slow", seconds=0.1))
    assert call(gateway).body == b"[0]"


def test_a_slow_call_whose_client_left_was_accepted_nevertheless(gateway):
    gateway.fail_next(1, Fault("slow", seconds=ENDLESS))
    assert call(gateway, timeout=BRIEFLY).end == "open"
    gateway.wait_for_calls(1)
    assert len(gateway.accepted) == 1


def test_a_reply_cut_inside_is_shorter_than_its_content_length(gateway):
    gateway.fail_next(1, "cut_inside")
    got = call(gateway)
    assert b"Content-Length: 3\r\n" in got.data
    assert (got.status, got.body, got.end) == (200, b"[", "closed")
    assert len(gateway.accepted) == 1


def test_a_connection_cut_after_the_reply_is_closed_without_notice(gateway):
    gateway.fail_next(1, "cut_behind")
    got = call(gateway, keep="keep-alive")
    assert (got.body, got.end) == (b"[0]", "closed")
    assert b"Connection: close" not in got.data


def test_a_dripping_reply_is_sent_byte_by_byte_after_complete_headers(gateway):
    gateway.fail_next(1, Fault("drip", seconds=ENDLESS))
    got = call(gateway, timeout=BRIEFLY, headers_within=60.0)
    assert (got.status, got.body, got.end) == (200, b"", "open")
    gateway.fail_next(1, Fault("drip", seconds=0))
    assert json.loads(call(gateway).body) == [0]


def test_dripping_headers_are_sent_byte_by_byte(gateway):
    gateway.fail_next(1, Fault("drip_headers", seconds=ENDLESS))
    got = call(gateway, timeout=BRIEFLY)
    assert got == (b"", "open")
    gateway.fail_next(1, Fault("drip_headers", seconds=0))
    assert call(gateway).body == b"[0]"


# Other replies


@pytest.mark.parametrize(
    ("fault", "reply"),
    [("refuse_020", '"020"'), ("refuse_099", '"099"'), ("security_error", "Security error")],
)
def test_a_refusal_is_answered_as_the_account_would(gateway, fault, reply):
    gateway.fail_next(1, fault)
    assert reply in call(gateway).body.decode()
    assert gateway.accepted == []


@pytest.mark.parametrize("status", [302, 403, 404, 429, 500, 502, 503, 504])
def test_a_status_is_sent_and_the_sms_is_not(gateway, status):
    gateway.fail_next(1, f"http_{status}")
    assert call(gateway).status == status
    [entry] = gateway.calls
    assert (entry.status, entry.accepted) == (status, False)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_may_hide_an_sms_that_was_sent(gateway, status):
    gateway.fail_next(1, Fault(f"http_{status}", accepted=True))
    assert call(gateway).status == status
    assert len(gateway.accepted) == 1


def test_an_sms_that_the_account_refuses_is_sent_under_no_fault(gateway):
    for kind in KINDS:
        if not kind.startswith("hang"):
            gateway.fail_next(1, Fault(kind, seconds=0))
            call(gateway, query=ROSA["query"].replace("pronto", "perso"))
    assert gateway.accepted == []


def test_a_client_that_follows_the_redirect_sends_the_same_call_again(gateway):
    gateway.fail_next(1, "http_302")
    answer = urllib3.request("GET", f"{gateway.url}?{ROSA['query']}", timeout=60)
    assert answer.data == b"[0]"
    assert [entry.status for entry in gateway.calls] == [302, 200]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", [7, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after_is_seconds_or_a_date(gateway, status, after):
    gateway.fail_next(1, Fault(f"http_{status}", retry_after=after))
    assert f"\r\nRetry-After: {after}\r\n".encode() in call(gateway).data


def test_retry_after_can_be_missing(gateway):
    gateway.fail_next(1, Fault("http_503", retry_after=None))
    assert b"Retry-After" not in call(gateway).data


def test_an_unusable_reply_is_sent_as_requested(gateway):
    bodies = {}
    for fault in ("empty", "html", "huge", "non_utf8", "wrong_json"):
        gateway.fail_next(1, fault)
        got = call(gateway)
        assert got.status == 200
        bodies[fault] = got.body
    assert bodies["empty"] == b""
    assert bodies["html"].startswith(b"<!DOCTYPE html>")
    assert len(bodies["huge"]) > 4_000_000
    assert "exit_status" not in json.loads(bodies["wrong_json"])
    with pytest.raises(UnicodeDecodeError):
        bodies["non_utf8"].decode()
    assert all(len(entry.reply) <= 500 for entry in gateway.calls)


# Which call gets a fault


def test_a_fault_applies_to_so_many_calls_and_no_more(gateway):
    gateway.fail_next(2, "http_404")
    assert [call(gateway).status for _ in range(3)] == [404, 404, 200]


def test_a_fault_for_a_number_does_not_affect_others(gateway):
    gateway.fail("http_404", to=ROSA["sms_destination"])
    statuses = [call(gateway, who["query"]).status for who in (ROSA, BRUNO, ROSA, ROSA)]
    assert statuses == [404, 200, 404, 404]
    gateway.clear_faults()
    assert call(gateway).status == 200


def test_scheduled_faults_are_used_in_the_order_they_were_set(gateway):
    gateway.fail_next(1, "http_500")
    gateway.fail_next(1, "http_403", to=BRUNO["sms_destination"])
    gateway.fail_next(1, "http_502")
    statuses = [call(gateway, who["query"]).status for who in (ROSA, ROSA, BRUNO, BRUNO)]
    assert statuses == [500, 502, 403, 200]


def chosen(seed):
    with LocalGateway("9999", "local-secret") as gateway:
        gateway.fail_rate(0.3, ["http_500", "html", "refuse_099"], seed=seed)
        for _ in range(60):
            call(gateway)
    return [entry.fault for entry in gateway.calls]


def test_a_rate_chooses_the_same_faults_from_the_same_seed():
    first = chosen(7)
    assert chosen(7) == first
    assert chosen(8) != first
    assert set(first) == {None, "http_500", "html", "refuse_099"}
    assert 6 <= sum(fault is not None for fault in first) <= 32


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_zero_to_one_is_refused(gateway, rate):
    with pytest.raises(ValueError, match="from 0 to 1"):
        gateway.fail_rate(rate, ["slow"], seed=1)


def test_a_rate_without_faults_is_refused(gateway):
    with pytest.raises(ValueError, match="at least one fault"):
        gateway.fail_rate(0.5, [], seed=1)


def test_a_count_below_one_is_refused(gateway):
    with pytest.raises(ValueError, match="from 1"):
        gateway.fail_next(0, "slow")


def test_a_fault_that_does_not_exist_is_refused(gateway):
    with pytest.raises(ValueError, match="no fault 'explode'"):
        gateway.fail_next(1, "explode")


def test_a_pooled_client_keeps_its_connection_over_normal_calls(gateway):
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        for _ in range(3):
            pool.request("GET", f"{gateway.url}?{ROSA['query']}")
        [host] = [pool.pools[key] for key in pool.pools.keys()]  # noqa: SIM118  no plain mapping
        assert host.num_connections == 1
