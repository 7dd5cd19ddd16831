"""Real worker processes that hang, die and eat memory."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bgwatch import process as process_module
from bgwatch.process import THREAD_VARIABLES, BoundedProcess
from bgwatch.workers import DEATHS, Workers


def act(task: str) -> str:
    """Do what a task says; runs in the worker."""
    verb, _, argument = task.partition(" ")
    return VERBS[verb](argument) if verb in VERBS else f"did {task}"


def die(_: str = "") -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a dead process goes on")


def die_once(mark: str) -> str:
    if not Path(mark).exists():
        Path(mark).touch()
        die()
    return f"did die-once {mark}"


def die_twice(mark: str) -> str:
    for number in (1, 2):
        if not Path(f"{mark}-{number}").exists():
            Path(f"{mark}-{number}").touch()
            die()
    return f"did die-twice {mark}"


def die_counted(deaths: str) -> str:
    with Path(deaths).open("a") as file:
        file.write("x")
    return die()


def be_alone(mark: str) -> str:
    """Die the first time, once all three are under way; then say whether another is under way."""
    own, others = Path(mark), [Path(mark).with_name(name) for name in ("a", "b", "c")]
    if not own.exists():
        own.touch()
        while not all(other.exists() for other in others):
            os.sched_yield()
        die()
    own.with_suffix(".running").touch()
    seen = [other for other in others if other != own and other.with_suffix(".running").exists()]
    for _ in range(1000):
        os.sched_yield()
    own.with_suffix(".running").unlink()
    return f"saw {seen}" if seen else f"did be-alone {mark}"


def eat(size: str) -> str:
    try:
        bytearray(int(size))
    except MemoryError:
        return "refused memory"
    return f"did eat {size}"


def complain(reason: str) -> str:
    raise OSError(reason)


VERBS: dict[str, Callable[[str], str]] = {
    "die": die,
    "die-once": die_once,
    "die-twice": die_twice,
    "die-counted": die_counted,
    "be-alone": be_alone,
    "eat": eat,
    "raise": complain,
    "hang": lambda _: str(signal.pause()),
    "threads": lambda _: ",".join(os.environ[name] for name in THREAD_VARIABLES),
    "signals": lambda _: (
        f"blocked: {list(signal.pthread_sigmask(signal.SIG_BLOCK, ()))}, "
        f"SIGINT: {int(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)}"
    ),
    "pid": lambda number: f"{number} {os.getpid()}",
}


class Subprocess:
    """The module, but for how a process is started."""

    DEVNULL, TimeoutExpired = subprocess.DEVNULL, subprocess.TimeoutExpired

    def __init__(self, start: "Callable[..., subprocess.Popen[bytes]]") -> None:
        self.Popen = start


def died(task: str, reason: str) -> str:
    return f"{task} died: {reason}"


def unstarted(task: str, reason: str) -> str:
    return f"{task} not begun: {reason}"


def done(workers: "Workers[str, str]", *tasks: str) -> set[str]:
    for task in tasks:
        workers.submit(task)
    results: list[str] = []
    try:
        while workers.busy:
            results += workers.collect(60)
    finally:
        workers.stop()
    assert len(results) == len(tasks)
    return set(results)


def make(seconds: int = 60, count: int = 2) -> "Workers[str, str]":
    return Workers(act, died, unstarted, count, seconds, 2048)


def test_every_task_has_a_result() -> None:
    tasks = [f"task{number}" for number in range(20)]
    assert done(make(), *tasks) == {f"did {task}" for task in tasks}


def test_only_the_task_that_dies_alone_has_failed() -> None:
    results = done(make(), "one", "die", "two", "three", "four")
    assert {"did one", "did two", "did three", "did four"} < results
    (failed,) = results - {"did one", "did two", "did three", "did four"}
    assert failed.startswith("die died: its worker process was killed")


def test_a_task_whose_worker_was_killed_once_is_done_again(tmp_path: Path) -> None:
    task = f"die-once {tmp_path / 'mark'}"
    assert done(make(), task, "other") == {f"did {task}", "did other"}


def test_a_task_that_hangs_is_given_up() -> None:
    results = done(make(seconds=1, count=1), "hang", "next")
    assert results == {
        "hang died: it took longer than worker_seconds (1 s); raise the limit or scale the picture",
        "did next",
    }


def test_a_task_that_eats_memory_is_refused_it() -> None:
    assert done(make(), f"eat {3 * 2**30}") == {"refused memory"}


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


def test_stopping_ends_what_hangs() -> None:
    workers = make(seconds=3600)  # so that a stop that waits does so for ever
    workers.submit("one")
    assert workers.collect(60) == ["did one"]
    workers.submit("hang")
    workers.submit("hang")
    workers.submit("hang")
    assert workers.stop(grace=0.1) == []
    assert workers.busy == 0


def test_whoever_waits_is_told() -> None:
    told: list[None] = []
    workers: Workers[str, str] = Workers(act, died, unstarted, 1, 60, 2048, lambda: told.append(None))
    assert done(workers, "one") == {"did one"}
    assert len(told) == 1


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
    while _alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_is_replaced_after_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libraries leak goes with it; no task is lost, and none runs twice."""
    monkeypatch.setattr(process_module, "TASKS", 3)
    results = done(make(count=1), *(f"pid {number}" for number in range(10)))
    assert {result.split()[0] for result in results} == {str(number) for number in range(10)}
    assert len({result.split()[1] for result in results}) == 4


def test_a_task_is_given_up_only_when_its_worker_dies_time_and_again(tmp_path: Path) -> None:
    """Someone who kills workers at random hits one task more than once."""
    assert done(make(), f"die-twice {tmp_path}/mark", f"die-counted {tmp_path}/deaths") == {
        f"did die-twice {tmp_path}/mark",
        f"die-counted {tmp_path}/deaths died: its worker process was killed, perhaps for want of memory; "
        "scale the picture or free memory",
    }
    assert Path(tmp_path, "deaths").read_text() == DEATHS * "x"


def test_a_worker_that_is_killed_while_it_waits_costs_no_attempt(tmp_path: Path) -> None:
    workers = make(count=1)
    workers.submit("pid of")
    (pid,) = (int(result.split()[1]) for result in workers.collect(60))
    os.kill(pid, signal.SIGKILL)
    assert done(workers, "one") == {"did one"}


def test_what_hangs_holds_nobody_up() -> None:
    workers = make(seconds=3600)
    workers.submit("hang")
    for number in range(5):
        workers.submit(f"task{number}")
    results: list[str] = []
    while len(results) < 5:
        results += workers.collect(60)
    assert set(results) == {f"did task{number}" for number in range(5)}
    assert workers.busy == 1
    workers.stop()


def test_a_task_whose_worker_was_killed_runs_alone(tmp_path: Path) -> None:
    """Two that together want more memory than there is are killed together, and come out one after the other."""
    tasks = [f"be-alone {tmp_path}/{name}" for name in ("a", "b", "c")]
    assert done(make(count=3), *tasks) == {f"did {task}" for task in tasks}


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


def test_whoever_forgets_to_stop_leaves_no_process_behind() -> None:
    workers = make(count=1)
    workers.submit("pid of")
    (pid,) = (int(result.split()[1]) for result in workers.collect(60))
    (lane,) = workers._lanes
    del workers
    lane.join(20)
    assert not _alive(pid)


def test_an_error_that_a_task_raises_is_handed_back_as_its_end() -> None:
    """`run` raises none; one of the transport, as for want of memory, must not end a daemon."""
    assert done(make(), "raise of it", "x") == {
        "did x",
        "raise of it died: its worker gave no result (of it); free memory",
    }


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


def test_what_is_done_when_the_pool_ends_is_handed_back() -> None:
    told = threading.Event()
    workers: Workers[str, str] = Workers(act, died, unstarted, 1, 60, 2048, told.set)
    workers.submit("one")
    assert told.wait(60)
    assert workers.stop() == ["did one"]
    assert workers.busy == 0


def test_a_pool_that_has_ended_ends_at_once_again_and_takes_nothing() -> None:
    workers = make()
    workers.submit("hang")
    assert workers.stop() == []
    assert workers.stop(grace=3600) == []
    with pytest.raises(RuntimeError, match="the pool has ended"):
        workers.submit("one")
    assert workers.busy == 0


@pytest.mark.parametrize(("threads", "expected"), [(1, "did one"), (0, "one not begun: no worker can be started")])
def test_a_want_of_threads_condemns_no_task(threads: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start, left = threading.Thread.start, [threads]

    def scarce(self: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(self)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    (result,) = done(make(), "one")
    assert result.startswith(expected)


def test_whatever_goes_wrong_in_a_thread_its_task_has_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(_process: object, _task: str, _seconds: float) -> str:
        raise MemoryError

    monkeypatch.setattr(BoundedProcess, "answer", short)
    (result,) = done(make(count=1), "one")
    assert result == "one died: its worker gave no result (MemoryError); free memory"


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
