"""A service in this process, and a person beside it."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from scenes import Ended
from watching import PATIENCE

from bgwatch.watch.service import Service


def meanwhile(service: Service, person: Callable[[], None]) -> int:
    """Run a service while a person acts in another thread; it is stopped when that is done, and gives its exit code."""
    failures: list[BaseException] = []
    began = threading.Event()
    real = service._wait

    def act() -> None:
        try:
            assert began.wait(PATIENCE)
            person()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that pytest looks at
            failures.append(error)
        finally:
            service.stop()

    def wait() -> None:
        began.set()
        real()

    service._wait = wait  # type: ignore[method-assign]
    thread = threading.Thread(target=act)
    thread.start()
    try:
        return service.run()
    finally:
        began.set()
        thread.join()
        if failures:
            raise failures[0]


def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        threading.Event().wait(0.01)


def appears(path: Path) -> None:
    """Wait for a file."""
    until(path.exists, str(path))


def called(*arguments: object) -> Ended:
    """Call the command line in a process of its own, as beside a service in this one."""
    line = [sys.executable, "-m", "bgwatch", *map(str, arguments)]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)
