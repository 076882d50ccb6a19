"""The deployed template on the local AWS, once for all end-to-end tests."""

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

import pytest

from local.deployed_stack import deployed, local_gateway
from local.processes import ROOT
from tests.e2e.brake import open_brake
from tests.e2e.recorder import recorded
from tests.shipped_sources import shipped_file

TIME_OUT = 30.0  # seconds that a message may take on a busy machine
LONG_TIME_OUT = 120.0  # seconds that many processes may take to be restarted


class Deployment:
    """The deployed stack and the gateway table_through it, with what tests do to them."""

    def __init__(self, stack, gateway, recorder, sources):
        self.stack, self.gateway, self.recorder = stack, gateway, recorder
        self.sources = sources  # the file that the webhooks read

    def call(self, method, path, body=None, **headers):
        """Return status, headers and parsed body of one HTTP call with both keys."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        keys = {"x-api-key": self.stack.api_key, "x-admin-key": self.stack.admin_key}
        given = keys | {"Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(  # noqa: S310 - a local address
            self.stack.api_url + path, data=data, method=method, headers=given
        )
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:  # noqa: S310 - as above
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.load(error)

    def webhook(self, event):
        headers = {k: v for k, v in event["headers"].items() if k != "Host"}
        return self.call("POST", event["path"], event["body"].encode(), **headers)

    def queue(self, body):
        text = body if isinstance(body, str) else json.dumps(body)
        sent = self.stack.client("sqs").send_message(
            QueueUrl=self.stack.outputs["MessageQueueUrl"], MessageBody=text
        )
        return sent["MessageId"]

    def dead_letters(self, count):
        """Wait for that many dead letters; return their bodies by reason."""
        found = {}
        sqs = self.stack.client("sqs")

        def enough():
            answer = sqs.receive_message(
                QueueUrl=self.stack.outputs["DeadLetterQueueUrl"],
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
            )
            for one in answer.get("Messages", []):
                found[one["Body"]] = one["MessageAttributes"]["reason"]["StringValue"]
                sqs.delete_message(
                    QueueUrl=self.stack.outputs["DeadLetterQueueUrl"],
                    ReceiptHandle=one["ReceiptHandle"],
                )
            return len(found) >= count

        wait_until(enough)
        return found

    def record(self, record_id):
        return self.call("GET", f"/messages/{record_id}")[2]

    def wait_for(self, record_id, *statuses):
        """Wait until the record is in one of the statuses, and return it."""
        wait_until(lambda: self.record(record_id).get("status") in statuses, record_id)
        return self.record(record_id)

    def send_until_held(self, message, reason):
        """Send it under new ids until one has to wait, within 10 s; return that record."""
        held = []

        def is_held():
            body = self.call("POST", "/messages", message)[2]
            held.append(body)
            return (body["status"], body.get("reason")) == ("queued", reason)

        wait_until(is_held, f"a message that waits: {reason}", 10.0)
        return held[-1]

    def probe_when_due(self):
        """Send the queue message that asks for a probe once it is due, as the service does too."""
        due = datetime.fromisoformat(self.call("GET", "/sending")[2]["brake"]["next_try"])
        wait_until(lambda: datetime.now(UTC) >= due, "the end of the pause", LONG_TIME_OUT)
        self.queue({"probe": "gateway"})

    def accepted(self, text):
        """The SMS with this text that the gateway accepted."""
        return [call for call in self.gateway.accepted if call.text == text]


def wait_until(condition, what="the condition", seconds=TIME_OUT):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not become true in {seconds} s"
        time.sleep(0.05)


def event(name):
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def pytest_collection_modifyitems(items):
    """Assertions about all calls run after all of them were made."""
    items.sort(key=lambda item: item.path.name == "test_permissions.py")


@pytest.fixture(scope="session")
def _deployment(tmp_path_factory):
    with (
        local_gateway() as gateway,
        deployed(gateway, DailySegmentLimit="100000") as stack,
        recorded(stack) as recorder,
    ):
        sources = shipped_file(tmp_path_factory.mktemp("sources"))
        stack.use_sources(sources, 1)
        yield Deployment(stack, gateway, recorder, sources)


@pytest.fixture
def deployment(_deployment):
    open_brake(_deployment.stack)  # the doubts that another test made would shut it
    yield _deployment
    _deployment.gateway.clear_faults()
