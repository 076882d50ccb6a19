"""JSON secrets, cached for five minutes; a read may bypass the cache."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import GetParameterError, SecretsProvider
from botocore.exceptions import ClientError

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable
from openvoip_sms.rules.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300  # a rotated secret works within that time, or at once after a refusal
MIN_AGE_SECONDS = 15  # between two reads for calls that may be a stranger's, however many


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


class NamedSecrets:
    """The texts of one JSON secret by their names.

    May raise what `JsonSecret.read` raises.
    """

    def __init__(self, secret: JsonSecret, clock: Callable[[], float]) -> None:
        self._secret, self._clock = secret, clock
        self._refreshed_at: float | None = None
        self._lock = Lock()

    def current(self) -> dict[str, str]:
        """Return the texts from the cache; from Secrets Manager, if what is cached has none."""
        try:
            return _texts(self._secret.read())
        except SecretNotSet:
            return _texts(self._secret.read(refresh=True))

    def refreshed(self, *, at_once: bool) -> dict[str, str] | None:
        """Return the texts as they are in Secrets Manager now.

        Unless `at_once`, None soon after the last time: a stranger can make any number of calls.
        """
        if not (at_once or self._is_due()):
            return None
        return _texts(self._secret.read(refresh=True))

    def _is_due(self) -> bool:
        with self._lock:
            now, last = self._clock(), self._refreshed_at
            if last is not None and now - last < MIN_AGE_SECONDS:
                return False
            self._refreshed_at = now
            return True


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _name(error: BaseException) -> str:
    """`ThrottlingException` rather than `ClientError`."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
