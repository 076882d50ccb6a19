"""One call to the API of a stack: with both keys, and in plain words when it fails."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from botocore.stub import Stubber

from local import own_stack, rotate_admin_key, switch
from local.own_stack import NoStack, OwnStack
from local.service_call import NotDone, call

PAUSED = {"paused": True, "since": "2026-11-25T13:03:00.000Z", "brake": {"state": "open"}}
ROUTE, CHECK = ("PUT", "/sending"), "Look with GET /sending."


class Stack(OwnStack):
    """Its outputs and what AWS answers are given."""

    def __init__(self, url):
        super().__init__(boto3.Session("local", "local", region_name="eu-south-1"), "sms")
        self._url = url
        names = ("apigateway", "secretsmanager")
        self.clients = {name: super(Stack, self).client(name) for name in names}

    def outputs(self):
        return {"ApiUrl": self._url, "ApiKeyId": "key-1", "AdminSecretArn": "admin-1"}

    def client(self, service):
        return self.clients[service]


@pytest.fixture
def service():
    """A service that answers every call as it is told; `calls` are what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            keys = self.headers["x-api-key"], self.headers["x-admin-key"]
            self.server.calls.append((self.path, keys, body))
            status, answer = self.server.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.calls, server.answer = [], (200, PAUSED)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bare(service):
    return Stack(f"http://127.0.0.1:{service.server_port}/v1")


@pytest.fixture
def keys(bare):
    with Stubber(bare.clients["apigateway"]) as stub:
        stub.add_response(
            "get_api_key", {"value": "the-key"}, {"apiKey": "key-1", "includeValue": True}
        )
        yield stub


@pytest.fixture
def secrets(bare):
    with Stubber(bare.clients["secretsmanager"]) as stub:
        yield stub


def shows(stub, text):
    stub.add_response("get_secret_value", {"SecretString": text}, {"SecretId": "admin-1"})


@pytest.fixture
def stack(bare, keys, secrets):  # noqa: ARG001 - keys are shown
    shows(secrets, '{"current": "the-admin-key", "previous": ""}')
    return bare


def test_a_call_carries_both_keys_and_prints_neither(stack, service, monkeypatch, capsys):
    monkeypatch.setattr(switch, "own_stack_or_local", lambda _: stack)
    assert switch.main("pause", "Errore nel testo", "Anna") == 0
    asked = {"paused": True, "reason": "Errore nel testo", "by": "Anna"}
    assert service.calls == [("/v1/sending", ("the-key", "the-admin-key"), asked)]
    said = "".join(capsys.readouterr())
    assert "paused since 25/11/2026 14:03 (Rome)" in said
    assert "the-" not in said


def test_what_nobody_said_is_left_out(stack, service, monkeypatch):
    monkeypatch.setattr(switch, "own_stack_or_local", lambda _: stack)
    service.answer = (200, {"paused": False, "brake": {"state": "open"}})
    assert switch.main("resume") == 0
    assert [body for _, _, body in service.calls] == [{"paused": False}]


def test_a_refusal_names_the_field(stack, service):
    wrong = {"field": "by", "reason": "bad_by", "detail": "1 to 64 printable characters."}
    service.answer = (422, {"detail": "The request is invalid.", "violations": [wrong]})
    with pytest.raises(NotDone, match=r"422\. by: 1 to 64 printable"):
        call(stack, ROUTE, {"paused": True, "by": "x" * 65}, check=CHECK)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": null}', b"{}"])
def test_a_failure_says_that_somebody_has_to_look(stack, service, body):
    service.answer = (503, body)
    with pytest.raises(NotDone, match=r"answered 503.*GET /sending"):
        call(stack, ROUTE, {"paused": True}, check=CHECK)


def test_a_service_that_does_not_answer_is_said_without_a_traceback(stack, service):
    service.answer = (200, b"no JSON")
    with pytest.raises(NotDone, match=r"No answer of the service.*GET /sending"):
        call(stack, ROUTE, {"paused": True}, check=CHECK)


def test_a_key_that_aws_does_not_show_changes_nothing(bare, service):
    with Stubber(bare.clients["apigateway"]) as stub:
        stub.add_client_error("get_api_key", "AccessDeniedException")
        with pytest.raises(NoStack, match="AccessDeniedException"):
            call(bare, ROUTE, {"paused": True})
    assert service.calls == []


@pytest.mark.parametrize("text", ["[", "[]", "{}", '{"previous": "x"}'])
def test_an_admin_secret_without_a_key_says_what_to_do(stack, secrets, service, text):
    secrets._queue.clear()
    shows(secrets, text)
    with pytest.raises(NoStack, match="make rotate-admin-key"):
        call(stack, ROUTE, {"paused": True})
    assert service.calls == []


@pytest.fixture
def own(bare, monkeypatch):
    """The stack that `make` finds."""
    monkeypatch.setattr(rotate_admin_key, "own_stack_or_local", lambda _: bare)


class Written:
    """Equals any new key beside the previous one that is expected."""

    def __init__(self, previous):
        self.previous, self.current = previous, ""

    def __eq__(self, text):
        given = json.loads(text)
        self.current = given["current"]
        return given.keys() == {"current", "previous"} and given["previous"] == self.previous

    __hash__ = None


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("held", "previous"),
    [('{"current": "k1", "previous": "k0"}', "k1"), ("[", ""), ("[]", "")],
)
def test_a_rotation_keeps_the_key_before_and_shows_none(secrets, capsys, held, previous):
    shows(secrets, held)
    written = Written(previous)
    secrets.add_response("put_secret_value", {}, {"SecretId": "admin-1", "SecretString": written})
    assert rotate_admin_key.main() == 0
    assert len(written.current) == 43
    said = capsys.readouterr().out
    assert written.current not in said
    assert "admin-1" in said


@pytest.mark.usefixtures("own")
def test_a_rotation_that_aws_refuses_is_said(secrets, capsys):
    shows(secrets, '{"current": "k1"}')
    secrets.add_client_error("put_secret_value", "AccessDeniedException")
    assert rotate_admin_key.main() == 1
    assert "Nothing was changed." in capsys.readouterr().err


def test_the_local_aws_is_called_at_its_own_address():
    url = "https://abc123.execute-api.eu-south-1.amazonaws.com/v1"
    assert own_stack.reachable(url, None) == url
    local = "http://127.0.0.1:4566/restapis/abc123/v1/_user_request_"
    assert own_stack.reachable(url, "http://127.0.0.1:4566") == local
