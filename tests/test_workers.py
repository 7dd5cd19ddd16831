"""A pool of real worker processes that hang, die and eat memory."""

import os
import signal
import threading
from pathlib import Path

import pytest
from tasks import act, alive, died, done, make, unstarted

from bgwatch.process import BoundedProcess
from bgwatch.workers import DEATHS, Workers


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


def test_whoever_forgets_to_stop_leaves_no_process_behind() -> None:
    workers = make(count=1)
    workers.submit("pid of")
    (pid,) = (int(result.split()[1]) for result in workers.collect(60))
    (lane,) = workers._lanes
    del workers
    lane.join(20)
    assert not alive(pid)


def test_an_error_that_a_task_raises_is_handed_back_as_its_end() -> None:
    """`run` raises none; one of the transport, as for want of memory, must not end a daemon."""
    assert done(make(), "raise of it", "x") == {
        "did x",
        "raise of it died: its worker gave no result (of it); free memory",
    }


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
