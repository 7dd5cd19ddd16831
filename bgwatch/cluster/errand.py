"""What is sent to a worker of a Dask cluster, and what is done with it there.

A picture runs in a process of its own beside the thread that Dask has for it: a thread cannot be ended and knows no
limits. `bgwatch.workers.Workers` gives that process what it gives those of this machine: one BLAS, OpenMP and OpenCV
thread, a limit of time and one of memory. It is kept for the next picture, and ends with the thread.
"""

import pickle
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bgwatch import __version__
from bgwatch.workers import Workers

Task = TypeVar("Task")
Result = TypeVar("Result")

LOOKING = 1.0  # seconds between looks at whether a result is still wanted


@dataclass(frozen=True)
class Errand(Generic[Task, Result]):
    """A task on its way to a worker, with what is done for it there; plain values and functions known by name."""

    run: Callable[[Task], Result]
    died: Callable[[Task, str], Result]
    unstarted: Callable[[Task, str], Result]
    wanted: Callable[[Task], bool]
    task: Task
    seconds: int
    memory_mb: int


class _Call:
    """Comes out of its pickle as what a function returns, which is called there and then."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def parcel_of(errand: Errand[Any, Any]) -> tuple[Callable[[bytes], Any], bytes]:
    """Give what to submit: names only that every Python knows, since a Dask worker ends if it cannot import others."""
    return pickle.loads, pickle.dumps(_Call(carry_out, __version__, pickle.dumps(errand)))


def carry_out(version: str, parcel: bytes) -> Any:
    """Do an errand in this thread's bounded process; runs in a thread of a Dask worker.

    Raises
    ------
    ImportError
        When the errand comes from another version of bgwatch.
    distributed.Reschedule
        When the worker is told to end, so that the errand is done by another.
    """
    import distributed

    if version != __version__:
        raise ImportError(f"{platform.node()} has bgwatch {__version__}")
    errand: Errand[Any, Any] = pickle.loads(parcel)
    worker = distributed.get_worker()
    workers = _process(errand.seconds, errand.memory_mb)
    workers.submit(errand)
    try:
        while not (results := workers.collect(LOOKING)):
            if worker.status.name in ("stopping", "closing", "closed", "failed"):
                raise distributed.Reschedule
            if not errand.wanted(errand.task):
                return errand.unstarted(errand.task, "nobody waits for it any more")
        return results[0]
    finally:
        if workers.busy:  # or the next errand would be given the result of this one
            workers.stop()
            _here.workers = None


_here = threading.local()


def _process(seconds: int, memory_mb: int) -> "Workers[Errand[Any, Any], Any]":
    """Give the one process of this thread: the system ends it with the thread that made it."""
    workers: Workers[Errand[Any, Any], Any] | None = getattr(_here, "workers", None)
    if workers and _here.limits != (seconds, memory_mb):
        workers.stop()
        workers = None
    if workers is None:
        workers = _here.workers = Workers(_run, _died, _unstarted, 1, seconds, memory_mb)
        _here.limits = (seconds, memory_mb)
    return workers


def _run(errand: Errand[Task, Result]) -> Result:
    return errand.run(errand.task)


def _died(errand: Errand[Task, Result], reason: str) -> Result:
    return errand.died(errand.task, reason)


def _unstarted(errand: Errand[Task, Result], reason: str) -> Result:
    return errand.unstarted(errand.task, f"{platform.node()}: {reason}")
