"""All functions in one process, warm, on an emulated stack with a local gateway."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from moto import mock_aws

from local.gateway import LocalGateway
from openvoip_sms.wiring import core
from tests.emulated_stack import REGION, EmulatedStack
from tests.emulated_stack import client as shared_client
from tests.integration.service import Service
from tests.table_requests import TableRequests
from tests.ways_in import SECRETS, Clock, WaysIn, sources

FUNCTIONS = ("ApiFunction", "SenderFunction", "WebhooksFunction", "ReconcilerFunction")


@contextmanager
def deployed() -> Iterator[tuple[WaysIn, TableRequests]]:
    """The ways in, and what they request of the table; nothing is logged meanwhile."""
    clock = Clock()
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(StringIO()))  # metrics
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION}))
        stack.enter_context(mock_aws())
        stack.enter_context(mock.patch.object(core, "client", shared_client))
        stack.enter_context(mock.patch.object(core, "clock", clock))
        gateway = stack.enter_context(LocalGateway("9999", "local-secret"))
        aws = EmulatedStack()
        _configure(aws, gateway.url, Path(stack.enter_context(TemporaryDirectory())))
        service = Service(aws, gateway)
        stack.callback(service.close)
        ways = WaysIn(service, clock)
        ways.warm_up()
        requests = TableRequests(aws["MessageTable"])
        yield ways, stack.enter_context(requests.of(shared_client("dynamodb")))


def _configure(aws: EmulatedStack, gateway: str, folder: Path) -> None:
    given = {
        "DefaultSender": "Bottega",
        "Mode": "live",
        "GatewayUrl": gateway,
        "DailySegmentLimit": "1000000",
    }
    for function in FUNCTIONS:
        os.environ.update(aws.environment(function, **given))
    (folder / "sources.yaml").write_text(sources(), "utf-8")
    os.environ["SOURCES_FILE"] = str(folder / "sources.yaml")
    aws.set_account()
    aws.secrets.put_secret_value(SecretId=aws["WebhookSecret"], SecretString=json.dumps(SECRETS))
