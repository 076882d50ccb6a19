"""Looks after one program and its temporary folder, for a starter that may be killed.

`python local/guard.py FOLDER` makes the folder and says so with a line. Then it reads the program's
id, and `done` when the starter has ended it. Whatever happens to the starter, our standard input
closes; without `done` the program's process group is ended here. Either way the folder goes.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE, POLL = 3.0, 0.05  # seconds: for an orderly end, and between looks


def main(folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of our input is what counts
    remove_leftovers(folder.parent)
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ours while we live
        with contextlib.suppress(BrokenPipeError):  # a starter that is gone already
            os.write(sys.stdout.fileno(), b"ready\n")  # unbuffered: nothing is left to be flushed
        words = sys.stdin.read().split()
        if words and words[-1] != "done":
            end(int(words[0]))
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove the folders of programs that were killed together with their guard."""
    for folder in parent.glob("*"):
        with contextlib.suppress(OSError), (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def end(group: int) -> None:
    """End a process group: SIGTERM first, SIGKILL if that is not enough."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies left
            os.killpg(group, number)
            while time.monotonic() < deadline:
                os.killpg(group, 0)
                time.sleep(POLL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
