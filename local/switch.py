"""`make pause` and `make resume`: all sending stops, or goes on, on every way in."""

import json
import sys
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.own_stack import NoStack, OwnStack
from local.set_secret import own_stack_or_local
from openvoip_sms.rules.rome import ROME

USAGE = 'Say which: make pause REASON="wrong text" BY=Anna, or make resume BY=Anna'
_SECONDS = 30  # API Gateway waits no longer
_CHECK = "Look with GET /sending whether it was changed, or repeat the command."


class NotSwitched(Exception):
    """The switch was not set, or nobody knows; the message says which, and what to do."""


def main(word: str = "", reason: str = "", by: str = "", stack: str = "") -> int:
    if word not in ("pause", "resume"):
        print(USAGE, file=sys.stderr)
        return 2
    asked: dict[str, Any] = {"paused": word == "pause"}
    asked |= {name: value for name, value in (("reason", reason), ("by", by)) if value}
    try:
        found = own_stack_or_local(stack)
        shown = switched(found, asked)
    except (NoStack, NotSwitched) as error:
        print(error, file=sys.stderr)
        return 1
    print(in_words(shown, found.name))
    return 0


def switched(stack: OwnStack, asked: dict[str, Any]) -> dict[str, Any]:
    """Set the switch; return what `GET /sending` shows from now on.

    Raises:
        NoStack: AWS does not show the stack or its API key.
        NotSwitched: the service did not set the switch.
    """
    request = urllib.request.Request(  # noqa: S310 - https, or this machine
        f"{stack.api_url()}/sending",
        data=json.dumps(asked).encode(),
        method="PUT",
        headers={"x-api-key": api_key(stack), "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            shown: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise NotSwitched(_refusal(error.code, error.read())) from None
    except (OSError, ValueError) as error:
        raise NotSwitched(f"No answer of the service: {type(error).__name__}. {_CHECK}") from None
    return shown


def api_key(stack: OwnStack) -> str:
    """Return the value of the stack's API key.

    Raises:
        NoStack: AWS does not show it.
    """
    try:
        found = stack.client("apigateway").get_api_key(
            apiKey=stack.output("ApiKeyId"), includeValue=True
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoStack(f"AWS does not show the API key: {code}. Nothing was changed.") from None
    except BotoCoreError as error:
        raise NoStack(f"AWS cannot be reached: {type(error).__name__}.") from None
    return str(found["value"])


def in_words(shown: dict[str, Any], stack: str) -> str:
    """Say in one or two sentences what is true now."""
    if shown["paused"]:
        by = f" by {shown['by']}" if "by" in shown else ""
        why = f": {shown['reason']}" if "reason" in shown else ""
        return (
            f"Sending of {stack} has been paused since {_time(shown['since'])}{by}{why}.\n"
            "Within 10 seconds nothing is sent any more; messages are accepted and wait for "
            "make resume."
        )
    brake = shown["brake"]
    if brake["state"] == "open":
        return f"Sending of {stack} is on; what waited for it is sent now."
    return (
        f"Sending of {stack} is on, but the gateway's answers have been unclear since "
        f"{_time(brake['since'])}.\nMessages wait until it answers clearly, and then go by "
        "themselves."
    )


def _refusal(status: int, body: bytes) -> str:
    """A problem document in one line; its violations say which field is wrong."""
    try:
        problem = json.loads(body)
        wrong = [f"{one['field']}: {one['detail']}" for one in problem.get("violations", ())]
        said = " ".join(wrong) or str(problem["detail"])
    except (ValueError, TypeError, KeyError, AttributeError):
        said = ""
    certain = status < 500  # noqa: PLR2004 - a client error
    return f"The service answered {status}. {said} {'' if certain else _CHECK}".strip()


def _time(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ROME):%d/%m/%Y %H:%M} (Rome)"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
