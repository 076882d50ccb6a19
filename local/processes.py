"""Starts programs on this machine, and always ends them, by process id."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".local"  # logs and addresses of what runs


class NotStarted(Exception):
    """A program ended, or did not answer in time; the message names its log."""


class Stopped(SystemExit):
    """A signal ends the program; exiting ends what it started."""


_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Turn Ctrl-C, a closed terminal and SIGTERM into `Stopped`, the first time."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in _ENDS:  # further signals must not interrupt the clean-up
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(128 + number)

    for one in _ENDS:
        signal.signal(one, stop)


@contextmanager
def _signals_later() -> Iterator[None]:
    """Let a signal wait for the end of the block: between a start and its note, nothing may end us.

    Not by a signal mask, which a program that is started here would inherit.
    """
    came: list[int] = []
    usual = {one: handler for one in _ENDS if callable(handler := signal.getsignal(one))}
    for one in usual:
        signal.signal(one, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for one, handler in usual.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)


def free_port(wanted: int = 0) -> int:
    """The wanted port if it is free, else any that is."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    raise NotStarted("there is no free port on 127.0.0.1")


def chosen_port(variable: str, usual: int) -> int:
    """The usual port of a command that people start, or one that they choose by a variable.

    Raises:
        NotStarted: the chosen one is in use, or no port.
    """
    chosen = os.environ.get(variable, "")
    if not chosen:
        found = free_port(usual)
        if found != usual:
            print(f"Port {usual} is in use: {found} instead (or choose one: {variable}=…).")
        return found
    if not chosen.isdecimal() or not 0 < int(chosen) < 65536:  # noqa: PLR2004 - TCP's own
        raise NotStarted(f"{variable}={chosen} is no port")
    if free_port(int(chosen)) != int(chosen):
        raise NotStarted(f"port {chosen} is in use: choose another, {variable}=…")
    return int(chosen)


def environment(**more: str) -> dict[str, str]:
    """Return our environment with the virtual environment's programs first on the path."""
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **more}


@contextmanager
def running(name: str, command: Sequence[str], env: Mapping[str, str]) -> Iterator[Path]:
    """Run a program, its output in a log that is yielded; end it and its children at the end.

    Its temporary files are in a folder that is removed with it, also when we are killed.
    """
    WORK.mkdir(exist_ok=True)
    log = WORK / f"{name}.log"
    with _started(name, command, env, log):
        yield log


@contextmanager
def _started(
    name: str, command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with _guarded(name) as (folder, tell_guard), log.open("wb") as out, ExitStack() as ending:
        with _signals_later():
            process = subprocess.Popen(
                command,
                env={**env, "TMPDIR": str(folder)},
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
            tell_guard(process.pid)
            ending.callback(tell_guard, "done")
            ending.callback(_end, process)
        yield process


@contextmanager
def _guarded(name: str) -> Iterator[tuple[Path, Callable[[object], None]]]:
    """Yield a temporary folder, and what tells its guard about the program that uses it."""
    folder = WORK / "tmp" / f"{name}-{os.getpid()}-{time.time_ns()}"
    guard = subprocess.Popen(
        [sys.executable, "-P", str(ROOT / "local" / "guard.py"), str(folder)],
        stdin=subprocess.PIPE,  # its end tells the guard that we are gone
        stdout=subprocess.PIPE,
        start_new_session=True,
    )

    def tell(word: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            if guard.stdin:
                guard.stdin.write(f"{word}\n".encode())
                guard.stdin.flush()

    with guard:  # closes its input and waits for its end
        if not guard.stdout or not guard.stdout.readline():
            raise NotStarted(f"no temporary folder can be made in {folder.parent}")
        yield folder, tell


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: SIGTERM first, SIGKILL if that is not enough."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock, so that commands that run at the same time wait for each other."""
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for(url: str, log: Path, seconds: float = 30.0) -> None:
    """Wait until an address answers.

    Raises:
        NotStarted: it did not in time.
    """
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise NotStarted(f"nothing answers at {url}; see {log}")


def run(command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    """Run a program to its end.

    Raises:
        NotStarted: it failed; its output is in the log.
    """
    WORK.mkdir(exist_ok=True)
    with _started(log.stem, command, env, log) as process:
        failed = process.wait()
    if failed:
        tail = log.read_text(errors="replace")[-2000:]
        raise NotStarted(f"{command[0]} {command[1]} failed; the end of {log}:\n{tail}")
