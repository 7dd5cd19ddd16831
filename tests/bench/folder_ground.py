"""The ground of a folder bench: an inbox, an outbox and a state folder on a disk, and the clock that ends it."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath


class Unfinished(Exception):
    """A bench cannot come to its end: its time is up, or the daemon has ended by itself."""


class Clock:
    """Counts down the minutes that all benches of a run have together."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes

    @property
    def left(self) -> float:
        """Seconds left, not below zero."""
        return max(0.0, self._end - time.monotonic())

    def wait(self, what: str, done: Callable[[], object], every: float = 0.05) -> None:
        """Wait until something is true.

        Raises
        ------
        Unfinished
            When the time is up, naming what was waited for.
        """
        while not done():
            if not self.left:
                raise Unfinished(f"the time of --minutes was up while waiting for {what}")
            time.sleep(every)


class Ground:
    """Where a bench takes place.

    Attributes
    ----------
    inbox, outbox, state : Path
        The daemon's folders.
    log : Path
        What the daemons said.
    """

    def __init__(self, top: Path) -> None:
        self.inbox, self.outbox, self.state = (top / name for name in ("inbox", "outbox", "state"))
        self.log = top / "daemon.log"
        self._aside = top / "aside"
        for folder in (self.inbox, self.outbox, self._aside):
            folder.mkdir()

    def aside(self, name: PurePath, content: bytes) -> Path:
        """Write a file on the same disk that is to be renamed into the inbox, and give its path."""
        path = self._aside / name
        path.write_bytes(content)
        return path

    def temporaries(self) -> set[str]:
        """Name the unfinished results in the outbox."""
        with os.scandir(self.outbox) as entries:
            return {entry.name for entry in entries if is_temporary(entry.name)}

    def is_served(self) -> bool:
        """Tell whether the inbox is empty, without reading all of it."""
        with os.scandir(self.inbox) as entries:
            return next(entries, None) is None

    def waiting(self) -> int:
        """Count the files in the inbox, those that are still being written too."""
        return sum(1 for _ in files_below(self.inbox))


@contextmanager
def ground(where: Path) -> Iterator[Ground]:
    """Make the folders of a bench, and take them away after it."""
    with tempfile.TemporaryDirectory(prefix="bgwatch-bench-", dir=where) as top:
        yield Ground(Path(top).resolve())


def is_temporary(name: str) -> bool:
    """Tell whether a file is an unfinished one of bgwatch's."""
    return name.startswith(".bgwatch-") and name.endswith(".tmp")


def files_below(top: Path, but: str = "") -> Iterator[os.DirEntry[str]]:
    """Find all files in a folder but one, also while files and folders come and go."""
    try:
        with os.scandir(top) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if entry.name != but:
                yield from files_below(Path(entry.path))
        else:
            yield entry
