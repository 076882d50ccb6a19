"""`make invoke FUNCTION=… EVENT=…`: a deployed function with an event file."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from local.processes import NotStarted
from local.stack import deployed, local_gateway, recall


def main(function: str, event_file: str) -> int:
    try:
        event = json.loads(Path(event_file).read_text())
    except (OSError, ValueError) as error:
        print(f"EVENT={event_file}: {error}", file=sys.stderr)
        return 2
    with ExitStack() as running:
        stack = recall()
        if stack is None:
            print("Nothing is up (make local): starting for this one call …", file=sys.stderr)
            stack = running.enter_context(deployed(running.enter_context(local_gateway())))
        if function not in stack.functions:
            names = ", ".join(sorted(stack.functions))
            print(f"FUNCTION={function}: no such function; there are {names}", file=sys.stderr)
            return 2
        print(json.dumps(stack.invoke(function, event), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:3]))
    except NotStarted as error:
        sys.exit(str(error))
