"""`make demo`: a shop's webhook, a queue message and an API call become SMS, on this machine."""

import json
import sys
import time
import urllib.request
from collections.abc import Iterable
from typing import Any

from local.deployed_stack import DeployedStack, deployed, local_gateway
from local.gateway import LocalGateway
from local.processes import ROOT, NotStarted, end_on_signals, free_port
from local.up import AWS_PORT, PAGE_PORT

SECONDS_TO_SEND = 30.0


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded


def post(stack: DeployedStack, call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Make the HTTP call of an event file."""
    headers = call["headers"] | {"x-api-key": stack.api_key}
    headers.pop("Host")
    request = urllib.request.Request(  # noqa: S310 - our own address
        stack.api_url + call["path"], data=call["body"].encode(), headers=headers
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return answer.status, json.load(answer)


def send_all(stack: DeployedStack) -> list[str]:
    """Send the three kinds of input, the webhook twice; return the ids of their messages."""
    webhook = event("webhook_shopify_orders_fulfilled")
    status, body = post(stack, webhook)
    ids = [one["id"] for one in body["messages"]]
    print(f"Shopify webhook, orders/fulfilled    -> {status}")
    status, body = post(stack, webhook)
    print(f"the same webhook, delivered again    -> {status} ({body['reason']})")
    message = {
        "to": "333 1234568",
        "text": "Il tuo F24 scade lunedì: il modello è nella tua area riservata.",
        "id": "f24-0007",
    }
    stack.client("sqs").send_message(
        QueueUrl=stack.outputs["MessageQueueUrl"], MessageBody=json.dumps(message)
    )
    print("SQS message from another system      -> queued")
    status, body = post(stack, event("api_send"))
    print(f"POST /messages                       -> {status} ({body['status']})")
    return [*ids, "f24-0007", body["id"]]


def records(stack: DeployedStack, ids: Iterable[str]) -> list[dict[str, Any]]:
    """Wait until every message is sent, and return the items as they are in DynamoDB."""
    give_up = time.monotonic() + SECONDS_TO_SEND
    while True:
        found = [_item(stack, record_id) for record_id in ids]
        if all(item.get("status") == "sent" for item in found):
            return found
        if time.monotonic() > give_up:
            states = {item.get("id"): item.get("status") for item in found}
            raise NotStarted(f"not all were sent in {SECONDS_TO_SEND:.0f} s: {states}")
        time.sleep(0.2)


def _item(stack: DeployedStack, record_id: str) -> dict[str, Any]:
    answer = stack.client("dynamodb").get_item(
        TableName=stack.outputs["MessageTableName"], Key={"id": {"S": record_id}}
    )
    return {name: next(iter(value.values())) for name, value in answer.get("Item", {}).items()}


def table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def show(found: list[dict[str, Any]], gateway: LocalGateway) -> None:
    print("\nThe records in DynamoDB:")
    columns = ("status", "source", "to", "segments", "cost_eur", "attempts", "id")
    print(table([columns, *(tuple(str(item[name]) for name in columns) for item in found)]))
    print("\nWhat the gateway received, every signature checked:")
    heads = ("at", "sender", "to", "segments", "text")
    print(
        table(
            [
                heads,
                *(
                    (f"{c.at:%H:%M:%S}", c.sender, c.to, str(c.segments), c.text)
                    for c in gateway.accepted
                ),
            ]
        )
    )


def main() -> int:
    end_on_signals()
    began = time.monotonic()
    print("Building with sam, deploying to the local AWS (about 20 seconds) …", flush=True)
    with (
        local_gateway(free_port(PAGE_PORT)) as gateway,
        deployed(gateway, free_port(AWS_PORT)) as stack,
    ):
        found = records(stack, send_all(stack))
        show(found, gateway)
        if len(gateway.accepted) != len(found):
            raise NotStarted(f"{len(gateway.accepted)} SMS for {len(found)} messages")
    print(f"\n{len(found)} messages, {len(found)} SMS, {time.monotonic() - began:.0f} seconds.")
    print("Next: make local keeps it running, with a page that shows the phones.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotStarted as error:
        sys.exit(str(error))
