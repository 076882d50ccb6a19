"""`make secret NAME=…`: puts one secret where it belongs, and leaves the others as they are.

It is asked for without being shown, or read from standard input when something is piped in. It is
never printed, and never in an argument, a variable or a file.
"""

import getpass
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.check_sources import own_sources
from local.own_stack import NoStack, OwnStack, own_stack
from openvoip_sms.openvoip.account import PLACEHOLDER
from openvoip_sms.webhooks.config.sources import SourcesInvalid, load_sources
from openvoip_sms.webhooks.verify import is_unset

GATEWAY = "gateway"
MISSING = """\
{}. make secret NAME=gateway sets the account of the openvoip panel; make secret
NAME=shopify a webhook's secret, by the name that its source says under `secrets`."""
NOT_SHOWN = " (not shown): "
_NAME = re.compile("[A-Za-z0-9._-]{1,64}")
_EXAMPLE = re.compile(r"\W*(?:secret|segreto|password|example|esempio|test)?\W*", re.IGNORECASE)

type Ask = Callable[[list[str]], list[str]]


class Refused(Exception):
    """The value cannot be a secret; the message says why, and does not repeat it."""


def main(name: str = "", stack: str = "") -> int:
    if not _NAME.fullmatch(name):
        wrong = f"NAME={name} is no name of a secret" if name else "NAME= is missing"
        print(MISSING.format(wrong), file=sys.stderr)
        return 2
    try:
        set_secret(name, own_stack_or_local(stack), asker())
    except (NoStack, Refused) as error:
        print(error, file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\nNothing was changed.", file=sys.stderr)
        return 130
    return 0


def own_stack_or_local(stack: str) -> OwnStack:
    """The firm's stack; with LOCAL=1 the one that `make local` runs."""
    if not os.environ.get("LOCAL"):
        return own_stack(stack)
    import boto3  # noqa: PLC0415 - only here, with the local AWS's own credentials

    from local.deployed_stack import find_running  # noqa: PLC0415 - as above

    running = find_running()
    if running is None:
        raise NoStack("The service is not running here: make local starts it.")
    session = boto3.Session("local", "local", region_name=running.region)
    return OwnStack(session, running.name, running.endpoint)


def asker() -> Ask:
    """Ask a person without showing what is typed, or take the lines that are piped in."""
    if sys.stdin.isatty():
        return lambda prompts: [getpass.getpass(prompt) for prompt in prompts]
    return piped(sys.stdin.buffer.read().decode("utf-8-sig", "replace"))


def piped(text: str) -> Ask:
    """One line for each question."""

    def lines(prompts: list[str]) -> list[str]:
        found = text.strip().splitlines()
        if len(found) > len(prompts) or len(found) < len(prompts) > 1:
            wanted = " and ".join(prompt.removesuffix(NOT_SHOWN) for prompt in prompts)
            raise Refused(f"One line each for {wanted} was expected. Nothing was changed.")
        return found or [""]

    return lines


def set_secret(name: str, stack: OwnStack, ask: Ask) -> None:
    """Ask, check, merge, write; say when it works.

    Raises:
        Refused: what was given cannot be a secret, or what is there is no JSON object.
        NoStack: AWS does not let it be read or written.
    """
    arn = stack.output("GatewaySecretArn" if name == GATEWAY else "WebhookSecretArn")
    client = stack.client("secretsmanager")
    held = _held(client, arn)
    if name == GATEWAY:
        call_group, secret = ask([f"id_call_gr{NOT_SHOWN}", f"secret{NOT_SHOWN}"])
        given = {"id_call_gr": checked(call_group), "secret": checked(secret)}
    else:
        given = {name: checked(ask([f"Secret {name}{NOT_SHOWN}"])[0])}
        _warn_of_name(name)
    _call(lambda: client.put_secret_value(SecretId=arn, SecretString=json.dumps(held | given)))
    print(_result(name, stack.name, held))


def checked(raw: str) -> str:
    """Return a secret without what a copy brings along at its ends.

    Raises:
        Refused: it is empty, a placeholder, or several lines.
    """
    value = _trimmed(raw)
    if value != raw:
        print("Spaces or line ends around it were removed.", file=sys.stderr)
    if is_unset(value) or value == PLACEHOLDER or _EXAMPLE.fullmatch(value):
        raise Refused("That is empty or a placeholder, no secret. Nothing was changed.")
    if any(unicodedata.category(char)[0] == "C" for char in value):
        raise Refused(
            "There is a line end or an invisible character inside: copy the secret alone. "
            "Nothing was changed."
        )
    for why in _warnings(value):
        print(f"Attention: {why}. It was saved as it is.", file=sys.stderr)
    return value


def _trimmed(raw: str) -> str:
    kept = [i for i, char in enumerate(raw) if unicodedata.category(char)[0] not in "CZ"]
    return raw[kept[0] : kept[-1] + 1] if kept else ""


def _warnings(value: str) -> list[str]:
    quotes = value[0] in "\"'`“‘«" or value[-1] in "\"'`”’»"
    return [
        why
        for why, applies in (
            ("it begins or ends with a quotation mark, which seldom belongs to a secret", quotes),
            ("it has a space inside", " " in value),
            ("it has characters other than those of ASCII", not value.isascii()),
        )
        if applies
    ]


def _warn_of_name(name: str) -> None:
    file = own_sources()
    try:
        sources = load_sources(Path(file).read_text("utf-8"), file)
    except (OSError, ValueError, SourcesInvalid):
        return  # make check-sources tells it
    needed = sorted({one for source in sources.values() for one in source.auth.secrets})
    if name not in needed:
        print(
            f"Attention: no source in {file} uses a secret {name}. They use: {', '.join(needed)}.",
            file=sys.stderr,
        )


def _held(client: Any, arn: str) -> dict[str, Any]:  # noqa: ANN401 - any AWS client
    """What is in the secret now."""
    raw = _call(lambda: client.get_secret_value(SecretId=arn)).get("SecretString", "")
    try:
        held = json.loads(raw or "{}")
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise Refused(
            "What the secret holds is not a JSON object, so that nothing can be added to it. Put "
            "{} into it in the AWS console (Secrets Manager, Plaintext) and set each secret again."
        )
    return held


def _call(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Make a call to AWS; an error is told without what was sent."""
    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NoStack(f"AWS refused: {code}. Nothing was changed.") from None
    except BotoCoreError as error:
        raise NoStack(f"AWS cannot be reached: {type(error).__name__}.") from None


def _result(name: str, stack: str, held: Mapping[str, Any]) -> str:
    if name == GATEWAY:
        return (
            f"The gateway's account of {stack} is saved. It works with the next message after a "
            "refused one, within 5 minutes at the latest. What waits is sent by itself."
        )
    others = sorted(set(held) - {name})
    kept = f" The others are as they were: {', '.join(others)}." if others else ""
    return (
        f"The secret {name} of {stack} is saved and works within 5 minutes. "
        f"A call that is refused until then most senders make again.{kept}"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
