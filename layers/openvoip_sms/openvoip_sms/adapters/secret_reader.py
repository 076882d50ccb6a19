"""JSON secrets, cached for five minutes; a read may bypass the cache."""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import GetParameterError, SecretsProvider
from botocore.exceptions import ClientError

from openvoip_sms.delivery.ports import SecretNotSet, SecretUnavailable
from openvoip_sms.rules.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_SECONDS = 300  # a rotated secret works within that time, or at once after a refusal
MIN_AGE_SECONDS = 15  # between two reads for what is missing, however many calls need it


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

    One that is not set yet is looked for again, though not with every call: a stranger can make any
    number of calls.
    """

    def __init__(
        self, secret: JsonSecret, is_unset: Callable[[object], bool], clock: Callable[[], float]
    ) -> None:
        self._secret, self._is_unset, self._clock = secret, is_unset, clock
        self._refreshed_at: float | None = None
        self._lock = Lock()

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the texts; of the `names`, those that are set in Secrets Manager by now.

        Raises:
            SecretUnavailable: as `JsonSecret.read`.
        """
        wanted = tuple(names)
        try:
            found = self._secret.read()
        except SecretNotSet:
            if not self._may_refresh():
                raise
            found = self._secret.read(refresh=True)
        else:
            if any(self._is_unset(found.get(name)) for name in wanted) and self._may_refresh():
                found = self._secret.read(refresh=True)
        return {name: value for name, value in found.items() if isinstance(value, str)}

    def _may_refresh(self) -> bool:
        with self._lock:
            now = self._clock()
            last = self._refreshed_at
            if last is not None and now - last < MIN_AGE_SECONDS:
                return False
            self._refreshed_at = now
            return True


def _name(error: BaseException) -> str:
    """`ThrottlingException` rather than `ClientError`."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
