"""A bounded process: it does one task at a time, limited in time and memory, and is dead when its parent is."""

import contextlib
import ctypes
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

PR_SET_PDEATHSIG = 1
STARTING = 60.0  # seconds
STARTS = 3  # attempts: a process that is killed while it starts says nothing of this system
ENDING = 5.0  # seconds; a process that sleeps in the kernel, as on a disk that hangs, cannot even be killed
TASKS = 1000  # after which it is replaced: what libraries leak goes with it
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)
ONE_THREAD = dict.fromkeys(THREAD_VARIABLES, "1")


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
    os.environ.update(ONE_THREAD)


class BoundedProcess(Generic[Task, Result]):
    """A process that is started when it is first needed, and replaced when it has died or done much.

    On Linux it ends with the thread that started it. (`multiprocessing.Process` needs a working directory that is still
    there, another process which tracks resources and unblocks signals, and waits for ever where a process dies before
    it has read a long command line.)

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
        self._process: subprocess.Popen[bytes] | None = None
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
            raise Raised(_words(error)) from None
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
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)

    def _started(self) -> Connection:
        if self._process and (self._tasks >= TASKS or self._process.poll() is not None):
            self.kill()
        return self._connection or self._start()

    def _start(self) -> Connection:
        reason = ""
        for _ in range(STARTS):
            try:
                return self._launched()
            except Stopped:
                self.kill()
                raise
            except Exception as error:  # noqa: BLE001 - nothing that a start may meet is the fault of the task
                self.kill()
                reason = "it ended at once" if isinstance(error, EOFError | ConnectionError) else _words(error)
        raise Unstarted(f"no worker process can be started ({reason}); check memory and this Python")

    def _launched(self) -> Connection:
        if self._stopped.poll():
            raise Stopped
        self._connection, theirs = multiprocessing.Pipe()
        with theirs:
            arguments = (str(number) for number in (theirs.fileno(), os.getpid(), self._memory))
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a result may be on its way there
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)},
                **_inherited(theirs.fileno()),
            )
        self._tasks = 0
        self._connection.send(self._run)
        if not self._heard(self._connection, STARTING):
            raise TimeoutError(f"it did not answer within {STARTING:.0f} s")
        if reason := self._connection.recv():
            raise ImportError(reason)
        return self._connection

    def _heard(self, connection: Connection, seconds: float) -> bool:
        """Wait until the process has said something or died; False when the time is up."""
        ready = wait([connection, self._stopped], seconds)
        if self._stopped in ready:
            raise Stopped
        return bool(ready)


def _inherited(channel: int) -> dict[str, Any]:
    """Have a process inherit its end of a pipe, and nothing else."""
    if sys.platform != "win32":
        return {"pass_fds": [channel]}
    os.set_handle_inheritable(channel, True)
    return {"startupinfo": subprocess.STARTUPINFO(lpAttributeList={"handle_list": [channel]})}


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def serve(channel: int, parent: int, memory: int) -> None:
    """Do one task after the other, in the process; the first thing that is told is how."""
    _bind(parent, memory)
    with contextlib.suppress(EOFError, OSError), _connection(channel) as connection:  # nobody asks any more
        told = connection.recv_bytes()
        try:
            run = pickle.loads(told)
        except Exception as error:  # noqa: BLE001 - it is handed back in words
            connection.send(_words(error))
            return
        connection.send("")
        while True:
            connection.send_bytes(_done(run, connection.recv_bytes()))


def _connection(channel: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(channel)
    os.set_inheritable(channel, False)  # it is at its end when this process is, whatever a library has started
    return Connection(channel)


def _done(run: Callable[[Task], Result], task: bytes) -> bytes:
    try:
        return pickle.dumps((True, run(pickle.loads(task))))
    except Exception as error:  # noqa: BLE001 - it is handed back in words: a task must not end its worker
        return pickle.dumps((False, _words(error)))


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


if __name__ == "__main__":
    serve(*(int(number) for number in sys.argv[1:]))
