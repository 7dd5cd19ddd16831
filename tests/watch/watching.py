"""What the tests of the watch folder share: a service in this process, and a daemon as a user starts it."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from running import PATIENCE, Running
from scenes import Ended

from bgwatch.settings import Folder, Settings, WorkerLimits
from bgwatch.watch.intake import Intake
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.service import Service

DOUBTFUL = {"min_confidence": 1.0, "tolerance": 1, "method": "threshold"}


class Box:
    """An inbox and an outbox, and a service for them."""

    def __init__(self, root: Path) -> None:
        self.root, self.inbox, self.outbox = root, root / "in", root / "out"
        self.inbox.mkdir()

    def service(self, **fields: object) -> Service:
        limits = {name: fields.pop(name) for name in WorkerLimits.model_fields if name in fields}
        folder = Folder(inbox=str(self.inbox), outbox=str(self.outbox), settle_seconds=0.05, **fields)  # type: ignore[arg-type]
        settings = Settings(folders=(folder,), rescan_seconds=0.2, workers=2, **limits)  # type: ignore[arg-type]
        return Service(settings, self.root / "state")

    def once(self, **fields: object) -> int:
        return self.service(**fields).run(once=True)

    def unfinished(self) -> list[object]:
        """What the ledger holds for the next start to finish."""
        ledger = Ledger(self.root / "state" / "ledger.sqlite")
        try:
            return list(ledger.unfinished(self.inbox))
        finally:
            ledger.close()

    def files(self) -> set[str]:
        """All files in both folders, relative to where they lie."""
        return {
            str(path.relative_to(self.root))
            for top in (self.inbox, self.outbox)
            for path in top.rglob("*")
            if not path.is_dir()
        }


def another_disk(box: Box) -> Path:
    """Give a folder on another disk than the box."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == box.root.stat().st_dev:
        pytest.skip("there is no second disk at /dev/shm")
    return memory


def places_of(box: Box, done: str = "done", on_conflict: str = "number", frames: str = "first") -> Sequence[object]:
    """Write the settings of the box, and give the options that name them and its state folder."""
    settings = box.root / "c.yaml"
    entry = f"inbox: {box.inbox}, outbox: {box.outbox}, done: {done}, on_conflict: {on_conflict}, frames: {frames}"
    settings.write_text(f"folders:\n  - {{{entry}}}\n")
    return "-c", settings, "--state", box.root / "state"


class Daemon(Running):
    """A running ``bgwatch watch`` whose words can be waited for."""

    def __init__(self, *arguments: object, command: str = "watch", **how: Any) -> None:
        super().__init__("bgwatch", command, *arguments, **how)


def rescans(box: Box, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Run a daemon, with no events, until it has read the inbox so many times with nothing left under way."""
    service = box.service()
    real, idle = Intake.scan, [0]

    def scan(self: Intake) -> Iterator[None]:
        idle[0] += self.idle
        if idle[0] > count:
            service.stop()
        return real(self)

    with monkeypatch.context() as counting:
        counting.setattr(Intake, "scan", scan)
        assert service.run() == 0


def names(top: str) -> set[str]:
    return {str(path) for path in Path(top).rglob("*") if path.is_file()}


def children(pid: int) -> list[int]:
    """Give the processes that any thread of a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


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


def seldom(box: Box, **fields: object) -> Service:
    """A service that rescans only when it has a reason to."""
    service = box.service(**fields)
    service._settings = service._settings.model_copy(update={"rescan_seconds": 86_400.0})
    return service


def drop(source: Path, target: Path) -> None:
    """Rename a picture into place."""
    shutil.copy(source, target.with_name(".coming"))
    target.with_name(".coming").rename(target)
