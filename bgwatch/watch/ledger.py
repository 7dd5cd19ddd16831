"""What was done, across restarts: SQLite, one row for each attempt at a picture."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity
from bgwatch.place import make_folder
from bgwatch.watch.schema import migrate

DAY = 86_400.0  # seconds
PATIENCE = 3.0  # seconds for another process that writes

State = Literal["placing", "done", "review", "failed", "skipped", "again", "dropped"]
PLACED = ("done", "review")  # states of which there is a result
Kind = Literal["done", "review", "failed", "skipped", "again"]


@dataclass(frozen=True)
class Attempt:
    """What one attempt at a picture came to, or is about to.

    Attributes
    ----------
    inbox : Path
        The watched folder.
    original : Path
        The picture, relative to the inbox.
    identity : Identity
        The original as it was read.
    kind : {"done", "review", "failed", "skipped", "again"}
        What is to be noted once all is in place.
    place : Path
        Where the result is to appear, or the original that failed.
    inode : int
        Of what is to appear, which has it before and after.
    confidence : float or None
        Of the result.
    reason : str
        Why it is under review, has failed, was skipped or is tried again.
    seconds : float
        Time the work on the picture took.
    attempts : int
        How many there were, this one included.
    """

    inbox: Path
    original: Path
    identity: Identity
    kind: Kind
    place: Path
    inode: int
    confidence: float | None = None
    reason: str = ""
    seconds: float = 0.0
    attempts: int = 1


class Finished(NamedTuple):
    """What is remembered of an original that stays in the inbox and is not to be done again.

    Attributes
    ----------
    size : int
        In bytes.
    mtime_ns : int
        Time of its last change.
    digest : bytes or None
        Of its content, which decides where the time alone has changed, as it does over a network mount.
    """

    size: int
    mtime_ns: int
    digest: bytes | None


COLUMNS = (
    "inbox, path, device, original_inode, size, mtime_ns, kind, place, inode, confidence, reason, seconds, attempts"
)


class Ledger:
    """The memory of the daemon; every method raises FolderError when the file cannot be used.

    Parameters
    ----------
    file : Path
        The SQLite file; it is made if it is missing, and brought to the present schema if it is older.

    Raises
    ------
    FolderError
        When the file cannot be made or opened, or is from a newer bgwatch.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        make_folder(file.parent)
        with self._told():
            self._base = sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            migrate(self._base, file)
        self._version = self._data_version()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def begin(self, attempt: Attempt) -> int:
        """Note that something is about to appear; give the row for `finish`."""
        return self._insert(attempt, "placing", stays=False)

    def note(self, attempt: Attempt, stays: bool = False) -> None:
        """Note an attempt that puts nothing in place, and whether its original is not to be looked at again."""
        self._insert(attempt, attempt.kind, stays)

    def finish(
        self, row: int, state: State, stays: bool = False, put: Path | None = None, digest: bytes | None = None
    ) -> None:
        """Note how an attempt has ended: whether its original stays in the inbox, and where it is now."""
        values = (state, stays, None if put is None else os.fsencode(put), digest, time.time(), row)
        with self._told():
            if stays:  # of what stays one row is enough
                self._base.execute(
                    "UPDATE attempt SET stays = 0 WHERE stays AND id <> ?1"
                    " AND (inbox, path) = (SELECT inbox, path FROM attempt WHERE id = ?1)",
                    (row,),
                )
            self._base.execute(
                "UPDATE attempt SET state = ?, stays = ?, put = ?, digest = ?, at = ? WHERE id = ?", values
            )

    def staying(self, inbox: Path) -> dict[Path, Finished]:
        """Give the originals that are finished and stay in an inbox, by relative path."""
        rows = self._rows(
            "SELECT path, size, mtime_ns, digest FROM attempt WHERE inbox = ? AND stays ORDER BY id", inbox
        )
        return {Path(os.fsdecode(path)): Finished(*rest) for path, *rest in rows}

    def unfinished(self, inbox: Path) -> list[tuple[int, Attempt]]:
        """Give the rows and what was about to appear when an earlier daemon ended."""
        rows = self._rows(f"SELECT id, {COLUMNS} FROM attempt WHERE inbox = ? AND state = 'placing' ORDER BY id", inbox)
        return [(row, _attempt(values)) for row, *values in rows]

    def at(self, place: Path) -> tuple[int, Attempt, Path | None] | None:
        """Give the newest row of what was put in a place, the attempt, and where its original was put."""
        rows = self._rows(
            f"SELECT id, put, {COLUMNS} FROM attempt WHERE place = ? AND state NOT IN ('dropped', 'skipped')"
            " ORDER BY id DESC LIMIT 1",
            place,
        )
        return next(((row, _attempt(values), put and Path(os.fsdecode(put))) for row, put, *values in rows), None)

    def is_of_another(self, place: Path, inbox: Path, original: Path) -> bool:
        """Tell whether what was put in a place is known to have been made from another original than this one."""
        found = self.at(place)
        return found is not None and (found[1].inbox, found[1].original) != (inbox, original)

    def forget(self, inbox: Path, original: Path) -> bool:
        """Let an original that is finished and stays be done again; tell whether there was one."""
        with self._told(), self._base:
            self._base.execute("BEGIN IMMEDIATE")
            if found := self._stays_no_more(inbox, original):
                self._base.execute(
                    "INSERT INTO inbox VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET recalls = recalls + 1",
                    (os.fsencode(inbox),),
                )
        return found

    def recalls(self, inbox: Path) -> int:
        """Tell how often `forget` has found an original in an inbox; the daemon that remembers it has to follow."""
        rows = self._rows("SELECT recalls FROM inbox WHERE path = ?", inbox)
        return int(rows[0][0]) if rows else 0

    def retime(self, inbox: Path, found: Mapping[Path, Identity]) -> None:
        """Note that of originals that stay only the time has changed, so that their content need not be read again."""
        values = [
            (now.device, now.inode, now.mtime_ns, os.fsencode(inbox), os.fsencode(original))
            for original, now in found.items()
        ]
        with self._told(), self._base:
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany(
                "UPDATE attempt SET device = ?, original_inode = ?, mtime_ns = ?"
                " WHERE inbox = ? AND path = ? AND stays",
                values,
            )

    def accept(self, row: int, place: Path) -> None:
        """Note that a reviewed result was found good and put in place."""
        with self._told():
            self._base.execute("UPDATE attempt SET state = 'done', place = ? WHERE id = ?", (os.fsencode(place), row))

    def changed_by_others(self) -> bool:
        """Tell whether another process has written since this was last asked."""
        before, self._version = self._version, self._data_version()
        return before != self._version

    def prune(self, days: int, inboxes: Iterable[Path], overwriting: Collection[Path] = ()) -> int:
        """Forget what ended more than so many days ago, but never of an original that is still in its inbox.

        An inbox in which not one of its finished originals is found may be a disk that is not mounted: of such a
        one nothing that stays is forgotten.

        Parameters
        ----------
        days : int
            What ended longer ago is forgotten.
        inboxes : iterable of Path
            Those whose originals that stay are looked for.
        overwriting : collection of Path
            Inboxes whose results may be replaced: there it is not forgotten whose a result is that is in its place.

        Returns
        -------
        int
            How many attempts were forgotten.
        """
        before = time.time() - days * DAY
        with self._told():
            old = self._base.execute(
                "SELECT id, inbox, place, state FROM attempt WHERE at < ? AND NOT stays AND state <> 'placing'",
                (before,),
            ).fetchall()
            kept = {os.fsencode(inbox) for inbox in overwriting}
            gone = [
                (row,)
                for row, inbox, place, state in old
                if inbox not in kept or state not in PLACED or not os.path.lexists(place)
            ]
            count = max(0, self._base.executemany("DELETE FROM attempt WHERE id = ?", gone).rowcount)
        return count + sum(self._prune_staying(inbox, before) for inbox in inboxes)

    def _prune_staying(self, inbox: Path, before: float) -> int:
        staying = self.staying(inbox)
        gone = [original for original in staying if not os.path.lexists(inbox / original)]
        if len(gone) == len(staying):
            return 0
        with self._told():
            return self._base.executemany(
                "DELETE FROM attempt WHERE inbox = ? AND path = ? AND stays AND at < ?",
                [(os.fsencode(inbox), os.fsencode(original), before) for original in gone],
            ).rowcount

    def _insert(self, attempt: Attempt, state: State, stays: bool) -> int:
        now, of = time.time(), attempt.identity
        values = (
            *(os.fsencode(attempt.inbox), os.fsencode(attempt.original), of.device, of.inode, of.size, of.mtime_ns),
            *(attempt.kind, os.fsencode(attempt.place), attempt.inode, attempt.confidence),
            attempt.reason.encode("utf-8", "backslashreplace").decode(),  # names in it need not be text
            *(attempt.seconds, attempt.attempts, state, stays, now - attempt.seconds, now),
        )
        with self._told():
            if stays:
                self._stays_no_more(attempt.inbox, attempt.original)
            cursor = self._base.execute(
                f"INSERT INTO attempt ({COLUMNS}, state, stays, began, at) VALUES ({', '.join('?' * len(values))})",
                values,
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _stays_no_more(self, inbox: Path, original: Path) -> bool:
        changed = self._base.execute(
            "UPDATE attempt SET stays = 0 WHERE inbox = ? AND path = ? AND stays",
            (os.fsencode(inbox), os.fsencode(original)),
        ).rowcount
        return changed > 0

    def _rows(self, query: str, path: Path) -> list[tuple[Any, ...]]:
        with self._told():
            return self._base.execute(query, (os.fsencode(path),)).fetchall()

    def _data_version(self) -> int:
        with self._told():
            return int(self._base.execute("PRAGMA data_version").fetchone()[0])

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            held = "locked" in str(error)
            help_ = "another program holds it; end that" if held else "make room there, or name another with --state"
            said = f"{self._file}: the ledger cannot be used ({error}); {help_}"
            raise FolderError(said) from None


def _attempt(values: list[Any]) -> Attempt:
    inbox, path, device, inode, size, mtime_ns, kind, place, *rest = values
    identity = Identity(device, inode, size, mtime_ns)
    return Attempt(_path(inbox), _path(path), identity, kind, _path(place), *rest)


def _path(name: bytes) -> Path:
    return Path(os.fsdecode(name))
