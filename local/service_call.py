"""One call to the API of the firm's own stack, with the keys that AWS shows to the caller."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.own_stack import NoStack, OwnStack

_SECONDS = 30  # API Gateway waits no longer


class NotDone(Exception):
    """The service did not do it, or nobody knows; the message says which, and what to do."""


def call(
    stack: OwnStack, route: tuple[str, str], body: dict[str, Any] | None = None, *, check: str = ""
) -> dict[str, Any]:
    """Call a route with both keys; return its answer. `check` says how to see what was done.

    Raises:
        NoStack: AWS does not show the stack or its keys.
        NotDone: the service refused it, or did not answer.
    """
    method, path = route
    keys = {"x-api-key": api_key(stack), "x-admin-key": admin_key(stack)}
    request = urllib.request.Request(  # noqa: S310 - https, or this machine
        f"{stack.api_url()}{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers=keys | {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            shown: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise NotDone(_refusal(error.code, error.read(), check)) from None
    except (OSError, ValueError) as error:
        why = f"No answer of the service: {type(error).__name__}. {check}"
        raise NotDone(why.strip()) from None
    return shown


def api_key(stack: OwnStack) -> str:
    """Return the value of the stack's API key.

    Raises:
        NoStack: AWS does not show it.
    """
    client, key = stack.client("apigateway"), stack.output("ApiKeyId")
    with shown_by_aws("the API key"):
        return str(client.get_api_key(apiKey=key, includeValue=True)["value"])


def admin_key(stack: OwnStack) -> str:
    """Return the current admin key.

    Raises:
        NoStack: AWS does not show it, or there is none.
    """
    client, arn = stack.client("secretsmanager"), stack.output("AdminSecretArn")
    with shown_by_aws("the admin secret"):
        raw = client.get_secret_value(SecretId=arn)["SecretString"]
    try:
        return str(json.loads(raw)["current"])
    except (ValueError, TypeError, KeyError):
        raise NoStack("The admin secret holds no key: make rotate-admin-key makes one.") from None


@contextmanager
def shown_by_aws(what: str) -> Iterator[None]:
    """Say in words that AWS does not show something."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoStack(f"AWS does not show {what}: {code}. Nothing was changed.") from None
    except BotoCoreError as error:
        raise NoStack(f"AWS cannot be reached: {type(error).__name__}.") from None


def _refusal(status: int, body: bytes, check: str) -> str:
    """A problem document in one line; its violations say which field is wrong."""
    try:
        problem = json.loads(body)
        wrong = [f"{one['field']}: {one['detail']}" for one in problem.get("violations", ())]
        said = " ".join(wrong) or str(problem["detail"])
    except (ValueError, TypeError, KeyError, AttributeError):
        said = ""
    certain = status < 500  # noqa: PLR2004 - a client error
    return f"The service answered {status}. {said} {'' if certain else check}".strip()
