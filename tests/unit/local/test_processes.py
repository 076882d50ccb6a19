"""Programs that are started here end, and leave nothing behind, however their starter ends."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from local import guard, processes
from local.processes import NotStarted, chosen_port, free_port, running
from tests.functions import ROOT

# Writes as the local AWS does: a folder among the temporary files; and starts a worker.
PROGRAM = textwrap.dedent("""
    import subprocess, sys, tempfile, time
    folder = tempfile.mkdtemp(prefix="ministack-lambda-")
    open(folder + "/layer.zip", "w").close()
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(folder, worker.pid, flush=True)
    time.sleep(600)
""")


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not state.stdout.startswith("Z")  # ended, and nobody looked


def started(log):
    """Folder and worker of the program, once it has written them."""
    wait_until(lambda: len(log.read_text().split()) == 2)
    folder, pid = log.read_text().split()
    return folder, int(pid)


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "WORK", tmp_path / "work")
    return tmp_path / "work"


def test_a_program_that_ends_orderly_leaves_no_file_and_no_worker(work):
    with running("aws", [sys.executable, "-c", PROGRAM], dict(os.environ)) as log:
        folder, worker = started(log)
        assert folder.startswith(str(work / "tmp"))
        assert lives(worker)
    assert list((work / "tmp").iterdir()) == []
    wait_until(lambda: not lives(worker))


IN_THE_BACKGROUND = """
with processes.running("aws", command, dict(os.environ)):
    time.sleep(600)
"""
TO_ITS_END = "processes.run(command, dict(os.environ), processes.WORK / 'aws.log')"
STOPPED_AT_ONCE = """
started = processes.subprocess.Popen
def popen(what, **options):
    process = started(what, **options)
    if what == command:
        while len(log.read_text().split()) < 2: pass
        os.kill(os.getpid(), signal.SIGTERM)
    return process
processes.subprocess.Popen = popen
processes.run(command, dict(os.environ), log)
"""


def starter(folder, what):
    """A process that starts the program, and says nothing itself."""
    begin = textwrap.dedent(f"""
        import os, signal, sys, time
        from pathlib import Path
        from local import processes
        processes.WORK = Path({str(folder)!r})
        processes.end_on_signals()
        command = [sys.executable, "-c", {PROGRAM!r}]
        log = processes.WORK / "aws.log"
    """)
    return subprocess.Popen([sys.executable, "-c", begin + what], cwd=ROOT)


def test_a_signal_while_a_program_starts_leaves_nothing(tmp_path):
    starter(tmp_path, STOPPED_AT_ONCE).wait(timeout=30)
    _, worker = started(tmp_path / "aws.log")
    assert list((tmp_path / "tmp").iterdir()) == []
    wait_until(lambda: not lives(worker))


def test_a_guard_whose_starter_is_gone_already_removes_its_folder(tmp_path):
    command = [sys.executable, "-P", str(ROOT / "local/guard.py"), str(tmp_path / "tmp/aws")]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("what", [IN_THE_BACKGROUND, TO_ITS_END])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_starter_leaves_nothing_either(tmp_path, ending, what):
    process = starter(tmp_path, what)
    log = tmp_path / "aws.log"
    wait_until(log.exists)
    folder, worker = started(log)
    assert os.path.exists(folder)  # noqa: PTH110 - a word of its log
    process.send_signal(ending)
    process.wait(timeout=30)
    wait_until(lambda: list((tmp_path / "tmp").iterdir()) == [])
    wait_until(lambda: not lives(worker))


def test_what_a_killed_guard_left_is_removed_by_the_next_and_what_is_in_use_is_not(tmp_path):
    left, used = tmp_path / "left", tmp_path / "used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "layer.zip").touch()
    with (used / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        guard.remove_leftovers(tmp_path)
        assert not left.exists()
        assert (used / "layer.zip").exists()


def test_the_port_is_the_same_each_time_it_is_free(monkeypatch, capsys):
    monkeypatch.delenv("LOCAL_PORT", raising=False)
    usual = free_port()
    assert [chosen_port("LOCAL_PORT", usual) for _ in range(3)] == [usual] * 3
    assert capsys.readouterr().out == ""


def test_another_port_is_taken_and_said_when_the_usual_one_is_in_use(monkeypatch, capsys):
    monkeypatch.delenv("LOCAL_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        usual = busy.getsockname()[1]
        assert chosen_port("LOCAL_PORT", usual) != usual
    said = capsys.readouterr().out
    assert f"Port {usual} is in use" in said
    assert "LOCAL_PORT=" in said


def test_a_port_of_ones_own_choice_is_used_or_refused(monkeypatch):
    chosen = free_port()
    monkeypatch.setenv("LOCAL_PORT", str(chosen))
    assert chosen_port("LOCAL_PORT", 1) == chosen
    with (
        socket.create_server(("127.0.0.1", chosen)),
        pytest.raises(NotStarted, match=f"port {chosen} is in use: choose another, LOCAL_PORT="),
    ):
        chosen_port("LOCAL_PORT", 1)
    for wrong in ("acht", "0", "70000", "-1"):
        monkeypatch.setenv("LOCAL_PORT", wrong)
        with pytest.raises(NotStarted, match="is no port"):
            chosen_port("LOCAL_PORT", 1)
