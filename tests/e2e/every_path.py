"""Each function does each thing that it can do, so that no permission of it looks unused."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

from local.deployed_stack import WEBHOOK_SECRETS
from tests.e2e.conftest import wait_until
from tests.e2e.load import Traffic
from tests.e2e.table_and_queue import let_time_pass, records, waiting

LATER = (datetime.now(UTC) + timedelta(days=30)).isoformat()
MESSAGE = {"to": "3331234711", "text": "Permessi"}
BUSY = ("+393331234712", "+393331234713")  # numbers for which the gateway answers 503 once


def take_every_path(house):
    before = waiting(house.stack)
    over_webhooks(house)
    over_the_api(house)
    over_the_queue(house)
    wait_until(lambda: waiting(house.stack) <= before, "an empty queue")


def over_webhooks(house):
    """For now and for a later day."""
    shop = Traffic(house, "permessi", {"webhook": 1})
    shop.hook(*shop.keys["webhook"])
    due = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    reminder = {"id": "permesso", "cellulare": "3331234714", "scadenza": due, "nome": "Anna"}
    body = json.dumps(reminder | {"modello": "F24", "importo": "120,00"}).encode()
    signature = hmac.new(WEBHOOK_SECRETS["scadenze"].encode(), body, hashlib.sha256).hexdigest()
    assert house.call("POST", "/webhooks/scadenze", body, X_Signature=signature)[0] == 202


def over_the_api(house):
    """Now, soon and later; the last is listed, queued by the reconciler, and cancelled."""
    assert house.call("POST", "/messages", MESSAGE | {"id": "permesso-1"})[0] == 201
    soon = {"Prefer": "respond-async"}
    assert house.call("POST", "/messages", MESSAGE | {"id": "permesso-2"}, **soon)[0] == 202
    later = MESSAGE | {"id": "permesso-3", "send_at": LATER}
    assert house.call("POST", "/messages", later)[0] == 202
    for search in ("status=scheduled", "to=%2B393331234711"):
        found = house.call("GET", f"/messages?{search}")[2]["messages"]
        assert "permesso-3" in [one["id"] for one in found]
    let_time_pass(house.stack, [one for one in records(house.stack) if one["id"] == "permesso-3"])
    assert house.stack.invoke("reconciler", {})["queued"] >= 1
    assert house.call("DELETE", "/messages/permesso-3")[0] == 200


def over_the_queue(house):
    """For later; into a busy gateway, with and without an id; and what is no message."""
    house.queue(MESSAGE | {"id": "permesso-4", "send_at": LATER})
    for number, more in zip(BUSY, ({"id": "permesso-5"}, {}), strict=True):
        house.gateway.fail_next(1, "http_503", to=number)
        house.queue({"to": number, "text": "Al secondo tentativo"} | more)
    house.queue("non è un messaggio")
