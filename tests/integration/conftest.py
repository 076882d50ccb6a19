"""An emulated AWS with the stack in it, and the functions deployed there."""

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import wraps
from threading import RLock

import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from local.gateway import LocalGateway
from openvoip_sms.openvoip import connection
from openvoip_sms.openvoip.client import OpenvoipClient
from openvoip_sms.wiring import core
from tests.emulated_stack import REGION, EmulatedStack
from tests.emulated_stack import client as shared_client
from tests.functions import ROOT
from tests.gateway_call import NOW
from tests.integration.service import Service, clear_caches

SECRETS = {"shopify": "local-shopify-secret"}


table_lock = RLock()


def one_at_a_time(call):
    """Each call is atomic in DynamoDB; in moto another may change an item in the middle of it."""

    @wraps(call)
    def locked(*args, **kwargs):
        with table_lock:
            return call(*args, **kwargs)

    return locked


@pytest.fixture(scope="session")
def aws() -> Iterator[type[EmulatedStack]]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_PROFILE", raising=False)
        patch.setattr(DynamoHandler, "call_action", one_at_a_time(DynamoHandler.call_action))
        yield EmulatedStack


@pytest.fixture
def stack(aws: type[EmulatedStack]) -> EmulatedStack:
    """New and empty for each test."""
    return aws()


@pytest.fixture
def gateway():
    with LocalGateway(call_group="9999", secret="local-secret") as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., OpenvoipClient]]:
    """Makes clients of a gateway, and closes their connections."""
    with contextlib.ExitStack() as stack:

        def make(url, *, twice=False, tls=None):
            made = OpenvoipClient(
                url, encode_destination_twice=twice, connections=10, clock=lambda: NOW, tls=tls
            )
            stack.callback(made._session.close)
            return made

        yield make


@pytest.fixture
def short_time_outs(monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.25)
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.25)


@pytest.fixture
def deploy(stack, gateway, monkeypatch):
    """Deploys with these parameters, and `Mode=live` by default."""
    services = []

    def deployed(**parameters):
        clear_caches()
        given = {
            "DefaultSender": "Bottega",
            "AllowedSenders": "Studio",
            "Mode": "live",
            "GatewayUrl": gateway.url,
        } | parameters
        for function in ("ApiFunction", "SenderFunction", "WebhooksFunction", "ReconcilerFunction"):
            for name, value in stack.environment(function, **given).items():
                monkeypatch.setenv(name, value)
        services.append(Service(stack, gateway))
        return services[-1]

    monkeypatch.setattr(core, "client", shared_client)
    monkeypatch.chdir(ROOT / "functions/webhooks")
    stack.set_account()
    stack.secrets.put_secret_value(
        SecretId=stack["WebhookSecret"], SecretString=json.dumps(SECRETS)
    )
    yield deployed
    for service in services:
        service.close()
    clear_caches()


@pytest.fixture
def hook():
    """Lets a function take part in the calls of a client until the test ends."""
    with contextlib.ExitStack() as hooks:

        def attach(client, event, function):
            client.meta.events.register_first(event, function)
            hooks.callback(client.meta.events.unregister, event, function)

        yield attach


@pytest.fixture
def recorded_calls(hook):
    """Collects the parameters of each call of an operation."""

    def attach(client, operation):
        seen = []

        def see(params, **_):
            seen.append(params)

        service = client.meta.service_model.service_name
        hook(client, f"provide-client-params.{service}.{operation}", see)
        return seen

    return attach
