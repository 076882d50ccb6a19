"""Take part in the calls of an SDK client."""

import contextlib

import pytest


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
