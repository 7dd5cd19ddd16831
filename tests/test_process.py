"""How worker processes start and end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tasks import alive, died, done, make, unstarted

from bgwatch import process as process_module
from bgwatch.process import THREAD_VARIABLES
from bgwatch.workers import Workers


class Subprocess:
    """The module, but for how a process is started."""

    DEVNULL, TimeoutExpired = subprocess.DEVNULL, subprocess.TimeoutExpired

    def __init__(self, start: "Callable[..., subprocess.Popen[bytes]]") -> None:
        self.Popen = start


def test_a_worker_has_one_thread() -> None:
    assert done(make(), "threads") == {",".join("1" for _ in THREAD_VARIABLES)}


@pytest.mark.parametrize(
    ("python", "reason"), [("/bin/false", "it ended at once"), ("/nowhere/python", "No such file.*'/nowhere/python'")]
)
def test_a_pool_that_cannot_start_condemns_no_task(python: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken Python or no memory for processes is no fault of the tasks."""
    monkeypatch.setattr(sys, "executable", python)
    results = done(make(), "one", "two", "three")
    assert {result.partition(" not begun: ")[0] for result in results} == {"one", "two", "three"}
    assert all(re.search(f"no worker process can be started .*{reason}", result) for result in results)


def test_a_task_that_no_process_can_take_up_is_handed_back_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    here_alone = types.ModuleType("here_alone")
    exec("def run(task): return task", here_alone.__dict__)
    monkeypatch.setitem(sys.modules, "here_alone", here_alone)
    for run, reason in ((here_alone.run, "No module named 'here_alone'"), (lambda task: task, "pickle")):
        workers: Workers[str, str] = Workers(run, died, unstarted, 1, 60, 2048)
        (result,) = done(workers, "one")
        assert re.match(f"one not begun: no worker process can be started .*{reason}", result)


@pytest.mark.parametrize("failures", [1, 100])
@pytest.mark.parametrize("error", [BlockingIOError("no more processes"), MemoryError(), ValueError("whatever")])
def test_a_process_that_cannot_be_started_condemns_no_task(
    failures: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [failures]

    def failing(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        if left[0] > 0:
            left[0] -= 1
            raise error
        return subprocess.Popen(*arguments, **options)

    monkeypatch.setattr(process_module, "subprocess", Subprocess(failing))
    results = done(make(), "one", "two")
    if failures == 1:
        assert results == {"did one", "did two"}
    else:
        assert {result.partition(" not begun: ")[0] for result in results} == {"one", "two"}


def test_a_worker_that_is_killed_while_it_starts_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[subprocess.Popen[bytes]] = []

    def killed_twice(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        starts.append(subprocess.Popen(*arguments, **options))
        if len(starts) <= 2:
            starts[-1].kill()
        return starts[-1]

    monkeypatch.setattr(process_module, "subprocess", Subprocess(killed_twice))
    assert done(make(count=1), "one") == {"did one"}
    assert len(starts) == 3


def test_a_worker_is_started_where_the_working_directory_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert done(make(count=1), "one") == {"did one"}


def test_a_long_command_line_does_not_hold_up_a_worker_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a pipe takes, as of a folder's files that were named one by one."""
    monkeypatch.setattr(sys, "argv", ["bgwatch", *(f"{number}.jpg" for number in range(20_000))])
    monkeypatch.setattr(sys, "executable", "/bin/false")
    (result,) = done(make(count=1), "one")
    assert "it ended at once" in result


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells a thread's signal mask only on Linux")
def test_ctrl_c_reaches_no_worker_that_has_just_begun() -> None:
    """It inherits what its thread blocks, and would answer with a traceback."""
    workers = make()
    workers.submit("signals")
    (mask,) = workers.collect(60)
    for lane in workers._lanes:
        status = Path(f"/proc/self/task/{lane.native_id}/status").read_text()
        assert int(re.findall(r"SigBlk:\t(\w+)", status)[0], 16) & 1 << (signal.SIGINT - 1)
    workers.stop()
    assert mask == "blocked: [], SIGINT: 1"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the parent's death reaches workers only on Linux")
def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal\n"
        "from bgwatch.workers import Workers\n"
        "def main():\n"
        "    workers = Workers(eval, str, str, 1, 60, 2048)\n"
        "    workers.submit('__import__(\"os\").getpid()')\n"
        "    print(workers.collect(60)[0], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    child = int(ended.stdout)
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(child)


def test_a_worker_is_replaced_after_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libraries leak goes with it; no task is lost, and none runs twice."""
    monkeypatch.setattr(process_module, "TASKS", 3)
    results = done(make(count=1), *(f"pid {number}" for number in range(10)))
    assert {result.split()[0] for result in results} == {str(number) for number in range(10)}
    assert len({result.split()[1] for result in results}) == 4


def test_a_process_that_cannot_be_killed_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that sleeps in the kernel, on a disk that hangs."""
    started: list[subprocess.Popen[bytes]] = []

    class Deathless(subprocess.Popen[bytes]):
        def kill(self) -> None:
            started.append(self)

    monkeypatch.setattr(process_module, "subprocess", Subprocess(Deathless))
    monkeypatch.setattr(process_module, "ENDING", 0.01)
    monkeypatch.setattr(process_module, "PR_SET_PDEATHSIG", 0)
    assert done(make(seconds=1, count=1), "hang", "one") >= {"did one"}
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_what_a_library_prints_gets_into_no_result_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert done(make(count=1), "print noise") == {"5"}
    assert capfd.readouterr() == ("", "")


def test_a_worker_that_is_left_alone_while_it_starts_says_nothing() -> None:
    """As when its parent is killed at that moment."""
    for told in (b"", b"\0\0"):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            arguments = str(theirs.fileno()), str(os.getpid()), str(2**31)
            command = [sys.executable, "-m", "bgwatch.process", *arguments]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
            ours.send(told)
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
