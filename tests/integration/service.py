"""All functions wired to one emulated stack and one local gateway."""

import contextlib
import json
import logging
from dataclasses import dataclass
from functools import cached_property

from openvoip_sms.adapters.telemetry import logger
from openvoip_sms.wiring import api, core, reconciling, sending, webhooks
from tests.functions import ROOT, context, load


def event(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text("utf-8"))


@dataclass
class HttpAnswer:
    """An HTTP answer, with the checks that apply to every one."""

    raw: dict

    def __post_init__(self):
        self.status = self.raw["statusCode"]
        self.headers = self.raw["headers"]
        is_csv = self.headers["Content-Type"] == "text/csv; charset=utf-8"
        self.body = self.raw["body"] if is_csv else json.loads(self.raw["body"])
        if self.status >= 400:
            assert self.headers["Content-Type"] == "application/problem+json"
            assert self.body["status"] == self.status
            assert self.body["title"]
            assert self.body["detail"].endswith((".", "?")), self.body["detail"]
        else:
            assert is_csv or self.headers["Content-Type"] == "application/json"
        assert "Traceback" not in self.raw["body"]

    @property
    def reason(self):
        return self.body.get("reason")

    @property
    def violations(self):
        return [(one["field"], one["reason"]) for one in self.body["violations"]]


class Service:
    """Calls handlers as AWS does, and keeps what they log."""

    def __init__(self, stack, gateway):
        self.stack, self.gateway = stack, gateway
        self.log_lines = []

    @cached_property
    def _api(self):
        return load("api")

    @cached_property
    def _sender(self):
        return load("sender")

    @cached_property
    def _webhooks(self):
        return load("webhooks")

    @cached_property
    def _reconciler(self):
        return load("reconciler")

    def http(self, given, seconds=29.0):
        return HttpAnswer(self._api.handler(given, context(seconds)))

    @property
    def admin_key(self):
        secret = self.stack.secrets.get_secret_value(SecretId=self.stack["AdminSecret"])
        return json.loads(secret["SecretString"])["current"]

    def call(
        self,
        method,
        resource,
        key=None,
        *,
        body=None,
        accept=None,
        seconds=29.0,
        admin=None,
        **query,
    ):
        """Call a route, with the admin key unless another one is given."""
        text = body if isinstance(body, str | None) else json.dumps(body)
        given = event("api_send") | {"httpMethod": method, "resource": resource, "body": text}
        given["pathParameters"] = {"id": key} if key else None
        given["queryStringParameters"] = query or None
        given["multiValueHeaders"] |= {"x-admin-key": [self.admin_key if admin is None else admin]}
        if accept:
            given["multiValueHeaders"] |= {"accept": [accept]}
        return self.http(given, seconds)

    def post(self, body, *, base64=False, seconds=29.0, **headers):
        text = body if isinstance(body, str | None) else json.dumps(body)
        given = event("api_send") | {"body": text, "isBase64Encoded": base64}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given["headers"] |= named
        given["multiValueHeaders"] |= {name: [value] for name, value in named.items()}
        return self.http(given, seconds)

    def partner_event(self, given):
        return self._webhooks.handler(given, context(10))

    def webhook(self, given):
        return HttpAnswer(self._webhooks.handler(given, context(10)))

    def reconcile(self, seconds=60.0):
        return self._reconciler.handler(event("reconciler_scheduled"), context(seconds))

    def send_batch(self, given):
        answer = self._sender.handler(given, context(60))
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def put(self, *bodies):
        """Let another system put bodies into the queue."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.stack.sqs.send_message(QueueUrl=self.stack["MessageQueue"], MessageBody=text)

    def run_sender(self, receive_count=1):
        """Let the sender process what is in the queue; return the ids of what failed."""
        records = [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": {"ApproximateReceiveCount": str(receive_count)},
            }
            for one in self.stack.received()
        ]
        failed = self.send_batch({"Records": records})
        for one in records:
            if one["messageId"] not in failed:
                self.stack.sqs.delete_message(
                    QueueUrl=self.stack["MessageQueue"], ReceiptHandle=one["receiptHandle"]
                )
        return failed

    def redeliver_waiting(self):
        """As if every delay in the queue were over."""
        for record in self.records():
            if record.status == "queued":
                core.queue().put(record.id)

    def records(self):
        """The records, without the counters and the control item that share their table."""
        return [core.store().get(key) for key in self.items() if not key.startswith("#")]

    def items(self):
        """All items of the table by their key."""
        found = self.stack.dynamodb.scan(TableName=self.stack["MessageTable"])["Items"]
        return {item["id"]["S"]: item for item in found}

    def dead_letters(self):
        """Body and reason of what is in the dead-letter queue."""
        return [
            (one["Body"], one["MessageAttributes"]["reason"]["StringValue"])
            for one in self.stack.received("DeadLetterQueue")
        ]

    def close(self):
        if "_sender" in vars(self):
            self._sender.workers.shutdown()
        with contextlib.suppress(Exception):
            sending.gateway().client._session.close()


def metric_sum(output, metric):
    """How often a metric was counted in what functions wrote to standard output."""
    lines = (json.loads(line) for line in output.splitlines())
    return sum(sum(line.get(metric, [])) for line in lines)


class LogCapture(logging.Handler):
    """Keeps log lines as they would be written."""

    def __init__(self, lines):
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record):
        self._lines.append(logger.registered_formatter.format(record))


def clear_caches():
    """What one test's container has built must not reach the next test."""
    for module in (api, core, reconciling, sending, webhooks):
        for part in vars(module).values():
            if hasattr(part, "cache_clear"):
                part.cache_clear()
