"""Those who send: programs, queues, shops and forms. They repeat themselves, and remember."""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from openvoip_sms.rules.record import Reason, Status
from openvoip_sms.rules.rfc3339 import to_rfc3339
from tests.simulation.secret_store import WEBHOOK_SECRETS
from tests.simulation.wired import HELD_BACK, RECIPIENTS, Wired
from tests.simulation.world import World

WEBHOOKS = {"webhook_signed": "shop", "webhook_token": "form"}
WAYS = [*"api api_async scheduled queue queue_without_id queue_in_envelope".split(), *WEBHOOKS]
ARRIVALS = 600.0  # seconds in which all messages come
TRIES = 6
UNAUTHORIZED, ACCEPTED, DIED = 401, 202, 502
AGAIN = (409, 500, DIED, 503)
HOST = "a1b2c3d4e5.execute-api.eu-south-1.amazonaws.com"

type Given = dict[str, Any]


class Clients:
    """Send each message by one of the ways, and remember what they were told."""

    def __init__(self, world: World, wired: Wired, *, low_limits: bool) -> None:
        self._world, self._wired = world, wired
        self._source_prefix = "limited-" if low_limits else ""
        self.promised: set[str] = set()  # texts that were accepted, as far as their client knows
        self.conflicting: set[str] = set()  # texts under an id that another text may have taken
        self.sent: set[str] = set()  # every text, accepted or not
        self.forged: set[str] = set()  # texts that only a forged webhook asked for
        self.forms: defaultdict[str, set[str]] = defaultdict(set)  # different ones, by their number
        self.events: defaultdict[str, set[str]] = defaultdict(set)  # the same, those of shops too
        self.refused = 0  # webhooks answered as not authentic
        self.not_messages = 0
        self.requests = 0  # of messages, however they came

    def plan(self, messages: int) -> None:
        random, stage = self._world.random, self._world.stage
        for n in range(messages):
            way = random.choice(WAYS)
            at = random.uniform(0.0, ARRIVALS)
            stage.at(at, lambda n=n, way=way: self.send(f"Prova {n}", way))

    def send(self, text: str, way: str, **more: object) -> None:
        faults, random, stage = self._world.faults, self._world.random, self._world.stage
        given = self._message(text, way) | more
        self.sent.add(text)
        self._bring(given, way)
        if faults.happens("forged_webhook"):
            self._forge(f"{text} falso")
        if "id" not in given:
            return
        delays = (0.0, random.uniform(0.0, 3.0), random.uniform(0.0, 200.0))
        later = stage.now + random.choice(delays)
        if faults.happens("sent_again_by_client"):
            stage.at(later, lambda: self._bring(given, way))
        if faults.happens("same_id_other_text"):
            other = given | {"text": f"{text} bis"}
            self.conflicting |= {text, other["text"]}
            stage.at(later, lambda: self._bring(other, way))
        if faults.happens("not_a_message"):
            self.not_messages += 1
            self._wired.sqs.send(f'{{"to": "nobody", "not_a_message": {self.not_messages}')

    def _message(self, text: str, way: str) -> Given:
        random = self._world.random
        to = random.choices((random.choice(RECIPIENTS), HELD_BACK, "0611223344"), (96, 2, 2))[0]
        given: Given = {"to": to, "text": text}
        if way != "queue_without_id" and random.random() < 0.9:
            given["id"] = "id-" + text.replace(" ", "-")
        if random.random() < 0.2:
            given["valid_for"] = random.choice((10, 60, 600))
        if way == "scheduled":
            ahead = random.choice((5.0, 600.0, 5000.0, 20000.0)) * random.uniform(0.5, 1.0)
            given["send_at"] = to_rfc3339(self._world.clock() + timedelta(seconds=ahead))
        return given

    def _bring(self, given: Given, way: str) -> None:
        self.requests += 1
        if way.startswith("queue"):
            self.promised.add(given["text"])
            body = json.dumps(given)
            if way == "queue_in_envelope":
                body = json.dumps({"Type": "Notification", "Message": body})
            self._wired.sqs.send(body)
        elif way in WEBHOOKS:
            self._call_webhook(given, WEBHOOKS[way], TRIES)
        else:
            self._post(given, {"Prefer": "respond-async"} if way == "api_async" else {}, TRIES)

    # ---- Programs --------------------------------------------------------------------------

    def _post(self, given: Given, headers: dict[str, str], tries: int) -> None:
        def on_answer(status: int, body: Given) -> None:
            self._check_answer(given["text"], status, body)
            if status in AGAIN and tries and "id" in given:
                later = self._world.stage.now + self._world.random.uniform(1.0, 60.0)
                self._world.stage.at(later, lambda: self._post(given, headers, tries - 1))

        self.request("api", ("POST", "/messages"), json.dumps(given), headers, on_answer)

    def request(
        self,
        function: str,
        route: tuple[str, str],
        body: str,
        headers: dict[str, str],
        on_answer: Callable[[int, Given], None],
        **path: str,
    ) -> None:
        """One HTTP call; `on_answer` gets API Gateway's 502 when the function raised or died."""

        def answer(response: Any) -> None:
            if response is None:
                on_answer(DIED, {})
            else:
                on_answer(response["statusCode"], json.loads(response["body"]))

        event = proxy_event(route, body, headers, path)
        self._wired.functions.invoke(function, event, answer)

    def _check_answer(self, text: str, status: int, body: Given) -> None:
        record = body.get("message", body)
        if "status" not in record or "to" not in record:
            return
        accepted = self._wired.gateway.accepted[text]
        if record["text"] != text:
            self._world.violation("its client was shown another message", text)
        confirmed = record.get("reason") == Reason.CONFIRMED_BY_PERSON
        if record["status"] == Status.SENT and not accepted and not confirmed:
            self._world.violation("its client was told it was sent, and it was not", text)
        if status in (200, 410, 422, 502) and accepted:
            self._world.violation(f"its client was told {record['status']}, but it was sent", text)
        self.promised.add(text)

    # ---- Shops and forms -------------------------------------------------------------------

    def _call_webhook(self, given: Given, kind: str, tries: int) -> None:
        body = json.dumps({"telefono": given["to"], "testo": given["text"], "id": given.get("id")})
        self.events[given["to"]].add(body)
        if kind == "form":
            self.forms[given["to"]].add(body)

        def on_answer(status: int, answer: Given) -> None:
            self._check_webhook_answer(given["text"], status, answer)
            if status in AGAIN and tries:
                later = self._world.stage.now + self._world.random.uniform(5.0, 60.0)
                self._world.stage.at(later, lambda: self._call_webhook(given, kind, tries - 1))

        self._webhook(kind, body, WEBHOOK_SECRETS[kind], on_answer)

    def _check_webhook_answer(self, text: str, status: int, answer: Given) -> None:
        shown = [one["id"] for one in answer.get("messages", ())]
        if not self._wired.dynamodb.table.items.keys() >= set(shown):
            self._world.violation("a webhook was answered with an id that has no record", text)
        if status == ACCEPTED:
            self.promised.add(text)
            if not shown:
                self._world.violation("a webhook was accepted without an id", text)
        if status == UNAUTHORIZED:
            self._world.violation("an authentic webhook was refused", text)

    def _forge(self, text: str) -> None:
        self.forged.add(text)
        body = json.dumps({"telefono": RECIPIENTS[0], "testo": text})

        def on_answer(status: int, _answer: Given) -> None:
            self.refused += status == UNAUTHORIZED

        self._webhook(self._world.random.choice(("shop", "form")), body, "a-guess", on_answer)

    def _webhook(
        self, kind: str, body: str, secret: str, on_answer: Callable[[int, Given], None]
    ) -> None:
        headers = {"Content-Type": "application/json"}
        if kind == "shop":
            digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
            headers["X-Signature"] = digest
        else:
            headers["X-Webhook-Token"] = secret
        source = f"{self._source_prefix}{kind}"
        route = ("POST", "/webhooks/{source}")
        self.request("webhooks", route, body, headers, on_answer, source=source)


def proxy_event(
    route: tuple[str, str], body: str, headers: dict[str, str], path: dict[str, str]
) -> dict[str, Any]:
    """As a REST API hands a call to its function."""
    method, resource = route
    called = resource.format(**path)
    return {
        "resource": resource,
        "path": called,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path or None,
        "requestContext": {"domainName": HOST, "path": f"/v1{called}"},
        "body": body,
        "isBase64Encoded": False,
    }
