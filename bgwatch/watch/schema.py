"""The tables of the ledger, and how those of an older bgwatch are brought up to date."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

from bgwatch.errors import FolderError

# each brings the file from one version of the schema to the next
MIGRATIONS = (
    """
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
""",
    """
-- device, original_inode: of the original as it was read
ALTER TABLE attempt ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN original_inode INTEGER NOT NULL DEFAULT 0;
-- began, at: when it began and ended; seconds: the work on the picture; attempts: this one included
ALTER TABLE attempt ADD COLUMN began REAL NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
-- put: where the original is now; digest: of one that stays
ALTER TABLE attempt ADD COLUMN put BLOB;
ALTER TABLE attempt ADD COLUMN digest BLOB;
CREATE INDEX attempt_place ON attempt (place);
CREATE INDEX attempt_at ON attempt (at);
""",
    """
-- by path too: what is noted of one that stays must not cost the more, the more of them there are
DROP INDEX attempt_stays;
CREATE INDEX attempt_stays ON attempt (inbox, path) WHERE stays;
-- recalls: how often a person has had an original done again that stays in the inbox
CREATE TABLE inbox (
    path BLOB PRIMARY KEY,
    recalls INTEGER NOT NULL
) WITHOUT ROWID;
""",
)


def migrate(base: sqlite3.Connection, file: Path) -> None:
    """Bring the tables to the present version, all or nothing.

    Raises
    ------
    FolderError
        When they were made by a newer bgwatch.
    """
    base.execute("BEGIN IMMEDIATE")
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        said = "was written by a newer bgwatch; update bgwatch or name another folder with --state"
        raise FolderError(f"{file}: {said}")
    if version < len(MIGRATIONS):
        for statement in ";\n".join(MIGRATIONS[version:]).split(";\n"):
            base.execute(statement)
        base.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    base.execute("COMMIT")


def carry_over(old: sqlite3.Connection, new: sqlite3.Connection, inboxes: Collection[bytes]) -> int:
    """Write what one ledger holds into another, all or nothing.

    Parameters
    ----------
    old, new : Connection
        Both with the present tables.
    inboxes : collection of bytes
        Of these the old ledger knows best. Rows of other inboxes that the new one has are left as they are.

    Returns
    -------
    int
        How much greater the numbers of the rows are in the new ledger.
    """
    with new:
        new.execute("BEGIN IMMEDIATE")
        shift = int(new.execute("SELECT coalesce(max(id), 0) FROM attempt").fetchone()[0])
        kept = {inbox for (inbox,) in new.execute("SELECT DISTINCT inbox FROM attempt")}.difference(inboxes)
        new.executemany("DELETE FROM attempt WHERE inbox = ?", [(inbox,) for inbox in inboxes])
        rows = old.execute("SELECT * FROM attempt ORDER BY id")
        marks = ", ".join("?" * len(rows.description))
        new.executemany(
            f"INSERT INTO attempt VALUES ({marks})",
            ((row + shift, inbox, *rest) for row, inbox, *rest in rows if inbox not in kept),
        )
        new.executemany("INSERT OR REPLACE INTO inbox VALUES (?, ?)", old.execute("SELECT path, recalls FROM inbox"))
    return shift
