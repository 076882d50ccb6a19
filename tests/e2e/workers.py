"""The Lambda processes of the deployed stack, to be killed by their ids."""

import os
import signal
import subprocess


def workers(stack, *functions):
    """Return the ids of their processes: children of the local AWS, a child of this process."""
    listed = subprocess.run(
        ["ps", "-axwwo", "pid=,ppid=,args="],  # noqa: S607 - where it is differs by system
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    parent_of = {int(pid): int(parent) for pid, parent, *_ in rows}
    prefixes = [f"ministack-lambda-{stack.functions[name]}-" for name in functions]
    return [
        int(pid)
        for pid, parent, *args in rows
        if parent_of.get(int(parent)) == os.getpid()
        and any(prefix in args[0] for prefix in prefixes)
    ]


def kill(pid):
    """Kill a process as an outage would. Return whether it was running."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
