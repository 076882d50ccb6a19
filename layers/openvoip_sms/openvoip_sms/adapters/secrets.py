"""The two secrets, cached for five minutes and readable past the cache."""

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import GetParameterError, SecretsProvider
from botocore.exceptions import ClientError

from openvoip_sms.delivery.ports import Account, AccountNotSet, AccountUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300  # a rotated secret works within that time, or at once when refused
PLACEHOLDER = "SET-ME"  # what the template puts there


class GatewayAccounts:
    """Implements the delivery's `Accounts` over the gateway secret."""

    def __init__(self, client: "SecretsManagerClient", secret_arn: str) -> None:
        self._provider, self._arn = SecretsProvider(boto3_client=client), secret_arn

    def current(self) -> Account:
        """From the cache; but a placeholder in the cache may have been filled in meanwhile."""
        try:
            return _account(_read_secret(self._provider, self._arn))
        except AccountNotSet:
            return self.afresh()

    def afresh(self) -> Account:
        return _account(_read_secret(self._provider, self._arn, afresh=True))


def _account(values: dict[str, Any]) -> Account:
    call_group, secret = _filled_in(values.get("id_call_gr")), _filled_in(values.get("secret"))
    if not call_group or not secret:
        raise AccountNotSet("the gateway secret needs id_call_gr and secret")
    return Account(call_group, secret)


def _filled_in(value: object) -> str:
    """A value as text; nothing where a person has still to write it."""
    written = str(value) if type(value) in (str, int) else ""
    try:
        written.encode()
    except UnicodeEncodeError:  # half a character: nothing could be signed with it
        return ""
    return "" if written.strip() in ("", PLACEHOLDER) else written


class WebhookSecrets:
    """The webhook senders' secrets by name."""

    def __init__(self, client: "SecretsManagerClient", secret_arn: str) -> None:
        self._provider, self._arn = SecretsProvider(boto3_client=client), secret_arn

    def current(self) -> dict[str, str]:
        """May raise `AccountUnavailable`."""
        values = _read_secret(self._provider, self._arn)
        return {name: value for name, value in values.items() if isinstance(value, str)}


def _name(error: BaseException) -> str:
    """`ThrottlingException` rather than `ClientError`."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__


def _read_secret(provider: SecretsProvider, arn: str, *, afresh: bool = False) -> dict[str, Any]:
    """Return a secret's JSON object.

    Raises:
        AccountUnavailable: Secrets Manager did not give it.
        AccountNotSet: it is not a JSON object.
    """
    try:
        raw: Any = provider.get(arn, max_age=MAX_AGE_SECONDS, force_fetch=afresh)
    except GetParameterError as error:
        # Powertools raises it while it handles the SDK's own error, which says what happened.
        raise AccountUnavailable(_name(error.__context__ or error)) from error
    try:
        values = json.loads(raw or "")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise AccountNotSet("the secret is not a JSON object") from None
    return values
