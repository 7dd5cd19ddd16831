"""Real worker processes that hang, die and eat memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import spawn
from pathlib import Path

import pytest

from bgwatch import workers as workers_module
from bgwatch.workers import THREAD_VARIABLES, Workers


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
    "eat": eat,
    "raise": complain,
    "hang": lambda _: str(signal.pause()),
    "threads": lambda _: ",".join(os.environ[name] for name in THREAD_VARIABLES),
    "pid": lambda number: f"{number} {os.getpid()}",
}


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


@pytest.mark.parametrize("python", ["/bin/false", "/nowhere/python"])
def test_a_pool_that_cannot_start_condemns_no_task(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken Python or no memory for processes is no fault of the tasks."""
    monkeypatch.setattr(spawn, "_python_exe", os.fsencode(python))
    results = done(make(), "one", "two", "three")
    assert {result.partition(" not begun: ")[0] for result in results} == {"one", "two", "three"}
    assert all("no worker process can be started" in result for result in results)


@pytest.mark.parametrize("failures", [1, 100])
def test_a_pool_that_breaks_while_it_starts_condemns_no_task(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiprocessing tells of bad descriptors by a ValueError."""
    submit, left = ProcessPoolExecutor.submit, [failures]

    def breaking(self, *given):
        if left[0] > 0:
            left[0] -= 1
            raise ValueError("bad value(s) in fds_to_keep")
        return submit(self, *given)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", breaking)
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
        "    workers = Workers(worker, str, str, 1, 60, 2048)\n"
        "    workers.submit('pid')\n"
        "    print(workers.collect(60)[0], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "def worker(task):\n"
        "    return os.getpid()\n"
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


def test_a_pool_is_replaced_after_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What libraries leak goes with it; no task is lost, and none runs twice."""
    monkeypatch.setattr(workers_module, "TASKS_A_WORKER", 3)
    workers = make(count=1)
    results = done(workers, *(f"pid {number}" for number in range(10)))
    assert {result.split()[0] for result in results} == {str(number) for number in range(10)}
    assert len({result.split()[1] for result in results}) == 4


def test_a_task_is_given_up_only_when_its_worker_dies_time_and_again(tmp_path: Path) -> None:
    """Someone who kills workers at random hits one task more than once."""
    assert done(make(), f"die-twice {tmp_path}/mark", "die") == {
        f"did die-twice {tmp_path}/mark",
        "die died: its worker process was killed, perhaps for want of memory; scale the picture or free memory",
    }


def test_a_worker_that_is_killed_while_it_starts_alone_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, starts = Workers._new_pool, []

    def new_pool(self: "Workers[str, str]") -> ProcessPoolExecutor:
        pool = real(self)
        starts.append(pool)
        if len(starts) in (2, 3):  # the first one is that whose worker the task kills
            pool.submit(os.kill, 0, 0)
            for process in pool._processes.values():
                process.kill()
        return pool

    monkeypatch.setattr(Workers, "_new_pool", new_pool)
    assert done(make(count=1), "die") == {
        "die died: its worker process was killed, perhaps for want of memory; scale the picture or free memory"
    }


def test_an_error_that_a_task_raises_is_handed_back_as_its_end() -> None:
    """`run` raises none; one of the transport, as for want of memory, must not end a daemon."""
    assert done(make(), "raise of it", "x") == {
        "did x",
        "raise of it died: its worker gave no result (of it); free memory",
    }
