"""The brake of the deployed stack, set from outside the service."""

from datetime import UTC, datetime

from openvoip_sms.adapters.control import DynamoControl
from openvoip_sms.rules.brake import OPEN, Brake, BrakeState
from openvoip_sms.rules.sending import with_brake


def open_brake(stack):
    """As if the gateway had been answering well for a while: doubts of before count no more."""
    _set(stack, OPEN)


def shut_brake(stack):
    """Shut it, with the probe due now."""
    now = datetime.now(UTC)
    _set(stack, Brake(BrakeState.HOLDING, since=now, next_try=now))


def _set(stack, brake):
    table = stack.outputs["MessageTableName"]
    control = DynamoControl(stack.client("dynamodb"), table, lambda: datetime.now(UTC))
    control.change(lambda sending: with_brake(sending, brake))
