"""Lets the reconciler run at once, instead of within five minutes."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

type NotCalled = Callable[[Exception], None]


class LambdaWaker:
    """Implements the delivery's `Waker`. Its client is made when it is needed, which is rarely."""

    def __init__(
        self, client: "Callable[[], LambdaClient]", function: str, not_called: NotCalled
    ) -> None:
        self._make_client, self._function, self._not_called = client, function, not_called

    @cached_property
    def _client(self) -> "LambdaClient":
        return self._make_client()

    def call(self) -> None:
        """Let it run now. A failure is left to its next run."""
        try:
            self._client.invoke(FunctionName=self._function, InvocationType="Event")
        except (ClientError, BotoCoreError) as error:
            self._not_called(error)
