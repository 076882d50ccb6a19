"""`make pause` and `make resume` say in plain sentences what is true now."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from botocore.stub import Stubber

from local import own_stack, switch
from local.own_stack import NoStack, OwnStack
from local.switch import NotSwitched, in_words, switched

OPEN = {"state": "open"}
PAUSED = {
    "paused": True,
    "reason": "Errore nel testo",
    "by": "Anna",
    "since": "2026-11-25T13:03:00.000Z",
    "brake": OPEN,
}
HOLDING = {
    "paused": False,
    "brake": {"state": "holding", "since": "2026-07-01T13:03:00.000Z"},
}


class Stack(OwnStack):
    """Its outputs and its API key are given."""

    def __init__(self, url):
        super().__init__(boto3.Session("local", "local", region_name="eu-south-1"), "sms")
        self._url = url
        self.apigateway = super().client("apigateway")

    def outputs(self):
        return {"ApiUrl": self._url, "ApiKeyId": "key-1"}

    def client(self, _service):
        return self.apigateway


@pytest.fixture
def service():
    """A service that answers every call as it is told; `calls` are what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.calls.append((self.path, self.headers["x-api-key"], body))
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
def stack(service):
    stack = Stack(f"http://127.0.0.1:{service.server_port}/v1")
    with Stubber(stack.apigateway) as stub:
        stub.add_response(
            "get_api_key", {"value": "the-key"}, {"apiKey": "key-1", "includeValue": True}
        )
        yield stack


def test_the_switch_is_set_with_the_stacks_api_key(stack, service, monkeypatch, capsys):
    monkeypatch.setattr(switch, "own_stack_or_local", lambda _: stack)
    assert switch.main("pause", "Errore nel testo", "Anna") == 0
    asked = {"paused": True, "reason": "Errore nel testo", "by": "Anna"}
    assert service.calls == [("/v1/sending", "the-key", asked)]
    said = "".join(capsys.readouterr())
    assert "paused since 25/11/2026 14:03 (Rome) by Anna: Errore nel testo." in said
    assert "the-key" not in said


def test_what_nobody_said_is_left_out(stack, service, monkeypatch):
    monkeypatch.setattr(switch, "own_stack_or_local", lambda _: stack)
    service.answer = (200, {"paused": False, "brake": OPEN})
    assert switch.main("resume") == 0
    assert [body for _, _, body in service.calls] == [{"paused": False}]


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (PAUSED, "messages are accepted and wait for make resume."),
        ({"paused": True, "since": PAUSED["since"], "brake": OPEN}, "14:03 (Rome).\n"),
        ({"paused": False, "brake": OPEN}, "Sending of sms is on; what waited for it is sent now."),
        (HOLDING, "answers have been unclear since 01/07/2026 15:03 (Rome)."),
    ],
)
def test_what_is_true_now_is_said(shown, sentence):
    assert sentence in in_words(shown, "sms")


def test_a_refusal_names_the_field(stack, service):
    wrong = {"field": "by", "reason": "bad_by", "detail": "1 to 64 printable characters."}
    service.answer = (422, {"detail": "The request is invalid.", "violations": [wrong]})
    with pytest.raises(NotSwitched, match=r"422\. by: 1 to 64 printable"):
        switched(stack, {"paused": True, "by": "x" * 65})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": null}', b"{}"])
def test_a_failure_says_that_the_switch_has_to_be_looked_at(stack, service, body):
    service.answer = (503, body)
    with pytest.raises(NotSwitched, match=r"answered 503.*GET /sending"):
        switched(stack, {"paused": True})


def test_a_service_that_does_not_answer_is_said_without_a_traceback(stack, service):
    service.answer = (200, b"no JSON")
    with pytest.raises(NotSwitched, match=r"No answer of the service.*GET /sending"):
        switched(stack, {"paused": True})


def test_a_key_that_aws_does_not_show_changes_nothing(service):
    stack = Stack(f"http://127.0.0.1:{service.server_port}/v1")
    with Stubber(stack.apigateway) as stub:
        stub.add_client_error("get_api_key", "AccessDeniedException")
        with pytest.raises(NoStack, match="AccessDeniedException"):
            switched(stack, {"paused": True})
    assert service.calls == []


def test_the_local_aws_is_called_at_its_own_address():
    url = "https://abc123.execute-api.eu-south-1.amazonaws.com/v1"
    assert own_stack.reachable(url, None) == url
    local = "http://127.0.0.1:4566/restapis/abc123/v1/_user_request_"
    assert own_stack.reachable(url, "http://127.0.0.1:4566") == local
