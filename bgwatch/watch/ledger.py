"""What was done, across restarts: SQLite, one row for each attempt at a picture."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bgwatch.errors import FolderError
from bgwatch.place import make_folder

SCHEMA = 1
State = Literal["placing", "done", "review", "failed", "dropped"]
Kind = Literal["done", "review", "failed"]

TABLES = """
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    inbox BLOB NOT NULL,            -- paths are bytes: names need not be text
    path BLOB NOT NULL,             -- of the original, below the inbox
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    state TEXT NOT NULL,            -- placing: something is about to appear; the others are final
    kind TEXT NOT NULL,             -- the state it is to end in
    stays INTEGER NOT NULL,         -- the original is finished and stays in the inbox
    place BLOB NOT NULL,            -- where the result appears, or the original that failed
    inode INTEGER NOT NULL,         -- of what appears there, and has it already
    confidence REAL,
    reason TEXT NOT NULL,
    at REAL NOT NULL                -- seconds since the epoch, for people only
);
CREATE INDEX attempt_stays ON attempt (inbox) WHERE stays;
CREATE INDEX attempt_placing ON attempt (inbox) WHERE state = 'placing';
"""


@dataclass(frozen=True)
class Placing:
    """Something that is about to appear in its place: a result, or an original that failed.

    Attributes
    ----------
    inbox : Path
        The watched folder.
    original : Path
        The picture, relative to the inbox.
    size, mtime_ns : int
        The original as it was read.
    kind : {"done", "review", "failed"}
        What is to be noted once all is in place.
    place : Path
        Where it is to appear.
    inode : int
        Its inode, which it has before and after.
    confidence : float or None
        Of the result.
    reason : str
        Why it is under review or has failed.
    """

    inbox: Path
    original: Path
    size: int
    mtime_ns: int
    kind: Kind
    place: Path
    inode: int
    confidence: float | None
    reason: str


class Ledger:
    """The memory of the daemon; every method raises FolderError when the file cannot be used.

    Raises
    ------
    FolderError
        When the file cannot be made or opened, or is from a newer bgwatch.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        make_folder(file.parent)
        with self._told():
            self._base = sqlite3.connect(file, isolation_level=None, timeout=30)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._migrate()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def begin(self, placing: Placing) -> int:
        """Note that something is about to appear; give the row for `finish`."""
        values = (
            *(os.fsencode(placing.inbox), os.fsencode(placing.original), placing.size, placing.mtime_ns),
            *(placing.kind, os.fsencode(placing.place), placing.inode, placing.confidence, placing.reason, time.time()),
        )
        with self._told():
            cursor = self._base.execute(
                "INSERT INTO attempt (inbox, path, size, mtime_ns, state, stays,"
                " kind, place, inode, confidence, reason, at)"
                " VALUES (?, ?, ?, ?, 'placing', 0, ?, ?, ?, ?, ?, ?)",
                values,
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def finish(self, row: int, state: State, stays: bool = False) -> None:
        """Note how an attempt has ended, and whether its original stays in the inbox."""
        with self._told():
            self._base.execute(
                "UPDATE attempt SET state = ?, stays = ?, at = ? WHERE id = ?", (state, stays, time.time(), row)
            )

    def staying(self, inbox: Path) -> dict[Path, tuple[int, int]]:
        """Give size and mtime_ns of the originals that are finished and stay in an inbox, by relative path."""
        with self._told():
            rows = self._base.execute(
                "SELECT path, size, mtime_ns FROM attempt WHERE inbox = ? AND stays ORDER BY id",
                (os.fsencode(inbox),),
            ).fetchall()
        return {Path(os.fsdecode(path)): (size, mtime_ns) for path, size, mtime_ns in rows}

    def unfinished(self, inbox: Path) -> list[tuple[int, Placing]]:
        """Give the rows and what was about to appear when an earlier daemon ended."""
        with self._told():
            rows = self._base.execute(
                "SELECT id, path, size, mtime_ns, kind, place, inode, confidence, reason FROM attempt"
                " WHERE inbox = ? AND state = 'placing' ORDER BY id",
                (os.fsencode(inbox),),
            ).fetchall()
        return [
            (row, Placing(inbox, Path(os.fsdecode(path)), size, mtime, kind, Path(os.fsdecode(place)), *rest))
            for row, path, size, mtime, kind, place, *rest in rows
        ]

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            said = f"{self._file}: the ledger cannot be used ({error}); make room there, or name another with --state"
            raise FolderError(said) from None

    def _migrate(self) -> None:
        self._base.execute("BEGIN IMMEDIATE")
        version = self._base.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            said = "was written by a newer bgwatch; update bgwatch or name another folder with --state"
            raise FolderError(f"{self._file}: {said}")
        if version == 0:
            for statement in TABLES.split(";\n"):
                self._base.execute(statement)
            self._base.execute(f"PRAGMA user_version = {SCHEMA}")
        self._base.execute("COMMIT")
