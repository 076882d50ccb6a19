"""What a gateway repeats of the URL that called it: no record and no response has its signature."""

import html
import json
import re
from urllib.parse import quote

import pytest

from tests.scripted_server import ScriptedServer, response, url_of

MESSAGE = {"to": "333 1234567", "text": "testo breve", "id": "m-1"}


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Error", "503 Busy"])
def test_no_record_contains_the_signature_that_an_error_page_repeats(deploy, status):
    def repeat(connection, _):
        url = server.requests[-1].split()[1].decode()
        page = f"<html>{html.escape(url)}<hr>{url}<hr>{quote(url)}</html>"
        connection.sendall(response(page, status=status))

    with ScriptedServer(repeat) as server:
        service = deploy(GatewayUrl=url_of(server))
        answer = service.post(MESSAGE)
        service.put({"to": "333 1234568", "text": "dalla coda", "id": "m-2"})
        service.run_sender()
        sent = [re.search(r"verify=(\w{32})", one.decode())[1] for one in server.requests]
    items = [item for key, item in service.items().items() if not key.startswith("#")]
    assert [item["gateway_reply"]["S"].count("[redacted]") > 0 for item in items] == [True, True]
    kept = json.dumps([items, answer.raw, service.call("GET", "/messages/{id}", "m-2").raw])
    for secret in (*sent, "local-secret"):
        assert secret not in kept.casefold()
    assert "testo+breve" in kept
