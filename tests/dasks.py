"""A Dask cluster of this machine, for the tests that use one."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from running import Running

import bgwatch

HERE, PACKAGE = Path(__file__).parent, Path(bgwatch.__file__).parent
NOWHERE = "tcp://127.0.0.1:9"
SLOW = ["--method", "kmeans", "--clusters", "200", "--n-init", "100"]


class Dask:
    """A scheduler of this machine, and as many workers as are asked for."""

    def __init__(self, **environment: str) -> None:
        self._running: list[Running] = []
        self._environment = environment
        self.address = "tcp://127.0.0.1:0"
        self.scheduler = self.schedule()

    def schedule(self) -> Running:
        """Start a scheduler, at the address that it had if it had one."""
        port = self.address.rpartition(":")[2]
        scheduler = self.run("scheduler", "--port", port, "--dashboard-address", "127.0.0.1:0")
        self.address = scheduler.says(r"Scheduler at: +(\S+)")[1]
        return scheduler

    def worker(self, *options: str, **environment: str) -> Running:
        """Start a worker; with ``--no-nanny`` the process is the worker itself."""
        options = (self.address, "--nthreads", "1", "--local-directory", "scratch", "--no-dashboard", *options)
        worker = self.run("worker", *options, **environment)
        worker.says("Registered to")
        return worker

    def run(self, role: str, *options: str, **environment: str) -> Running:
        environment = {"PYTHONPATH": python_path(HERE), **self._environment, **environment}
        self._running.append(Running("distributed.cli.dask_" + role, "--host", "127.0.0.1", *options, **environment))
        return self._running[-1]

    def bgwatch(self, command: str, *arguments: object) -> Running:
        """Start a command of bgwatch that uses the cluster."""
        return self.run_bgwatch(command, *arguments, "--scheduler", self.address)

    def run_bgwatch(self, *arguments: object) -> Running:
        """Start a command of bgwatch as it is."""
        self._running.append(Running("bgwatch", *arguments, PYTHONPATH=python_path(PACKAGE.parent)))
        return self._running[-1]

    def close(self) -> None:
        for process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.close()


def python_path(first: Path) -> str:
    return os.pathsep.join(map(str, [first, PACKAGE.parent]))


def names(top: str) -> set[str]:
    """All files below a folder, hidden ones too."""
    return {str(path) for path in Path(top).rglob("*") if path.is_file()}


def long_picture(path: str) -> None:
    """Save a picture that takes minutes with the options SLOW."""
    Path(path).parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    Image.fromarray(noise).save(path, compress_level=1)


def wait_for(there: Callable[[], object]) -> None:
    for _ in range(6000):
        if there():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come")
