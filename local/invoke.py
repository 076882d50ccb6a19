"""`make invoke FUNCTION=… EVENT=…`: invokes a deployed function with an event file."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from local.check_sources import own_sources
from local.deployed_stack import deployed, find_running, local_gateway
from local.processes import ROOT, NotStarted, end_on_signals


def mistake_in(function: str, event_file: str) -> str:
    """Return what is wrong with the arguments, before anything is started; empty if nothing is."""
    functions = sorted(app.parent.name for app in ROOT.glob("functions/*/app.py"))
    if function not in functions:
        given = f"FUNCTION={function}: there are" if function else "FUNCTION= is missing: one of"
        return f"{given} {', '.join(functions)}, as in make invoke FUNCTION=api EVENT=…"
    if not event_file:
        return f"EVENT= is missing, the file of an event: EVENT=events/{function}_….json"
    try:
        json.loads(Path(event_file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        return f"EVENT={event_file}: {error}"
    return ""


def main(function: str, event_file: str) -> int:
    if mistake := mistake_in(function, event_file):
        print(mistake, file=sys.stderr)
        return 2
    end_on_signals()
    event = json.loads(Path(event_file).read_text("utf-8"))
    with ExitStack() as running:
        stack = find_running()
        if stack is None:
            print(
                "The service is not running (make local): starting it for this call only …",
                file=sys.stderr,
            )
            gateway = running.enter_context(local_gateway())
            own = Path(own_sources()).name
            stack = running.enter_context(deployed(gateway, SourcesFile=own))
        answer = stack.invoke(function, event)
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 1 if isinstance(answer, dict) and "errorType" in answer else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:3]))
    except NotStarted as error:
        sys.exit(str(error))
