"""A screen that nobody sees, and programs that run meanwhile."""

import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

SESSION = Path(os.environ["BGWATCH_SESSION"])
PATIENCE = 60  # seconds


@contextmanager
def screen():
    """Start a screen that nobody sees, for this process and its children."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1000x24", "-nolisten", "tcp", "-noreset"]
    with running(*command, pass_fds=[writing]):
        os.close(writing)
        with open(reading) as numbers:  # noqa: PTH123  # a descriptor
            os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
        yield


@contextmanager
def running(*command, **options):
    """Run a program meanwhile, with a log of its own."""
    with (SESSION / f"{Path(command[0]).name}.log").open("wb") as log:
        environment = {**os.environ, "GIMP3_DIRECTORY": f"{SESSION}/window-profile"}
        process = subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, env=environment, start_new_session=True, **options
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)
