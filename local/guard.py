"""Runs one program in a temporary folder of its own, and leaves neither behind.

`python local/guard.py FOLDER COMMAND…`: ends the program when asked to, and when whoever started
this one is gone, however it went: its end of our standard input closes then. It is started by its
path, not as a part of the package, so that it keeps every variable.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE, POLL = 3, 0.1  # seconds: for an orderly end, between looks


def main(folder: Path, command: Sequence[str]) -> int:
    remove_leftovers(folder.parent)
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ours while we live
        try:
            return _run(command, os.environ | {"TMPDIR": str(folder)})
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove the folders of programs that were killed together with their guard."""
    for folder in parent.glob("*"):
        with contextlib.suppress(OSError), (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[str], env: dict[str, str]) -> int:
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    threading.Thread(target=_when_alone, args=(over.set,), daemon=True).start()
    while process.poll() is None and not over.wait(POLL):
        pass
    end(process)  # and what it started and left
    return process.wait()


def _when_alone(act: Callable[[], None]) -> None:
    os.read(0, 1)  # returns when the other end of the pipe is closed
    act()


def end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: SIGTERM first, SIGKILL if that is not enough."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
