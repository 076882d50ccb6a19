"""Hundreds of messages over every way in, each delivered twice, by clients that retry.

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
from tests.e2e.conftest import LONG_TIME_OUT, wait_until

RETRYABLE = {429, 500, 502, 503}  # answers after which a client retries


def key_in(text):
    found = re.search(r"[a-z]+-\d+-[a-z]+-\d{3}", text or "")
    return found.group() if found else None


class LoadGenerator:
    """`counts`: how many messages go each way; `run` distinguishes the keys of several runs."""

    def __init__(self, deployment, run, counts):
        self.deployment, self.run = deployment, run
        self.sqs, self.lambda_ = deployment.stack.client("sqs"), deployment.stack.client("lambda")
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
        """Send everything, each way by its own client; return when each call has a final answer."""
        clients = [
            [(self.post, key, "async") for key in self.keys["async"] * 2],
            [(self.post, key, "sync") for key in self.keys["sync"] * 2],
            [(self.webhook, key) for key in self.keys["webhook"] * 2],
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
        return self.call_until_final("POST", "/messages", self.message(key, id=key), **headers)

    def webhook(self, key):
        """Call as the shop does; the signature covers the body."""
        number = f"333{int(key[-3:]):03}0001"  # each in a range of its own
        order = {"id": key, "name": key, "phone": number, "customer": {"first_name": "Anna"}}
        body = json.dumps(order).encode()
        digest = hmac.digest(WEBHOOK_SECRETS["shopify"].encode(), body, hashlib.sha256)
        return self.call_until_final(
            "POST",
            "/webhooks/shopify",
            body,
            X_Shopify_Topic="orders/fulfilled",
            X_Shopify_Hmac_Sha256=base64.b64encode(digest).decode(),
            X_Shopify_Webhook_Id=key,
            X_Shopify_Event_Id=key,
        )

    def call_until_final(self, *call, **headers):
        answers = []

        def is_final():
            try:
                answers.append(self.deployment.call(*call, **headers))
            except (URLError, ConnectionError, TimeoutError):
                return False
            return answers[-1][0] not in RETRYABLE

        wait_until(is_final, f"an answer to {call[1]}", LONG_TIME_OUT)
        return answers[-1]

    def by_every_way(self, n):
        """Send one message each way; return their keys."""
        keys = {way: keys[n] for way, keys in self.keys.items()}
        self.post(keys["async"], "async")
        self.post(keys["sync"], "sync")
        self.webhook(keys["webhook"])
        self.queue([keys["queue"]])
        return set(keys.values())

    def queue(self, keys):
        self._put([json.dumps(self.message(key, id=key)) for key in keys])

    def queue_without_ids(self, keys):
        """Put them into the queue and deliver them a second time, as SQS may."""
        bodies = [json.dumps(self.message(key)) for key in keys]
        ids = self._put(bodies)
        self.ids.update(ids)
        self.deliver(zip(ids, bodies, strict=True))

    def _put(self, bodies):
        """Return the ids that SQS gave them."""
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        url = self.deployment.stack.outputs["MessageQueueUrl"]
        sent = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
        return [one["MessageId"] for one in sorted(sent, key=lambda one: int(one["Id"]))]

    def deliver(self, messages, received=1):
        """Hand the sender SQS messages (id, body) as its queue does; return what failed.

        None when its process was killed during them.
        """
        answer = self.lambda_.invoke(
            FunctionName=self.deployment.stack.functions["sender"],
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
