"""The gateway's client in TLS: which authorities it trusts, and that it reads them once."""

import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.util.ssl_ import create_urllib3_context

from openvoip_sms.openvoip import connection
from openvoip_sms.rules.call_result import CallOutcome
from tests.gateway_call import ACCOUNT, SMS
from tests.scripted_server import ScriptedServer, always, response


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusting(authority):
    """A client's context that trusts the test authority alone."""
    context = create_urllib3_context()
    authority.configure_trust(context)
    return context


def server_of(certificate, respond=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return ScriptedServer(respond or always(response("[0]")), tls=context)


def at_localhost(server):
    return f"https://localhost:{server.port}/sms_send_soa.php"


# Trust


def test_a_certificate_of_a_trusted_authority_for_the_right_name_is_accepted(
    connect, authority, trusting
):
    with server_of(authority.issue_cert("localhost")) as server:
        call = connect(at_localhost(server), tls=trusting).send
        assert [call(SMS, ACCOUNT).outcome for _ in range(2)] == [CallOutcome.ACCEPTED] * 2
    assert (server.connections, len(server.requests)) == (1, 2)


def another_name(authority):
    return authority.issue_cert("elsewhere.example")


def another_name_as_common_name(authority):
    return authority.issue_cert("elsewhere.example", common_name="localhost")


def unknown_authority(_):
    return trustme.CA().issue_cert("localhost")


def expired(authority):
    now = datetime.now(UTC)
    return authority.issue_cert(
        "localhost", not_before=now - timedelta(days=2), not_after=now - timedelta(days=1)
    )


def not_valid_yet(authority):
    now = datetime.now(UTC)
    return authority.issue_cert(
        "localhost", not_before=now + timedelta(days=1), not_after=now + timedelta(days=2)
    )


@pytest.mark.parametrize(
    "bad",
    [another_name, another_name_as_common_name, unknown_authority, expired, not_valid_yet],
    ids=lambda bad: bad.__name__,
)
def test_an_invalid_certificate_gets_no_message(connect, authority, trusting, bad):
    with server_of(bad(authority)) as server:
        reply = connect(at_localhost(server), tls=trusting).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "SSLCertVerificationError")
    assert (server.connections, server.requests) == (1, [])


def test_a_private_authority_is_not_trusted_by_default(connect, authority):
    with server_of(authority.issue_cert("localhost")) as server:
        reply = connect(at_localhost(server)).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "SSLCertVerificationError")
    assert (server.connections, server.requests) == (1, [])


def test_the_environment_cannot_add_an_authority(connect, authority, monkeypatch, tmp_path):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(file))
    with server_of(authority.issue_cert("localhost")) as server:
        reply = connect(at_localhost(server)).send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNREACHABLE
    assert server.requests == []


class SelfSigned:
    """As trustme's certificates, but for the authority: it has none."""

    def __init__(self, folder):
        self._file = folder / "self-signed.pem"
        self._file.write_bytes(_self_signed("localhost"))

    def configure_cert(self, context):
        context.load_cert_chain(self._file)


def _self_signed(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + made.public_bytes(serialization.Encoding.PEM)


def test_a_self_signed_certificate_gets_no_message(connect, trusting, tmp_path):
    with server_of(SelfSigned(tmp_path)) as server:
        reply = connect(at_localhost(server), tls=trusting).send(SMS, ACCOUNT)
    assert (reply.outcome, reply.fault) == (CallOutcome.UNREACHABLE, "SSLCertVerificationError")
    assert (server.connections, server.requests) == (1, [])


# Faults of the handshake


def test_https_to_a_plain_port_was_certainly_not_sent(gateway, connect):
    reply = connect(gateway.url.replace("http:", "https:")).send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNREACHABLE
    assert gateway.calls == []


@pytest.mark.usefixtures("short_time_outs")
def test_a_handshake_that_never_ends_was_certainly_not_sent(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reply = connect(f"https://127.0.0.1:{silent.getsockname()[1]}/").send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNREACHABLE


@pytest.mark.usefixtures("short_time_outs")
def test_a_dripping_reply_is_cut_through_tls_too(connect, authority, trusting):
    def drip(connection, _):
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(b"H")

    with server_of(authority.issue_cert("localhost"), drip) as server:
        reply = connect(at_localhost(server), tls=trusting).send(SMS, ACCOUNT)
    assert reply.outcome is CallOutcome.UNCERTAIN
    assert len(server.requests) == 1


# Read once


@pytest.fixture
def loads(monkeypatch):
    """Counts how often authorities are read into a context, by whatever code."""
    counted = []

    def count(name):
        original = getattr(ssl.SSLContext, name)

        def counting(self, *args, **kwargs):
            counted.append(name)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(ssl.SSLContext, name, counting)

    for name in ("load_verify_locations", "load_default_certs", "set_default_verify_paths"):
        count(name)
    return counted


def test_authorities_are_read_once_for_all_connections_and_threads(
    connect, authority, loads, monkeypatch, tmp_path
):
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    monkeypatch.setattr(connection, "where", lambda: str(file))

    def answer_and_close(connection, _):
        connection.sendall(response("[0]"))

    with server_of(authority.issue_cert("localhost"), answer_and_close) as server:
        call = connect(at_localhost(server)).send
        with ThreadPoolExecutor(5) as workers:
            outcomes = list(workers.map(lambda _: call(SMS, ACCOUNT).outcome, range(10)))
    assert outcomes == [CallOutcome.ACCEPTED] * 10
    assert server.connections == 10
    assert loads == ["load_verify_locations"]


def test_a_given_context_is_used_as_it_is(connect, authority, trusting, loads):
    with server_of(authority.issue_cert("localhost")) as server:
        assert connect(at_localhost(server), tls=trusting).send(SMS, ACCOUNT).outcome is (
            CallOutcome.ACCEPTED
        )
    assert loads == []


def test_a_gateway_without_tls_needs_no_authorities(connect, gateway, loads):
    assert connect(gateway.url).send(SMS, ACCOUNT).outcome is CallOutcome.ACCEPTED
    assert loads == []
