"""What was done, across restarts: SQLite, one row for each attempt at a picture."""

import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity

SCHEMA = 1
State = Literal["placing", "done", "review", "failed", "dropped"]

TABLES = """
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    inbox BLOB NOT NULL,            -- paths are bytes: names need not be text
    path BLOB NOT NULL,             -- of the original, below the inbox
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    state TEXT NOT NULL,            -- placing: the result is about to appear; the others are final
    result BLOB,
    result_inode INTEGER,
    review INTEGER NOT NULL,
    confidence REAL,
    reason TEXT,
    at REAL NOT NULL                -- seconds since the epoch, for people only
);
CREATE INDEX attempt_path ON attempt (inbox, path);
CREATE INDEX attempt_placing ON attempt (inbox) WHERE state = 'placing';
"""


@dataclass(frozen=True)
class Placing:
    """A result that was about to appear when the ledger was last written.

    Attributes
    ----------
    row : int
        Its row.
    path : Path
        The original, relative to the inbox.
    size, mtime_ns : int
        The original as it was read.
    result : Path
        Where the result was to appear.
    result_inode : int
        Inode of the finished temporary, which the result keeps.
    review : bool
        Whether it was doubtful.
    reason : str
        Why it was.
    """

    row: int
    path: Path
    size: int
    mtime_ns: int
    result: Path
    result_inode: int
    review: bool
    reason: str


class Ledger:
    """The memory of the daemon.

    Raises
    ------
    FolderError
        When the file cannot be made or opened, or is from a newer bgwatch.
    """

    def __init__(self, file: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(file, isolation_level=None, timeout=30)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._migrate(file)
        except (OSError, sqlite3.Error) as error:
            said = f"{file}: the ledger cannot be used ({error}); name another folder with --state"
            raise FolderError(said) from None

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def handled(self, inbox: Path) -> dict[Path, tuple[int, int]]:
        """Give the last finished size and mtime_ns of every original, by path relative to the inbox."""
        rows = self._base.execute(
            "SELECT path, size, mtime_ns FROM attempt"
            " WHERE inbox = ? AND state IN ('done', 'review', 'failed') ORDER BY id",
            (os.fsencode(inbox),),
        )
        return {Path(os.fsdecode(path)): (size, mtime_ns) for path, size, mtime_ns in rows}

    def placing(
        self,
        inbox: Path,
        path: Path,
        identity: Identity,
        result: Path,
        result_inode: int,
        review: bool,
        confidence: float | None,
        reason: str,
    ) -> int:
        """Note that a result is about to appear; give the row for `finish`."""
        values = (
            *(os.fsencode(inbox), os.fsencode(path), identity.size, identity.mtime_ns),
            *(os.fsencode(result), result_inode, review, confidence, reason, time.time()),
        )
        cursor = self._base.execute(
            "INSERT INTO attempt (inbox, path, size, mtime_ns, state,"
            " result, result_inode, review, confidence, reason, at)"
            " VALUES (?, ?, ?, ?, 'placing', ?, ?, ?, ?, ?, ?)",
            values,
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def finish(self, row: int, state: State) -> None:
        """Note how an attempt that was placing has ended."""
        self._base.execute("UPDATE attempt SET state = ?, at = ? WHERE id = ?", (state, time.time(), row))

    def failed(self, inbox: Path, path: Path, identity: Identity, reason: str) -> None:
        """Note an attempt that failed."""
        values = (os.fsencode(inbox), os.fsencode(path), identity.size, identity.mtime_ns, reason, time.time())
        self._base.execute(
            "INSERT INTO attempt (inbox, path, size, mtime_ns, state, review, reason, at)"
            " VALUES (?, ?, ?, ?, 'failed', 0, ?, ?)",
            values,
        )

    def unfinished(self, inbox: Path) -> list[Placing]:
        """Give the attempts that were placing when an earlier daemon ended."""
        rows = self._base.execute(
            "SELECT id, path, size, mtime_ns, result, result_inode, review, reason FROM attempt"
            " WHERE inbox = ? AND state = 'placing' ORDER BY id",
            (os.fsencode(inbox),),
        )
        return [
            Placing(row, Path(os.fsdecode(path)), size, mtime, Path(os.fsdecode(result)), inode, bool(review), reason)
            for row, path, size, mtime, result, inode, review, reason in rows.fetchall()
        ]

    def _migrate(self, file: Path) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            said = f"{file}: was written by a newer bgwatch; update bgwatch or name another folder with --state"
            raise FolderError(said)
        if version == 0:
            for statement in TABLES.split(";\n"):
                self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version = {SCHEMA}")
        self._base.execute("COMMIT")
