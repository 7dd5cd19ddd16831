"""What lies in an inbox: which files are originals, which have settled, which are under way or finished."""

import logging
import os
import time
from collections import deque
from pathlib import Path

from bgwatch.errors import printable
from bgwatch.imagefile import Identity, identity_of
from bgwatch.watch.settle import Settling

LEFT_ALONE = frozenset({"thumbs.db", "desktop.ini"})
UNFINISHED_SUFFIXES = (".part", ".filepart", ".crdownload", ".partial", ".tmp", ".swp", "~")
UNFINISHED_PREFIXES = (".", "~$")

log = logging.getLogger("bgwatch")


def is_original(name: str) -> bool:
    """Tell whether a file of this name is taken; copies under way, dotfiles and folder thumbnails are not."""
    lower = name.lower()
    return not (lower in LEFT_ALONE or lower.startswith(UNFINISHED_PREFIXES) or lower.endswith(UNFINISHED_SUFFIXES))


class Intake:
    """Finds the originals in an inbox and hands them out once each.

    Originals are named by their path relative to the inbox.

    Parameters
    ----------
    inbox : Path
        The watched folder.
    quiet : float
        Seconds without a change after which a file is taken.
    finished : dict
        Size and mtime_ns of originals that stay in the inbox and are not to be done again.
    """

    def __init__(self, inbox: Path, quiet: float, finished: dict[Path, tuple[int, int]]) -> None:
        self._inbox = inbox
        self._settling = Settling(quiet)
        self._finished = finished
        self._ready: deque[Path] = deque()
        self._under_way: dict[Path, Identity] = {}
        self._told: set[Path] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing is settling, ready or handed out."""
        return not (len(self._settling) or self._under_way)

    def scan(self) -> None:
        """Look at every file in the inbox."""
        self._scan(self._inbox)

    def follow(self, hint: Path) -> None:
        """Look at a path that may have changed, if it lies in the inbox; at a folder with all in it."""
        if not hint.is_relative_to(self._inbox):
            return
        if os.path.isdir(hint) and not hint.is_symlink():
            self._scan(hint)
        else:
            self.look(hint.relative_to(self._inbox))

    def settle(self) -> None:
        """Look again at the files that may have settled."""
        for path in self._settling.due(time.monotonic()):
            self.look(path)

    def next_due(self) -> float | None:
        """Tell when `settle` has something to look at."""
        return self._settling.next_due()

    def take(self) -> Path | None:
        """Hand out the next settled original; it stays under way until it is released."""
        return self._ready.popleft() if self._ready else None

    def release(self, original: Path) -> Identity:
        """Take back an original that was handed out; give what it was when it had settled."""
        return self._under_way.pop(original)

    def finish(self, original: Path, identity: Identity) -> None:
        """Remember that an original which stays in the inbox is not to be done again."""
        self._finished[original] = (identity.size, identity.mtime_ns)

    def look(self, original: Path) -> None:
        """Look at a file of which nothing is known yet, or which may have changed."""
        if not original.name or not is_original(original.name) or any(part.startswith(".") for part in original.parts):
            return
        path = self._inbox / original
        identity = identity_of(path)
        if identity is None:
            self._settling.forget(original)
            self._finished.pop(original, None)
            if os.path.lexists(path):
                self._tell_once(path, "is no regular file and is left alone")
            return
        if original in self._under_way or self._finished.get(original) == (identity.size, identity.mtime_ns):
            self._settling.forget(original)
            return
        if self._settling.look(original, identity, time.monotonic()):
            self._ready.append(original)
            self._under_way[original] = identity

    def _scan(self, folder: Path) -> None:
        def unreadable(error: OSError) -> None:
            self._tell_once(Path(error.filename), f"cannot be read ({error.strerror}); check its rights")

        for name, folders, files in os.walk(folder, onerror=unreadable):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            below = Path(name).relative_to(self._inbox)
            for file in sorted(files):
                self.look(below / file)

    def _tell_once(self, path: Path, what: str) -> None:
        if path not in self._told:
            self._told.add(path)
            log.warning("%s: %s", printable(str(path)), what)
