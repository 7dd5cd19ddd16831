"""Kills the plug-in, or its worker, while the worker is at work, and prints after how many seconds it was gone."""

import contextlib
import os
import select
import signal
import sys
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


def busy_worker():
    """Wait for the worker to be in the middle of its work, which nothing announces."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for worker in workers():
            with contextlib.suppress(OSError):
                if _memory(worker) > BUSY:
                    return worker
        time.sleep(0.01)
    raise TimeoutError(f"no worker was busy within {PATIENCE} seconds")


def cancel(which):
    """Kill the worker, or the plug-in, its parent; wait for the worker's end."""
    worker = busy_worker()
    number = int(worker.name)
    watched = os.pidfd_open(number)
    start = time.monotonic()
    os.kill(number if which == "worker" else int((worker / "stat").read_text().split()[3]), signal.SIGKILL)
    if not select.select([watched], [], [], PATIENCE)[0]:
        raise TimeoutError(f"the worker outlived the {which} by {PATIENCE} seconds")
    print(time.monotonic() - start)


if __name__ == "__main__":
    cancel(sys.argv[1])
