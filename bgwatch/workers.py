"""A pool of bounded processes: one thread each, limited in time and memory, dead when their parent is.

`concurrent.futures.ProcessPoolExecutor` does the transport. What it lacks is added here: a worker bounds itself
(an alarm with the default action ends it), and when a death has broken the pool, every task that was in flight is
run again alone; only one that breaks alone, time and again, a pool that could start has failed.
"""

import contextlib
import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1
STARTING = 60.0  # seconds
STARTS = 3  # attempts at starting a worker: one that is killed meanwhile says nothing of this system
DEATHS = 3  # of a worker that has nothing but one task, after which the task is given up
TASKS_A_WORKER = 1000  # after which the pool is replaced: what libraries leak goes with it
# multiprocessing raises ValueError when a process it starts is given a descriptor twice, seen where starts keep failing
STARTED_IN_VAIN = (BrokenExecutor, ValueError)
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def one_thread() -> None:
    """Hold numpy's and scikit-learn's libraries and OpenCV to one thread; only works before they are imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


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
        self._run, self._died, self._unstarted, self._notify = run, died, unstarted, notify
        self._count, self._seconds, self._memory = count, seconds, memory_mb * 2**20
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._flying: dict[Future[Result], Task] = {}
        self._landed: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
        self._stillborn: list[Result] = []
        self._alone_since: float | None = None
        self._deaths = 0  # of the task that was last run alone
        self._flown = 0  # by this pool
        self._stopping = False

    @property
    def busy(self) -> int:
        """Tasks that have no result yet."""
        return len(self._waiting) + len(self._suspects) + len(self._flying) + len(self._stillborn)

    @property
    def room(self) -> int:
        """Tasks that may be submitted before the pool is well filled."""
        return max(0, 2 * self._count - self.busy)

    def submit(self, task: Task) -> None:
        """Take a task; its result comes out of `collect`."""
        self._waiting.append(task)
        self._launch()

    def collect(self, timeout: float | None = 0) -> list[Result]:
        """Take the results that are there, waiting for the first for at most ``timeout`` seconds (None: for ever)."""
        futures = []
        with contextlib.suppress(queue.Empty):
            futures.append(self._landed.get(timeout != 0 and not self._stillborn, timeout))
            while True:
                futures.append(self._landed.get_nowait())
        results = [result for future in futures for result in self._settled(future)]
        results += self._stillborn
        self._stillborn = []
        self._launch()
        return results

    def stop(self, grace: float = 0.0) -> list[Result]:
        """End the pool: nothing new begins, what runs may finish for ``grace`` seconds, then it is killed."""
        self._stopping = True
        self._waiting.clear()
        self._suspects.clear()
        for future in list(self._flying):
            if future.cancel():
                del self._flying[future]
        deadline = time.monotonic() + grace
        results = []
        try:
            while self._flying and (left := deadline - time.monotonic()) > 0:
                results.extend(self.collect(left))
        finally:
            self._suspects.clear()
            self._flying.clear()
            self._kill()
        return results

    def _launch(self) -> None:
        while self._alone_since is None and not self._stopping:
            if self._suspects:
                if self._flying:
                    return
                self._fly_alone(self._suspects.popleft())
            elif self._waiting and self._flown >= TASKS_A_WORKER * self._count:
                if self._flying:
                    return
                self._kill()
            elif self._waiting and len(self._flying) < 2 * self._count:
                self._fly(self._waiting.popleft())
            else:
                return

    def _fly(self, task: Task) -> None:
        self._pool = self._pool or self._new_pool()
        try:
            with _signals_later():
                future = self._pool.submit(_bounded, self._run, task, self._seconds)
        except STARTED_IN_VAIN:  # idle workers died; whatever else was flying lands as broken by itself
            self._kill()
            self._alone_since = None
            self._suspects.append(task)
        except OSError as error:
            self._give_back(task, error)
        else:
            self._flown += 1
            self._flying[future] = task
            future.add_done_callback(self._land)

    def _fly_alone(self, task: Task) -> None:
        """Run a task with no other in a new pool, once that pool has shown that it can start."""
        try:
            self._start_alone()
        except (*STARTED_IN_VAIN, OSError, TimeoutError) as error:
            self._give_back(task, error)
        else:
            self._alone_since = time.monotonic()
            self._fly(task)

    def _start_alone(self) -> None:
        for attempt in range(1, STARTS + 1):
            self._kill()
            self._pool = self._new_pool()
            try:
                with _signals_later():
                    ready = self._pool.submit(_ready)
                ready.result(STARTING)
                return
            except (*STARTED_IN_VAIN, OSError):
                if attempt == STARTS:
                    raise

    def _give_back(self, task: Task, error: Exception) -> None:
        self._kill()
        reason = f"no worker process can be started ({error or type(error).__name__}); check memory and this Python"
        self._stillborn.append(self._unstarted(task, reason))
        self._notify()

    def _land(self, future: "Future[Result]") -> None:
        self._landed.put(future)
        self._notify()

    def _settled(self, future: "Future[Result]") -> list[Result]:
        task = self._flying.pop(future, None)
        alone_since, self._alone_since = self._alone_since, None
        if task is None:
            return []
        try:
            results = [future.result()]
        except (BrokenExecutor, CancelledError):
            self._kill()
            return self._after_death(task, alone_since)
        except Exception as error:  # noqa: BLE001 - a result is handed back for each task, as of want of memory while it travels
            results = [self._died(task, f"its worker gave no result ({error or type(error).__name__}); free memory")]
        self._deaths = 0
        return results

    def _after_death(self, task: Task, alone_since: float | None) -> list[Result]:
        """Run a task again alone, unless it has shown that it takes too long or kills its workers."""
        if alone_since is None:
            self._suspects.append(task)
            return []
        if time.monotonic() - alone_since >= self._seconds:
            said = f"it took longer than worker_seconds ({self._seconds} s); raise the limit or scale the picture"
            return [self._died(task, said)]
        self._deaths += 1
        if self._deaths < DEATHS:
            self._suspects.appendleft(task)
            return []
        self._deaths = 0
        said = "its worker process was killed, perhaps for want of memory; scale the picture or free memory"
        return [self._died(task, said)]

    def _new_pool(self) -> ProcessPoolExecutor:
        one_thread()
        # what multiprocessing would say of semaphores after a kill is nothing a user can act on
        os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"
        return ProcessPoolExecutor(
            self._count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_bind,
            initargs=(os.getpid(), self._memory),
        )

    def _kill(self) -> None:
        pool, self._pool, self._flown = self._pool, None, 0
        if pool is None:
            return
        processes = list((pool._processes or {}).values())  # no public way before Python 3.14's kill_workers()
        for process in processes:
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Hold Ctrl-C back while processes are started: one that has not come to `_bind` would answer with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ready() -> None:
    """Do nothing, in a worker: that it comes back shows that workers can start."""


def _bind(parent: int, memory: int) -> None:
    """Bind a new worker to its parent's life and to its memory limit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    warnings.simplefilter("ignore")
    if sys.platform != "linux":
        return
    import resource

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (memory if hard == resource.RLIM_INFINITY else min(memory, hard), hard))


def _bounded(run: Callable[[Task], Result], task: Task, seconds: int) -> Result:
    if not hasattr(signal, "alarm"):
        return run(task)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        return run(task)
    finally:
        signal.alarm(0)
