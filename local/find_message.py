"""`make log-id ID=…` and `make find-message LOG_ID=…`: from a message to its log lines, and back.

A log shows an id that may hold a phone number as a digest: see `rules/log_id.py`.
"""

import sys
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from local.own_stack import NoStack, OwnStack
from local.set_secret import own_stack_or_local
from openvoip_sms.rules.log_id import log_id

USAGE = "Say which: make log-id ID=ordine-1042, or make find-message LOG_ID=id-3f0c…"


def main(record_id: str = "", shown: str = "", stack: str = "") -> int:
    if not record_id and not shown:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        found = own_stack_or_local(stack)
        if record_id:
            print(log_id(record_id, table_of(found)))
            return 0
        ids = list(ids_of(found, shown))
    except NoStack as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(ids) or "No record: its retention may have passed, or it is another stack's.")
    return 0 if ids else 1


def table_of(stack: OwnStack) -> str:
    """The key of the digests is the table's name."""
    return stack.outputs()["MessageTableName"]


def ids_of(stack: OwnStack, shown: str) -> Iterator[str]:
    """The ids that a log shows so. Reads the keys of all records.

    Raises:
        NoStack: AWS does not let them be read.
    """
    table = table_of(stack)
    pages = (
        stack.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=table, IndexName="by_status", ProjectionExpression="id")
    )
    try:
        for page in pages:
            for item in page["Items"]:
                if log_id(item["id"]["S"], table) == shown:
                    yield item["id"]["S"]
    except ClientError as error:
        raise NoStack(f"AWS refused: {error.response['Error']['Code']}.") from None
    except BotoCoreError as error:
        raise NoStack(f"AWS cannot be reached: {type(error).__name__}.") from None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
