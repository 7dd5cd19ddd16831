"""The daemon as a process of its own, and what Linux tells of it: its workers, its processor time, its memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from folder_ground import Clock, Ground, Unfinished

from bgwatch.watch.heartbeat import pulses

TICKS = os.sysconf("SC_CLK_TCK")
END = 10.0  # seconds within which SIGTERM ends a daemon


class Used(NamedTuple):
    """Seconds of processor time."""

    main: float
    workers: float


class Daemon:
    """A running ``bgwatch watch``; leaving its context kills it if it still runs."""

    def __init__(self, ground: Ground, *options: object) -> None:
        self._log, self._state = ground.log, ground.state
        self._said = self._log.stat().st_size if self._log.exists() else 0
        folders = [ground.inbox, ground.outbox, "--state", ground.state]
        line = [sys.executable, "-m", "bgwatch", "watch", *map(str, [*folders, *options])]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill it, and wait until it is dead."""
        self.process.kill()
        self.process.wait()

    def watches(self, clock: Clock) -> None:
        """Wait until it says that it watches."""
        self.wait(clock, "the daemon's start", lambda: "watching" in self.words())

    def wait(self, clock: Clock, what: str, done: Callable[[], object], every: float = 0.05) -> None:
        """Wait until something is true.

        Raises
        ------
        Unfinished
            When the time is up, or the daemon has ended by itself.
        """

        def look() -> object:
            if self.process.poll() is not None:
                raise Unfinished(f"the daemon ended by itself: {self.words()[-1000:]}")
            return done()

        clock.wait(what, look, every)

    def words(self) -> str:
        """Give what has been said since it was started."""
        with self._log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode(errors="replace")

    def end(self) -> list[str]:
        """Ask it to end, and say what was wrong with how it did."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(2 * END)
        except subprocess.TimeoutExpired:
            self.kill()
            return [f"SIGTERM had not ended the daemon after {2 * END:.0f} s"]
        seconds = time.monotonic() - start
        late = [f"SIGTERM ended the daemon only after {seconds:.1f} s"] if seconds > END else []
        return late + ([f"SIGTERM ended the daemon with exit code {code}"] if code else [])

    def children(self) -> list[int]:
        """Give the processes that it has started."""
        lists = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(child) for one in lists for child in _read(one).split()]

    def workers(self) -> list[int]:
        """Give the processes in which pictures are cut out."""
        return [child for child in self.children() if "bgwatch.process" in _read(Path(f"/proc/{child}/cmdline"))]

    def used(self) -> Used:
        """Give the processor time used so far, by the main process and by all workers, dead ones included."""
        main, dead = _times(self.pid)
        return Used(main, dead + sum(_times(child)[0] for child in self.children()))

    def pss(self) -> int:
        """Give the memory of the daemon and all its processes in bytes: what is shared is divided by who shares it."""
        return sum(_kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") for pid in (self.pid, *self.children()))

    def peak(self) -> int:
        """Give the most memory that the main process has had, in bytes."""
        return _kilobytes(Path(f"/proc/{self.pid}/status"), "VmHWM:")

    def status(self) -> dict[str, Any]:
        """Give what it has told last of how it stands."""
        return next((pulse.told for pulse in pulses(self._state) if pulse.told.get("pid") == self.pid), {})

    def rests(self, since: float) -> bool:
        """Tell whether it has said after a moment that nothing is left to do, and none of its processes runs.

        Parameters
        ----------
        since : float
            Seconds since the epoch.
        """
        told = self.status()
        if not told or told["beat"] <= since or any(one["queued"] or one["working_on"] for one in told["folders"]):
            return False
        return all(_sleeps(pid) for pid in (self.pid, *self.children()))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended in this moment
        return ""


def _times(pid: int) -> tuple[float, float]:
    """Give the processor time of a process, and that of its children that have ended."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    if not fields:
        return 0.0, 0.0
    user, system, children_user, children_system = (int(field) / TICKS for field in fields[11:15])
    return user + system, children_user + children_system


def _sleeps(pid: int) -> bool:
    """Tell whether all threads of a process wait for something other than a disk."""
    threads = map(_read, Path(f"/proc/{pid}/task").glob("*/stat"))
    return all(thread.rpartition(")")[2].split()[0] == "S" for thread in threads if thread)


def _kilobytes(path: Path, what: str) -> int:
    """Read a figure that Linux gives in kB, in bytes; 0 for a process that has ended."""
    return sum(int(line.split()[1]) * 1024 for line in _read(path).splitlines() if line.startswith(what))
