"""`make rotate-admin-key`: a new admin key; the one before stays valid until the next time."""

import json
import secrets
import sys

from botocore.exceptions import BotoCoreError, ClientError

from local.own_stack import NoStack, OwnStack
from local.service_call import shown_by_aws
from local.set_secret import own_stack_or_local

_BYTES = 32


def main(stack: str = "") -> int:
    try:
        found = own_stack_or_local(stack)
        rotate(found)
    except NoStack as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{found.name} has a new admin key, valid at once. The one before is valid as well until "
        "this is run again:\nput the new one where the old one is kept, and if the old one has "
        "leaked, run this twice: it is refused within 5 minutes. The new one is shown by\n"
        f"aws secretsmanager get-secret-value --secret-id {found.output('AdminSecretArn')} "
        "--query SecretString --output text"
    )
    return 0


def rotate(stack: OwnStack) -> None:
    """Make a new current key, and the current one the previous.

    Raises:
        NoStack: AWS does not let it be read or written; nothing was changed.
    """
    client, arn = stack.client("secretsmanager"), stack.output("AdminSecretArn")
    with shown_by_aws("the admin secret"):
        held = client.get_secret_value(SecretId=arn)["SecretString"]
    keys = {"current": secrets.token_urlsafe(_BYTES), "previous": _current(held)}
    try:
        client.put_secret_value(SecretId=arn, SecretString=json.dumps(keys))
    except (BotoCoreError, ClientError) as error:
        raise NoStack(f"AWS refused: {type(error).__name__}. Nothing was changed.") from None


def _current(held: str) -> str:
    """The key that is valid now; empty where somebody has damaged the secret."""
    try:
        return str(json.loads(held)["current"])
    except (ValueError, TypeError, KeyError):
        return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
