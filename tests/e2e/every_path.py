"""Each function does each thing that it can do, so that no permission of it looks unused."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

from local.deployed_stack import WEBHOOK_SECRETS
from tests.e2e.brake import open_brake, shut_brake
from tests.e2e.conftest import wait_until
from tests.e2e.load import LoadGenerator
from tests.e2e.table_and_queue import make_due, queue_depth, records

LATER = (datetime.now(UTC) + timedelta(days=30)).isoformat()
MESSAGE = {"to": "3331234711", "text": "Permessi"}
AGAIN = "Al secondo tentativo"
BUSY = ("+393331234712", "+393331234713")  # numbers for which the gateway answers 503 once


def take_every_path(deployment):
    before = queue_depth(deployment.stack)
    over_webhooks(deployment)
    over_the_api(deployment)
    after_an_outage(deployment)
    over_the_queue(deployment)
    while_sending_is_paused(deployment)
    after_a_probe(deployment)
    wait_until(lambda: queue_depth(deployment.stack) <= before, "an empty queue")


def over_webhooks(deployment):
    """For now and for a later day."""
    shop = LoadGenerator(deployment, "permessi", {"webhook": 1})
    shop.webhook(*shop.keys["webhook"])
    due = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    reminder = {"id": "permesso", "cellulare": "3331234714", "scadenza": due, "nome": "Anna"}
    body = json.dumps(reminder | {"modello": "F24", "importo": "120,00"}).encode()
    signature = hmac.new(WEBHOOK_SECRETS["scadenze"].encode(), body, hashlib.sha256).hexdigest()
    assert deployment.call("POST", "/webhooks/scadenze", body, X_Signature=signature)[0] == 202


def over_the_api(deployment):
    """Now, soon and later; the last is listed, scheduled again by the reconciler, and cancelled."""
    assert deployment.call("POST", "/messages", MESSAGE | {"id": "permesso-1"})[0] == 201
    soon = {"Prefer": "respond-async"}
    assert deployment.call("POST", "/messages", MESSAGE | {"id": "permesso-2"}, **soon)[0] == 202
    later = MESSAGE | {"id": "permesso-3", "send_at": LATER}
    assert deployment.call("POST", "/messages", later)[0] == 202
    for search in ("status=scheduled", "to=%2B393331234711"):
        found = deployment.call("GET", f"/messages?{search}")[2]["messages"]
        assert "permesso-3" in [one["id"] for one in found]
    make_due(
        deployment.stack, [one for one in records(deployment.stack) if one["id"] == "permesso-3"]
    )
    assert deployment.stack.invoke("reconciler", {})["queued"] >= 1
    assert deployment.call("POST", "/messages/permesso-3/cancel")[0] == 200


def after_an_outage(deployment):
    """A person decides about many messages at once: here about the only one of its period."""
    began = datetime.now(UTC)
    deployment.gateway.fail_next(1, "cut", to="+393331234715")
    doubt = {"to": "3331234715", "text": "Permesso in dubbio", "id": "permesso-6"}
    assert deployment.call("POST", "/messages", doubt)[0] == 202
    period = {"since": began.isoformat(), "until": datetime.now(UTC).isoformat()}
    decision = {"id": "permesso", **period, "decision": "resend", "messages": 1}
    wait_until(lambda: deployment.call("POST", "/resolutions", decision)[0] == 200, "a resolution")


def over_the_queue(deployment):
    """For later; into a busy gateway, with and without an id; and an invalid message."""
    deployment.queue(MESSAGE | {"id": "permesso-4", "send_at": LATER})
    for number, more in zip(BUSY, ({"id": "permesso-5"}, {}), strict=True):
        deployment.gateway.fail_next(1, "http_503", to=number)
        deployment.queue({"to": number, "text": AGAIN} | more)
    deployment.queue("non è un messaggio")
    wait_until(lambda: len(deployment.accepted(AGAIN)) == len(BUSY), "both sent, at the second try")


def while_sending_is_paused(deployment):
    """What waits is handed over by a resume; and what the day has used up is looked at."""
    assert deployment.call("PUT", "/sending", {"paused": True})[0] == 200
    held = deployment.send_until_held(MESSAGE, "paused")["id"]
    assert deployment.call("PUT", "/sending", {"paused": False})[0] == 200
    deployment.wait_for(held, "sent")
    assert deployment.call("GET", "/usage")[2]["segments"] > 0


def after_a_probe(deployment):
    """The sender wakes the reconciler when the gateway has answered it."""
    shut_brake(deployment.stack)
    held = deployment.send_until_held(MESSAGE, "gateway_down")["id"]
    deployment.queue({"probe": "gateway"})
    deployment.wait_for(held, "sent")
    open_brake(deployment.stack)
