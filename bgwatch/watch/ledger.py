"""What was done, across restarts: SQLite, one row for each attempt at a picture."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bgwatch.durable import make_folder
from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity
from bgwatch.watch.records import COLUMNS, Attempt, Finished, State, attempt_of
from bgwatch.watch.schema import carry_over, migrate

DAY = 86_400.0  # seconds
PATIENCE = 3.0  # seconds for another process that writes
PLACED = ("done", "review")  # states of which there is a result

Placed = tuple[int, Attempt, Path | None]


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

    Attributes
    ----------
    file : Path
        As above.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._shift = 0  # how much greater the numbers of the rows are than those that were given out
        self._base, self._there = self._opened()
        self._version = self._data_version()

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    @property
    def lost(self) -> bool:
        """Whether the file was deleted, or another one put in its place; what is noted now goes with this process."""
        try:
            return not os.path.samestat(self.file.stat(), self._there)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # it cannot be told
            return False

    def rescue(self, inboxes: Collection[Path]) -> None:
        """Go on in a new file, or in the one that lies there now, with all that was noted in the one that is lost.

        Parameters
        ----------
        inboxes : collection of Path
            Those that this process watches; what another one has noted there of its own is left as it is.
        """
        base, there = self._opened()
        try:
            with self._told():
                self._shift += carry_over(self._base, base, [os.fsencode(inbox) for inbox in inboxes])
        except BaseException:
            base.close()
            raise
        self._base.close()
        self._base, self._there = base, there
        self._version = self._data_version()

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
        row += self._shift
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
        return [(row - self._shift, attempt_of(values)) for row, *values in rows]

    def at(self, place: Path) -> Placed | None:
        """Give the newest row of what was put in a place, the attempt, and where its original was put."""
        return self._placed("place = ? ORDER BY id DESC", place)

    def is_of_another(self, place: Path, inbox: Path, original: Path) -> bool:
        """Tell whether what was put in a place is known to have been made from another original than this one.

        So is what lies in the folder of another one's series, and a folder in which there is a result of another one.
        """
        found = (self.at(place), self.at(place.parent), self._first_in(place))
        return any(one and (one[1].inbox, one[1].original) != (inbox, original) for one in found)

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
            self._base.execute(
                "UPDATE attempt SET state = 'done', place = ? WHERE id = ?", (os.fsencode(place), row + self._shift)
            )

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
        return cursor.lastrowid - self._shift

    def _opened(self) -> tuple[sqlite3.Connection, os.stat_result]:
        make_folder(self.file.parent)
        with self._told(), contextlib.ExitStack() as stack:
            base = sqlite3.connect(self.file, isolation_level=None, timeout=PATIENCE)
            stack.callback(base.close)
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA synchronous = FULL")
            migrate(base, self.file)
            there = self.file.stat()
            stack.pop_all()
        return base, there

    def _first_in(self, folder: Path) -> Placed | None:
        first, beyond = (f"{folder}{mark}" for mark in (os.sep, chr(ord(os.sep) + 1)))
        return self._placed("place > ? AND place < ? ORDER BY place", first, beyond)

    def _placed(self, where: str, *paths: Path | str) -> Placed | None:
        """Give the first row of those that put something in place, the attempt, and where its original was put."""
        rows = self._rows(
            f"SELECT id, put, {COLUMNS} FROM attempt WHERE state NOT IN ('dropped', 'skipped') AND {where} LIMIT 1",
            *paths,
        )
        for row, put, *values in rows:
            return row - self._shift, attempt_of(values), put and Path(os.fsdecode(put))
        return None

    def _stays_no_more(self, inbox: Path, original: Path) -> bool:
        changed = self._base.execute(
            "UPDATE attempt SET stays = 0 WHERE inbox = ? AND path = ? AND stays",
            (os.fsencode(inbox), os.fsencode(original)),
        ).rowcount
        return changed > 0

    def _rows(self, query: str, *paths: Path | str) -> list[tuple[Any, ...]]:
        with self._told():
            return self._base.execute(query, [os.fsencode(path) for path in paths]).fetchall()

    def _data_version(self) -> int:
        with self._told():
            return int(self._base.execute("PRAGMA data_version").fetchone()[0])

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            held = "locked" in str(error)
            help_ = "another program holds it; end that" if held else "make room there, or name another with --state"
            said = f"{self.file}: the ledger cannot be used ({error}); {help_}"
            raise FolderError(said) from None
