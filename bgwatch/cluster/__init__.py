"""Workers of a dask.distributed cluster in place of processes of this machine.

What holds for a picture here holds there (see `bgwatch.cluster.errand`): one thread, a limit of time and one of memory.
A picture whose Dask worker dies is run again elsewhere; when workers have died on it too often for the scheduler it is
run alone, since another picture may have been the cause, and only one that kills workers alone has failed. When the
scheduler goes, what was in flight is given back, and the next task looks for it again.

Whoever reaches a Dask scheduler can run code on it, on its workers and here; `bgwatch.settings.Machines` therefore
refuses addresses that are neither encrypted nor on this machine.
"""

import contextlib
import math
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any, Generic, TypeVar

from bgwatch import __version__
from bgwatch.cluster.errand import Errand, parcel_of
from bgwatch.cluster.scheduler import CLOSING, close, connected, one_line, unreachable
from bgwatch.errors import FolderError

Task = TypeVar("Task")
Result = TypeVar("Result")

# seconds
PAUSE = 5.0  # between attempts to connect
GLANCE = 1.0  # between looks at the connection while results are waited for
COUNTING = 5.0  # between looks at how many threads the cluster has


class Cluster(Generic[Task, Result]):
    """Runs tasks on a cluster and hands back a result for each; it is used as `bgwatch.workers.Workers` is.

    Parameters
    ----------
    run, died, unstarted : callable
        As for `Workers`; importable by name, on the workers' machines as well.
    claim : callable
        Gives a context that holds while the result of a task is wanted, and raises FolderError where it cannot.
    wanted : callable
        Tells a worker whether a task's claim still holds; importable by name as well.
    address : str
        Of the scheduler.
    seconds : int
        Wall-clock limit of one task.
    memory_mb : int
        Address space of the process that a task runs in, in megabytes.
    notify : callable, optional
        Called without arguments, from another thread, whenever `collect` has something.

    Raises
    ------
    FolderError
        When dask is not installed, the scheduler cannot be reached or has no workers; after a few seconds.
    """

    def __init__(
        self,
        run: Callable[[Task], Result],
        died: Callable[[Task, str], Result],
        unstarted: Callable[[Task, str], Result],
        claim: Callable[[Task], AbstractContextManager[None]],
        wanted: Callable[[Task], bool],
        address: str,
        seconds: int,
        memory_mb: int,
        notify: Callable[[], None] = lambda: None,
    ) -> None:
        self._died, self._unstarted, self._claim, self._notify = died, unstarted, claim, notify
        self._errand = partial(Errand, run, died, unstarted, wanted, seconds=seconds, memory_mb=memory_mb)
        self._address = address
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._flying: dict[Future[Result], tuple[Task, ExitStack]] = {}
        self._landed: queue.SimpleQueue[Future[Result]] = queue.SimpleQueue()
        self._stillborn: list[Result] = []
        self._alone = False
        self._stopping = False
        self._refusal = ""
        self._pause_until = 0.0
        self._threads, self._counted_at = 1, 0.0
        self._client: Any = connected(address)

    @property
    def busy(self) -> int:
        """Tasks that have no result yet."""
        return len(self._waiting) + len(self._suspects) + len(self._flying) + len(self._stillborn)

    @property
    def room(self) -> int:
        """Tasks that may be submitted before the cluster is well filled; at least two while it has no worker."""
        now = time.monotonic()
        if self._client and now - self._counted_at >= COUNTING:
            self._counted_at = now
            with contextlib.suppress(OSError, TimeoutError):  # a connection that is lost is noticed by its futures
                self._threads = max(1, sum(self._client.nthreads(callback_timeout=CLOSING).values()))
        return max(0, 2 * self._threads - self.busy)

    def submit(self, task: Task) -> None:
        """Take a task; its result comes out of `collect`."""
        self._waiting.append(task)
        self._launch()

    def collect(self, timeout: float | None = 0) -> list[Result]:
        """Take the results that are there, waiting for the first for at most ``timeout`` seconds (None: for ever)."""
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = max(0.0, until - time.monotonic())
            results = self._arrived(min(left, GLANCE))
            if results or left <= GLANCE or not self.busy:
                return results

    def stop(self, grace: float = 0.0) -> list[Result]:
        """End: nothing new begins, what runs may finish for ``grace`` seconds, then it is no longer wanted."""
        self._stopping = True
        self._waiting.clear()
        self._suspects.clear()
        for future in list(self._flying)[self._threads :]:  # what was sent last waits in the scheduler
            self._flying.pop(future)[1].close()
            future.cancel()
        deadline = time.monotonic() + grace
        results = []
        try:
            while self._flying and (left := deadline - time.monotonic()) > 0:
                results.extend(self.collect(left))
        finally:
            self._suspects.clear()
            for _, claim in self._flying.values():
                claim.close()
            self._flying.clear()
            self._disconnect()  # with its last client gone the scheduler forgets what is queued
        return results

    def _arrived(self, patience: float) -> list[Result]:
        futures = []
        with contextlib.suppress(queue.Empty):
            futures.append(self._landed.get(patience > 0 and not self._stillborn, patience))
            while True:
                futures.append(self._landed.get_nowait())
        # what is cancelled tells that the scheduler has gone, and then nothing more is heard of the rest
        results = [result for future in sorted(futures, key=Future.cancelled) for result in self._settled(future)]
        if self._client and self._client.status != "running":
            self._lose()
        results += self._stillborn
        self._stillborn = []
        self._launch()
        return results

    def _launch(self) -> None:
        while not self._alone and not self._stopping:
            if self._suspects:
                if self._flying:
                    return
                self._alone = True
                self._fly(self._suspects.popleft())
            elif self._waiting:
                self._fly(self._waiting.popleft())
            else:
                return

    def _fly(self, task: Task) -> None:
        parcel = parcel_of(self._errand(task=task))
        try:
            with ExitStack() as claim:
                self._connect_again()
                claim.enter_context(self._claim(task))
                future = self._sent(*parcel)
                self._flying[future] = task, claim.pop_all()
        except FolderError as error:
            self._alone = False
            self._stillborn.append(self._unstarted(task, str(error)))
            self._notify()
        else:
            future.add_done_callback(self._land)

    def _sent(self, function: Callable[[bytes], Result], parcel: bytes) -> "Future[Result]":
        executor: Executor = self._client.get_executor(pure=False)
        try:
            return executor.submit(function, parcel, key=f"bgwatch-{uuid.uuid4().hex}")  # type: ignore[call-arg]
        except Exception:  # noqa: BLE001 - dask's versions differ in what they raise when the scheduler goes just now
            raise FolderError(unreachable(self._address)) from None

    def _connect_again(self) -> None:
        """Look for a scheduler that had gone; between attempts only repeat what the last one has found."""
        if self._client and self._client.status == "running":
            return
        self._lose()
        if time.monotonic() < self._pause_until:
            raise FolderError(self._refusal)
        try:
            self._client = connected(self._address)
            self._counted_at = 0.0
        except FolderError as error:
            self._refusal, self._pause_until = str(error), time.monotonic() + PAUSE
            raise

    def _land(self, future: "Future[Result]") -> None:
        self._landed.put(future)
        self._notify()

    def _settled(self, future: "Future[Result]") -> list[Result]:
        if future not in self._flying:
            return []
        if future.cancelled():
            self._lose()
            return []
        task, claim = self._flying.pop(future)
        claim.close()
        alone, self._alone = self._alone, False
        error = future.exception()
        if error is None:
            return [future.result()]
        if type(error).__name__ == "KilledWorker":
            if alone:
                return [
                    self._died(task, "every Dask worker that began it was killed; scale the picture or free memory")
                ]
            self._suspects.append(task)
            return []
        return [self._unstarted(task, self._said(error))]

    def _said(self, error: BaseException) -> str:
        cause = error.__cause__ or error
        return (
            f"{self._address}: the cluster cannot run bgwatch {__version__} ({one_line(cause)}); "
            "install the same bgwatch, dask and Python wherever a worker runs"
        )

    def _lose(self) -> None:
        """Give back what is in flight, since the scheduler has gone and knows nothing of it any more."""
        reason = unreachable(self._address)
        for task, claim in self._flying.values():
            claim.close()
            self._stillborn.append(self._unstarted(task, reason))
        self._flying.clear()
        self._alone = False
        self._disconnect()
        if self._stillborn:
            self._notify()

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            close(client)
