"""What ``remove`` has done before, so that the same call goes on where an earlier one was interrupted.

A row is written, durably, before its result is put in place, and tells the result by its size and time: after a kill
at any moment either the result lies there as the row says, or the row is void. It lies in the user's state folder.
Where that cannot be used everything works, and nothing is remembered.
"""

import contextlib
import hashlib
import json
import os
import platform
import sqlite3
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import platformdirs

from bgwatch import __version__
from bgwatch.durable import discard, make_folder
from bgwatch.errors import FolderError
from bgwatch.inputs.sources import Source, Stdin, Url, key_of
from bgwatch.series import files

PATIENCE = 10.0  # seconds for another process that writes
DAY = 86_400.0
KEPT = 366 * DAY
COARSEST_TIME = 2_000_000_000  # nanoseconds; FAT knows only every second second
VERSION = 1
TABLE = """
CREATE TABLE IF NOT EXISTS result (
    place BLOB NOT NULL,            -- these two are digests: there may be millions
    source BLOB NOT NULL,           -- of the source, the folder of the result and the settings
    name BLOB NOT NULL,             -- of the result in its folder
    source_size INTEGER NOT NULL,
    source_mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    beside INTEGER NOT NULL,        -- whether it lies beside its source, among pictures
    unsure INTEGER NOT NULL,
    confidence REAL,
    at REAL NOT NULL,               -- seconds since the epoch
    PRIMARY KEY (place, source, size, mtime_ns)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS result_source ON result (source)
"""


class Stamp(NamedTuple):
    """The state of a file, as far as every file system keeps it: size in bytes, and time of the last change.

    Of a folder of numbered results: the size of all of them, and the time when one was last changed.
    """

    size: int
    mtime_ns: int


class Made(NamedTuple):
    """A result that was made before and is unchanged.

    Attributes
    ----------
    path : Path
        Where it lies.
    unsure : bool
        Whether it was below ``min_confidence``.
    confidence : float or None
        In [0, 1].
    """

    path: Path
    unsure: bool
    confidence: float | None


def stamp_of(source: Source) -> Stamp | None:
    """Take the state of a source, links followed; None where there is none.

    An address is taken for unchanged, since it is not known before all of it was fetched.
    """
    if isinstance(source, Stdin):
        return None
    if isinstance(source, Url):
        return Stamp(0, 0)
    try:
        status = source.stat()
        states = [one.stat() for one in files(source)] if stat.S_ISDIR(status.st_mode) else [status]
    except (OSError, ValueError):
        return None
    size, last = sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)
    return Stamp(size, last)


def default_file() -> Path:
    """Where this user's journal is."""
    return platformdirs.user_state_path("bgwatch", appauthor=False) / "remove.sqlite"


class Journal:
    """The memory of ``remove``; no method raises.

    Parameters
    ----------
    file : Path
        The SQLite file.
    settings : mapping
        All that a result depends on besides its source. With others a result is another one.
    behind : str, optional
        The picture that is laid behind results.
    writes : bool, optional
        False makes no file.

    Attributes
    ----------
    trouble : str
        Why nothing is remembered; empty where all is well.
    owner : str
        In the names of temporaries, so that those of killed runs are known.
    """

    def __init__(self, file: Path, settings: Mapping[str, Any], behind: str | None = None, writes: bool = True) -> None:
        self._file, self._writes = file, writes
        self.trouble = ""
        self.owner = "remove-" + _digest(platform.node(), str(file)).hex()[:12] + "-"
        known = {"version": __version__, "behind": behind and stamp_of(Path(behind)), **settings}
        self._settings = _digest(json.dumps(known, sort_keys=True)).hex()
        self._base: sqlite3.Connection | None = None
        self._lock: int | None = None

    def found(self, source: Source, folder: Path) -> Made | None:
        """Give the result in a folder that was made of a source as it is now, if it is there and unchanged."""
        if not (stamp := stamp_of(source)):
            return None
        for name, size, mtime_ns, unsure, confidence in self._rows(
            "SELECT name, size, mtime_ns, unsure, confidence FROM result"
            " WHERE source = ? AND source_size = ? AND source_mtime_ns = ?",
            self._key(source, folder),
            *stamp,
        ):
            path = folder / os.fsdecode(name)
            if _same(stamp_of(path), Stamp(size, mtime_ns)):
                return Made(path, bool(unsure), confidence)
        return None

    def is_result(self, path: Path) -> bool:
        """Tell whether a file among pictures is a result, of whatever settings, that nobody has changed."""
        rows = self._rows("SELECT size, mtime_ns FROM result WHERE place = ? AND beside", _digest(key_of(path)))
        return any(_same(stamp_of(path), Stamp(*row)) for row in rows)

    def note(
        self, source: Source, read: Stamp, place: Path, temporary: Path, unsure: bool, confidence: float | None
    ) -> None:
        """Note what is about to be put in place: the result in a temporary, of a source as it was read."""
        if not (made := stamp_of(temporary)):
            return
        names, now = (_digest(key_of(place)), self._key(source, place.parent), os.fsencode(place.name)), time.time()
        row = (*names, *read, *made, place.parent == source.parent, unsure, confidence, now)
        self._rows("BEGIN IMMEDIATE")
        # what lay there before; but not what another run of the same call is just about to put there
        self._rows("DELETE FROM result WHERE place = ? AND at < ?", names[0], now - DAY)
        self._rows(f"REPLACE INTO result VALUES ({', '.join('?' * len(row))})", *row)
        self._rows("COMMIT")

    def sweep(self, folders: Iterable[Path]) -> None:
        """Take away what killed runs of this user have left in folders, unless another run is under way."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        if not self._opened() or self._lock is None:
            return
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for leftover in (file for folder in folders for file in folder.glob(f".bgwatch-{self.owner}*.tmp")):
                discard(leftover)
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # as long as this run is under way

    def close(self) -> None:
        """Close the file."""
        if self._base:
            self._base.close()
        if self._lock is not None:
            os.close(self._lock)
        self._base = self._lock = None

    def _key(self, source: Source, folder: Path) -> bytes:
        return _digest(key_of(source), os.path.realpath(folder), self._settings)

    def _rows(self, query: str, *values: Any) -> list[Any]:
        try:
            base = self._opened()
            return base.execute(query, values).fetchall() if base else []
        except sqlite3.Error as error:
            self._give_up(str(error))
            return []

    def _opened(self) -> sqlite3.Connection | None:
        if self._base or self.trouble or not (self._writes or self._file.exists()):
            return self._base
        try:
            self._open()
        except OSError as error:
            self._give_up(error.strerror or str(error))
        except (FolderError, sqlite3.Error) as error:
            self._give_up(str(error))
        return self._base

    def _open(self) -> None:
        if self._writes:
            make_folder(self._file.parent)
        address = f"{self._file.absolute().as_uri()}?mode={'rwc' if self._writes else 'ro'}"
        self._base = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise sqlite3.Error("it is from a newer bgwatch")
        if self._writes:
            self._base.execute("PRAGMA journal_mode = TRUNCATE")  # one file that is read without writing another
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(f"BEGIN IMMEDIATE; {TABLE}; PRAGMA user_version = {VERSION}; COMMIT")
            self._base.execute("DELETE FROM result WHERE at < ?", (time.time() - KEPT,))
            self._lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)

    def _give_up(self, reason: str) -> None:
        self.close()
        said = "so nothing is known of earlier runs, and this one could not be resumed; check its rights, or delete it"
        self.trouble = f"{self._file}: cannot be used ({reason}), {said}"


def _same(found: Stamp | None, noted: Stamp) -> bool:
    """Tell whether a result is the one that was noted."""
    return found is not None and found.size == noted.size and abs(found.mtime_ns - noted.mtime_ns) < COARSEST_TIME


def _digest(*parts: str) -> bytes:
    return hashlib.blake2b(b"\0".join(map(os.fsencode, parts)), digest_size=16).digest()
