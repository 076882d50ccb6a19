"""Some hundred messages over every way in, each delivered twice, by clients that do not give up.

Each message carries a key in its text, by which the gateway's call log and the table are compared.
"""

import base64
import hashlib
import hmac
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from urllib.error import URLError

from local.deployed_stack import WEBHOOK_SECRETS
from tests.e2e.conftest import wait_until

PATIENCE = 120.0  # seconds: many processes have to be started anew, on a machine that may be busy
COME_AGAIN = {429, 500, 502, 503}  # answers after which a client repeats its call


def key_in(text):
    found = re.search(r"[a-z]+-\d+-[a-z]+-\d{3}", text or "")
    return found.group() if found else None


class Traffic:
    """`counts` says how many messages take each way; `run` tells one run's keys from another's."""

    def __init__(self, house, run, counts):
        self.house, self.run = house, run
        self.sqs, self.lambda_ = house.stack.client("sqs"), house.stack.client("lambda")
        self.keys = {way: [f"{run}-{way}-{n:03}" for n in range(n)] for way, n in counts.items()}
        self.ids = set()  # those of messages without an id of their own
        self.duplicates = 0

    @property
    def all_keys(self):
        return {key for keys in self.keys.values() for key in keys}

    def message(self, key, **more):
        number = 10_000 + int(key[-3:]) + 1000 * (len(key) % 7)
        return {"to": f"+3933312{number}", "text": f"{key}: il referto è pronto"} | more

    def send(self, seed):
        """Send everything, each way by a client of its own; return when all stands."""
        clients = [
            [(self.post, key, "async") for key in self.keys["async"] * 2],
            [(self.post, key, "sync") for key in self.keys["sync"] * 2],
            [(self.hook, key) for key in self.keys["webhook"] * 2],
            [(self.queue, keys) for keys in _tens(self.keys["queue"]) * 2]
            + [(self.queue_without_ids, keys) for keys in _tens(self.keys["noid"])],
        ]
        draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
        with ThreadPoolExecutor(len(clients)) as at_once:
            for jobs in clients:
                draw.shuffle(jobs)
            for done in [at_once.submit(_do, jobs) for jobs in clients]:
                done.result()
        self.duplicates += sum(map(len, self.keys.values()))

    def post(self, key, how):
        headers = {"Prefer": "respond-async"} if how == "async" else {}
        return self.until_it_stands("POST", "/messages", self.message(key, id=key), **headers)

    def hook(self, key):
        """Call as the shop does; its signature covers the body."""
        number = f"333{int(key[-3:]):03}0001"  # each in a range of its own
        order = {"id": key, "name": key, "phone": number, "customer": {"first_name": "Anna"}}
        body = json.dumps(order).encode()
        digest = hmac.digest(WEBHOOK_SECRETS["shopify"].encode(), body, hashlib.sha256)
        return self.until_it_stands(
            "POST",
            "/webhooks/shopify",
            body,
            X_Shopify_Topic="orders/fulfilled",
            X_Shopify_Hmac_Sha256=base64.b64encode(digest).decode(),
            X_Shopify_Webhook_Id=key,
            X_Shopify_Event_Id=key,
        )

    def until_it_stands(self, *call, **headers):
        answers = []

        def stands():
            try:
                answers.append(self.house.call(*call, **headers))
            except (URLError, ConnectionError, TimeoutError):
                return False
            return answers[-1][0] not in COME_AGAIN

        wait_until(stands, f"an answer to {call[1]}", PATIENCE)
        return answers[-1]

    def queue(self, keys):
        self._put([json.dumps(self.message(key, id=key)) for key in keys])

    def queue_without_ids(self, keys):
        """Put them into the queue, and deliver them once more besides, as SQS may."""
        bodies = [json.dumps(self.message(key)) for key in keys]
        ids = self._put(bodies)
        self.ids.update(ids)
        self.deliver(zip(ids, bodies, strict=True))

    def _put(self, bodies):
        """Return the ids that SQS gave them."""
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        url = self.house.stack.outputs["MessageQueueUrl"]
        sent = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
        return [one["MessageId"] for one in sorted(sent, key=lambda one: int(one["Id"]))]

    def deliver(self, messages, received=1):
        """Hand the sender SQS messages (id, body) as its queue would; return what it gives back.

        Nothing when its process died over them.
        """
        answer = self.lambda_.invoke(
            FunctionName=self.house.stack.functions["sender"],
            Payload=json.dumps({"Records": [_delivered(*one, received) for one in messages]}),
        )
        body = json.loads(answer["Payload"].read())
        return None if "FunctionError" in answer else body["batchItemFailures"]


def _tens(keys):
    return list(batched(keys, 10, strict=False))


def _do(jobs):
    for job, *arguments in jobs:
        job(*arguments)


def _delivered(sqs_id, body, received):
    return {
        "messageId": sqs_id,
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(received)},
    }
