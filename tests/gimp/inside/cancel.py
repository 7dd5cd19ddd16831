"""Kills the plug-in while its worker is at work, and says when the worker is gone."""

import contextlib
import os
import signal
import time
from pathlib import Path

BUSY = 300_000_000  # bytes of memory, which the worker has only in the middle of its work
PATIENCE = 120


def workers():
    """List the worker processes of this session."""
    return [process for process in Path("/proc").glob("[0-9]*") if _is_worker(process)]


def _is_worker(process):
    with contextlib.suppress(OSError):  # it has ended, or is another user's
        ours = f"BGWATCH_SESSION={os.environ['BGWATCH_SESSION']}".encode()
        return ours in (process / "environ").read_bytes() and b"gimp_worker" in (process / "cmdline").read_bytes()
    return False


def _memory(process):
    return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition.__name__)
        time.sleep(0.01)


def busy():
    """Tell whether a worker works."""
    return any(_memory(worker) > BUSY for worker in workers())


def gone():
    """Tell whether there is none."""
    return not workers()


def cancel():
    """Kill the plug-in, the worker's parent."""
    _wait(busy)
    (worker,) = workers()
    os.kill(int((worker / "stat").read_text().split()[3]), signal.SIGKILL)
    _wait(gone)
    print("gone")


if __name__ == "__main__":
    cancel()
