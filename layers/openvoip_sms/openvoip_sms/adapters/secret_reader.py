"""JSON secrets, cached for five minutes; a read may bypass the cache."""

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import GetParameterError, SecretsProvider
from botocore.exceptions import ClientError

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable
from openvoip_sms.rules.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300  # a rotated secret works within that time, or at once after a refusal


class JsonSecret:
    """One secret that holds a JSON object."""

    def __init__(self, client: "SecretsManagerClient", arn: str) -> None:
        self._provider, self._arn = SecretsProvider(boto3_client=client), arn

    def read(self, *, refresh: bool = False) -> dict[str, Any]:
        """Return the object, from the cache unless `refresh` is set.

        Raises:
            SecretUnavailable: Secrets Manager did not return it.
            SecretNotSet: it is not a JSON object.
        """
        try:
            raw: Any = self._provider.get(self._arn, max_age=MAX_AGE_SECONDS, force_fetch=refresh)
        except GetParameterError as error:
            # Powertools raises it while it handles the SDK's own error, which says what happened.
            raise SecretUnavailable(_name(error.__context__ or error)) from error
        try:
            values = read_json(raw or "", duplicate_keys="last")
        except NotJson:
            values = None
        if not isinstance(values, dict):
            raise SecretNotSet("the secret is not a JSON object") from None
        return values


def _name(error: BaseException) -> str:
    """`ThrottlingException` rather than `ClientError`."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
