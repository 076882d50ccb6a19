"""The secrets: cached by container, sometimes unreadable, one of them rotated when told."""

from openvoip_sms.adapters.secret_reader import MAX_AGE_SECONDS
from openvoip_sms.delivery.ports import SecretUnavailable
from tests.simulation.world import World

GATEWAY, WEBHOOKS = "GATEWAY_SECRET_ARN", "WEBHOOK_SECRET_ARN"
ADMIN = "ADMIN_SECRET_ARN"
ADMIN_KEY = "an-admin-key-of-the-simulation"
WEBHOOK_SECRETS = {"shop": "the-shops-secret", "form": "the-forms-token"}


class Secrets:
    """What Secrets Manager holds, by the variable that names it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stored = {
            GATEWAY: {"id_call_gr": "9999", "secret": "first-secret"},
            WEBHOOKS: WEBHOOK_SECRETS,
            ADMIN: {"current": ADMIN_KEY, "previous": ""},
        }

    def secret(self, variable: str) -> "SimSecret":
        return SimSecret(self._world, self._stored, variable)

    def rotate(self) -> None:
        self._stored[GATEWAY] = {"id_call_gr": "9999", "secret": "second-secret"}


class SimSecret:
    """Takes the place of `JsonSecret`, whose cache goes by the real clock."""

    def __init__(self, world: World, stored: dict[str, dict[str, str]], variable: str) -> None:
        self._world, self._stored, self._variable = world, stored, variable

    def read(self, *, refresh: bool = False) -> dict[str, str]:
        world, cached = self._world, self._world.process().container.secrets
        values, since = cached.get(self._variable, ({}, 0.0))
        if values and not refresh and world.stage.now - since <= MAX_AGE_SECONDS:
            return values
        world.leave("", world.random.uniform(0.01, 0.1))
        if world.faults.happens("secret_unavailable"):
            raise SecretUnavailable("ServiceUnavailable")
        values = self._stored[self._variable]
        cached[self._variable] = values, world.stage.now
        world.come_back()
        return values
