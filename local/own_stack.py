"""The firm's own stack in AWS, found by the answers that its deployment was given."""

import os
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from local import AWS_VARIABLES, answers

NO_CREDENTIALS = "There are no AWS credentials in this shell: aws configure, or AWS_PROFILE=…"
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})


class NoStack(Exception):
    """The stack cannot be found or read; the message says what to do."""


class NotDeployed(NoStack):
    """AWS says that there is no such stack."""


class OwnStack:
    """Finds a stack's outputs and parameters. Every method may raise `NoStack`."""

    def __init__(self, session: Any, name: str, endpoint: str | None = None) -> None:  # noqa: ANN401 - a session's clients differ
        self._session, self.name, self._endpoint = session, name, endpoint

    def client(self, service: str) -> Any:  # noqa: ANN401 - one of many
        try:
            return self._session.client(service, endpoint_url=self._endpoint, config=_CONFIG)
        except BotoCoreError as error:
            raise NoStack(f"AWS cannot be used: {error}") from None

    def outputs(self) -> dict[str, str]:
        outputs = self._described().get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in outputs}

    def output(self, name: str) -> str:
        try:
            return self.outputs()[name]
        except KeyError:
            raise NoStack(f"The stack {self.name} has no output {name}: is it another's?") from None

    def api_url(self) -> str:
        """The API's address, or the one that it has in the local AWS."""
        endpoint = self._endpoint or os.environ.get("AWS_ENDPOINT_URL")
        return reachable(self.output("ApiUrl"), endpoint)

    def parameters(self) -> dict[str, str]:
        given = self._described().get("Parameters", [])
        return {one["ParameterKey"]: one["ParameterValue"] for one in given}

    def _described(self) -> dict[str, Any]:
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.name)
        except ClientError as error:
            raise self._translated(error) from None
        except NoCredentialsError:
            raise NoStack(NO_CREDENTIALS) from None
        except BotoCoreError as error:
            raise NoStack(f"AWS cannot be reached: {error}") from None
        found: dict[str, Any] = answer["Stacks"][0]
        return found

    def _translated(self, error: ClientError) -> NoStack:
        code, why = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code == "ValidationError":
            return NotDeployed(
                f"There is no stack {self.name} in this region: make deploy ARGS=--guided"
            )
        region = self._session.region_name
        return NoStack(
            f"AWS refuses to describe the stack {self.name} in {region}: {code}: {why} Is that "
            "region enabled in the account? Another: make deploy ARGS='--guided --region eu-west-1'"
        )


def reachable(api_url: str, endpoint: str | None) -> str:
    """Return where the local AWS answers for an API; in AWS the address is its own."""
    if not endpoint:
        return api_url
    api_id = api_url.removeprefix("https://").split(".")[0]
    return f"{endpoint}/restapis/{api_id}/{api_url.rpartition('/')[2]}/_user_request_"


def own_stack(name: str = "", arguments: Sequence[str] = ()) -> OwnStack:
    """The stack of the firm's answers, or the one of that name, with the caller's credentials.

    `arguments` are those of `sam deploy`, which may choose another.

    Raises:
        NoStack: profile or configuration cannot be used.
    """
    os.environ.update(AWS_VARIABLES)
    options = answers.options_of(arguments)
    try:
        defaults = answers.settings(answers.DEFAULTS, options.config_env)
        own = answers.settings(options.config_file, options.config_env)
        given = defaults | own | dict(options.settings)
        session = boto3.Session(
            profile_name=given.get("profile"),
            region_name=given.get("region"),
        )
    except (BotoCoreError, OSError, ValueError) as error:
        raise NoStack(f"{options.config_file} cannot be used: {error}") from None
    return OwnStack(session, name or given.get("stack_name", "openvoip-sms"))
