"""A pool of bounded processes, each with one task at a time.

A thread waits for each process, so that a process which hangs or dies costs its own task alone. (The standard library's
`ProcessPoolExecutor` ends all its processes with the first that dies, cannot end one that hangs, and Python 3.11's may
lose tasks that are submitted meanwhile.) A task whose process was killed is run again with no other beside it, since
two may have wanted more memory than there is; only one that breaks alone, time and again, has failed.
"""

import contextlib
import os
import queue
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from bgwatch.process import BoundedProcess, Died, Late, Stopped, Unstarted

Task = TypeVar("Task")
Result = TypeVar("Result")

JOINING = 10.0  # seconds for threads to end; they wait for a process that cannot be killed no longer than half of that
DEATHS = 4  # of a task's processes, the first beside others and then alone, after which the task is given up


def cpus() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Generic[Task, Result]):
    """Runs tasks in bounded processes and hands back a result for each, whatever happens to the process.

    Parameters
    ----------
    run : callable
        Importable by name; turns a task into a result in the worker.
    died : callable
        Turns a task, and the reason in words, into a result when its worker died on it.
    unstarted : callable
        The same when no worker could be started, which is no fault of the task.
    count : int
        Worker processes.
    seconds : int
        Wall-clock limit of one task.
    memory_mb : int
        Address space of one worker, in megabytes.
    notify : callable, optional
        Called without arguments, from another thread, whenever `collect` has something.
    """

    def __init__(
        self,
        run: Callable[[Task], Result],
        died: Callable[[Task, str], Result],
        unstarted: Callable[[Task, str], Result],
        count: int,
        seconds: int,
        memory_mb: int,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self._unstarted, self._notify = unstarted, notify
        self._count = count
        self._busy = 0
        self._landed: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        stopped, stop = Pipe(duplex=False)
        work = _Work(run, died, unstarted, seconds, memory_mb * 2**20, self._waiting, self._landed, notify, stopped)
        gate = _Gate(count)
        self._lanes = [_Lane(work, gate) for _ in range(count)]
        # not only in `stop`: nobody may be left who could call it
        self._end = weakref.finalize(self, _end, stop, self._waiting, count)

    @property
    def busy(self) -> int:
        """Tasks that have no result yet."""
        return self._busy

    @property
    def room(self) -> int:
        """Tasks that may be submitted before the pool is well filled."""
        return max(0, 2 * self._count - self._busy)

    def submit(self, task: Task) -> None:
        """Take a task; its result comes out of `collect`.

        Raises
        ------
        RuntimeError
            When the pool has ended.
        """
        if not self._end.alive:
            raise RuntimeError("the pool has ended")
        self._busy += 1
        try:
            for lane in self._lanes:
                if lane.ident is None:
                    lane.start()
        except RuntimeError as error:  # there may be no more threads
            if self._lanes[0].ident is None:
                self._landed.put(self._unstarted(task, f"no worker can be started ({error}); check memory and limits"))
                self._notify()
                return
        self._waiting.put(task)

    def collect(self, timeout: float | None = 0) -> list[Result]:
        """Take the results that are there, waiting for the first for at most ``timeout`` seconds (None: for ever)."""
        results = []
        with contextlib.suppress(queue.Empty):
            results.append(self._landed.get(timeout != 0, timeout))
            while True:
                results.append(self._landed.get_nowait())
        self._busy -= len(results)
        return results

    def stop(self, grace: float = 0.0) -> list[Result]:
        """End the pool: nothing new begins, what runs may finish for ``grace`` seconds, then it is killed."""
        with contextlib.suppress(queue.Empty):
            while self._waiting.get_nowait() is not None:
                self._busy -= 1
        deadline = time.monotonic() + grace
        results = []
        try:
            while self._busy and (left := deadline - time.monotonic()) > 0:
                results.extend(self.collect(left))
        finally:
            self._end()
            deadline = time.monotonic() + JOINING
            for lane in self._lanes:
                if lane.ident is not None:
                    lane.join(max(0.0, deadline - time.monotonic()))
        results.extend(self.collect())  # what landed since
        self._busy = 0
        return results


def _end(stop: Connection, waiting: "queue.SimpleQueue[Task | None]", count: int) -> None:
    """Tell the lanes to end, those that work and those that wait for work."""
    stop.close()
    for _ in range(count):
        waiting.put(None)


@dataclass(frozen=True)
class _Work(Generic[Task, Result]):
    """What all lanes of a pool share."""

    run: Callable[[Task], Result]
    died: Callable[[Task, str], Result]
    unstarted: Callable[[Task, str], Result]
    seconds: int
    memory: int
    waiting: "queue.SimpleQueue[Task | None]"
    landed: "queue.SimpleQueue[Result]"
    notify: Callable[[], None]
    stopped: Connection


class _Gate:
    """Lets as many through as there are lanes, or one alone."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._places = threading.Semaphore(count)
        self._turn = threading.Lock()  # who wants all places takes them one by one, and nobody else meanwhile

    @contextlib.contextmanager
    def passed(self, alone: bool) -> Iterator[None]:
        """Wait for one place, or for all."""
        wanted = self._count if alone else 1
        with self._turn:
            for _ in range(wanted):
                self._places.acquire()
        try:
            yield
        finally:
            self._places.release(wanted)


class _Lane(threading.Thread, Generic[Task, Result]):
    """Has one task after the other done in a process of its own."""

    def __init__(self, work: _Work[Task, Result], gate: _Gate) -> None:
        super().__init__(daemon=True)
        self._work, self._gate = work, gate
        self._process = BoundedProcess(work.run, work.memory, work.stopped)

    def run(self) -> None:
        """Do what waits until the pool ends."""
        if hasattr(signal, "pthread_sigmask"):
            # processes inherit it: one that has just begun would answer Ctrl-C with a traceback
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with contextlib.suppress(Stopped):
            while (task := self._work.waiting.get()) is not None:
                self._work.landed.put(self._result(task))
                self._work.notify()
        self._process.kill()

    def _result(self, task: Task) -> Result:
        for deaths in range(DEATHS):
            try:
                with self._gate.passed(alone=deaths > 0):
                    return self._process.answer(task, self._work.seconds)
            except Died:
                continue
            except Stopped:
                raise
            except Unstarted as error:
                return self._work.unstarted(task, str(error))
            except Late:
                limit = f"worker_seconds ({self._work.seconds} s)"
                return self._work.died(task, f"it took longer than {limit}; raise the limit or scale the picture")
            except Exception as error:  # noqa: BLE001 - nobody else waits for this process: a task must have a result
                said = str(error) or type(error).__name__
                return self._work.died(task, f"its worker gave no result ({said}); free memory")
        said = "its worker process was killed, perhaps for want of memory; scale the picture or free memory"
        return self._work.died(task, said)
