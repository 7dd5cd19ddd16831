"""How a daemon is seen from outside: a small file in the state folder, renewed all the time, and a lock beside it."""

import contextlib
import json
import os
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgwatch.durable import discard, make_folder
from bgwatch.errors import FolderError

RATE_OVER = 60.0  # seconds


class Heartbeat:
    """Tells how this daemon stands.

    The lock is held as long as the process lives, however it ends; what the file says is as old as its time.

    Parameters
    ----------
    state : Path
        The state folder.
    """

    def __init__(self, state: Path) -> None:
        make_folder(state)
        for pulse in pulses(state):
            if pulse.told and not pulse.alive:
                pulse.forget()
        self._file = state / f"daemon-{uuid.uuid4().hex}.json"  # in a container process ids repeat
        self._lock = self._locked()

    def beat(self, told: dict[str, Any]) -> None:
        """Renew the file; where that fails, as on a full disk, it is simply older."""
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError, FolderError):
            if not self._is_in_place():
                make_folder(self._file.parent)
                lost, self._lock = self._lock, self._locked()
                os.close(lost)
            fresh.write_text(json.dumps(told, ensure_ascii=True))
            fresh.replace(self._file)

    def close(self) -> None:
        """End the heartbeat; the file stays and tells how it was at the end."""
        if not self._file.exists():  # it never beat: there is nothing to tell
            discard(self._file.with_suffix(".lock"))
        os.close(self._lock)

    def _locked(self) -> int:
        import fcntl

        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def _is_in_place(self) -> bool:
        """Tell whether the lock is still the file of its name, and the state folder was not deleted."""
        try:
            return os.path.samestat(os.fstat(self._lock), self._file.with_suffix(".lock").stat())
        except FileNotFoundError:
            return False


class Rate:
    """Counts pictures a minute."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def a_minute(self, total: int, now: float) -> float:
        """Give how many of the ``total`` came in the last minute; asked now and then."""
        self._marks.append((now, total))
        while now - self._marks[0][0] > RATE_OVER:
            self._marks.popleft()
        since, before = self._marks[0]
        return 60 * max(0, total - before) / max(now - since, 1.0)  # less when a folder was taken out


@dataclass
class Pulse:
    """The heartbeat of a daemon, as found.

    Attributes
    ----------
    file : Path
        Where it lies.
    alive : bool
        Whether its process lives.
    told : dict
        What the daemon told last; empty when that cannot be read.
    """

    file: Path
    alive: bool
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def age(self) -> float:
        """Seconds since the last beat, by the clock on the wall."""
        return max(0.0, time.time() - float(self.told.get("beat", 0.0)))

    def forget(self) -> None:
        """Take the files of a daemon away that has ended."""
        for name in (self.file, self.file.with_suffix(".new"), self.file.with_suffix(".lock")):
            name.unlink(missing_ok=True)


def pulses(state: Path) -> list[Pulse]:
    """Find the daemons that use a state folder, also those that have ended since the last one began."""
    found = []
    for lock in sorted(state.glob("daemon-*.lock")):
        file = lock.with_suffix(".json")
        told: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(file.read_text())
        found.append(Pulse(file, _is_held(lock), told))
    return found


def _is_held(lock: Path) -> bool:
    import fcntl

    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
