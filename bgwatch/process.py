"""A bounded process: it does one task at a time, limited in time and memory, and is dead when its parent is."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1
STARTING = 60.0  # seconds
STARTS = 3  # attempts: a process that is killed while it starts says nothing of this system
TASKS = 1000  # after which it is replaced: what libraries leak goes with it
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


class Stopped(Exception):
    """Nobody waits for the answer any more."""


class Unstarted(Exception):
    """No process can be started; says why."""


class Died(Exception):
    """The process has ended without an answer."""


class Late(Exception):
    """The time is up."""


class Raised(Exception):
    """The task has raised an error, or its result could not travel; says which."""


def one_thread() -> None:
    """Hold numpy's and scikit-learn's libraries and OpenCV to one thread; only works before they are imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


class BoundedProcess(Generic[Task, Result]):
    """A process that is started when it is first needed, and replaced when it has died or done much.

    On Linux it ends with the thread that started it.

    Parameters
    ----------
    run : callable
        Importable by name; turns a task into a result.
    memory : int
        Its address space, in bytes.
    stopped : Connection
        Becomes readable, or its other end is closed, when whatever is waited for is no longer wanted.
    """

    def __init__(self, run: Callable[[Task], Result], memory: int, stopped: Connection) -> None:
        self._run, self._memory, self._stopped = run, memory, stopped
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._tasks = 0  # that this one was asked

    def answer(self, task: Task, seconds: float) -> Result:
        """Have a task done.

        Raises
        ------
        Unstarted, Died, Late, Raised, Stopped
            When there is no result. After all but `Raised` the process has gone.
        """
        connection = self._started()
        self._tasks += 1
        try:
            connection.send(task)
            if not self._heard(connection, seconds):
                raise Late
            answer: Result
            succeeded, answer = connection.recv()
        except (EOFError, OSError):
            self.kill()
            raise Died from None
        except (Late, Stopped):
            self.kill()
            raise
        except Exception as error:  # noqa: BLE001 - whatever comes instead of a result, as for want of memory
            self.kill()
            raise Raised(str(error) or type(error).__name__) from None
        if not succeeded:
            raise Raised(answer)
        return answer

    def kill(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection:
            connection.close()
        if process:
            process.kill()
            process.join()

    def _started(self) -> Connection:
        if self._process and (self._tasks >= TASKS or not self._process.is_alive()):
            self.kill()
        return self._connection or self._start()

    def _start(self) -> Connection:
        reason = ""
        for _ in range(STARTS):
            try:
                connection = self._launched()
                if self._heard(connection, STARTING):
                    connection.recv()
                    return connection
                reason = f"it did not answer within {STARTING:.0f} s"
            # multiprocessing raises ValueError where the system is short of descriptors
            except (EOFError, OSError, ValueError) as error:
                reason = str(error) or "it ended at once"
            self.kill()
        raise Unstarted(f"no worker process can be started ({reason}); check memory and this Python")

    def _launched(self) -> Connection:
        one_thread()
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            arguments = theirs, self._run, os.getpid(), self._memory
            process = multiprocessing.get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
            process.start()
        self._process, self._tasks = process, 0
        return self._connection

    def _heard(self, connection: Connection, seconds: float) -> bool:
        """Wait until the process has said something or died; False when the time is up."""
        assert self._process
        ready = wait([connection, self._process.sentinel, self._stopped], seconds)
        if self._stopped in ready:
            raise Stopped
        return bool(ready)


def _serve(connection: Connection, run: Callable[[Task], Result], parent: int, memory: int) -> None:
    """Do one task after the other, in the process."""
    _bind(parent, memory)
    connection.send(None)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent wants nothing more
        while True:
            connection.send(_done(run, connection.recv()))


def _done(run: Callable[[Task], Result], task: Task) -> tuple[bool, Any]:
    try:
        return True, run(task)
    except Exception as error:  # noqa: BLE001 - it is handed back in words: a task must not end its worker
        return False, str(error) or type(error).__name__


def _bind(parent: int, memory: int) -> None:
    """Bind a new process to its parent's life and to its memory limit."""
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
