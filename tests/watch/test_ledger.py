import sqlite3
from pathlib import Path

import pytest

from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity
from bgwatch.watch.ledger import Ledger

INBOX = Path("/in")
NAME = Path("sub/caf\udce9\n.jpg")  # a name that is not UTF-8
FILE = Identity(1, 2, 300, 4_000_000_000)


def test_what_was_placing_is_known_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    row = ledger.placing(INBOX, NAME, FILE, Path("/out/x.png"), 77, True, 0.25, "doubtful")
    ledger.close()
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    (left,) = ledger.unfinished(INBOX)
    assert (left.row, left.path, left.size, left.mtime_ns) == (row, NAME, 300, 4_000_000_000)
    assert (left.result, left.result_inode, left.review, left.reason) == (Path("/out/x.png"), 77, True, "doubtful")
    assert ledger.unfinished(Path("/other")) == []
    assert ledger.handled(INBOX) == {}
    ledger.finish(row, "review")
    assert ledger.unfinished(INBOX) == []
    assert ledger.handled(INBOX) == {NAME: (300, 4_000_000_000)}
    ledger.close()


def test_the_last_attempt_at_a_name_counts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.failed(INBOX, NAME, FILE, "broken")
    again = Identity(1, 2, 301, 5)
    ledger.finish(ledger.placing(INBOX, NAME, again, Path("/out/x.png"), 7, False, 0.9, ""), "done")
    ledger.finish(ledger.placing(INBOX, Path("b"), again, Path("/out/b.png"), 8, False, 0.9, ""), "dropped")
    assert ledger.handled(INBOX) == {NAME: (301, 5)}
    ledger.close()


def test_a_ledger_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match=r"the ledger cannot be used .* --state"):
        Ledger(tmp_path / "file" / "ledger.sqlite")
    (tmp_path / "text.sqlite").write_text("this is no database, and long enough to be looked at" * 40)
    with pytest.raises(FolderError, match="not a database"):
        Ledger(tmp_path / "text.sqlite")


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "ledger.sqlite")
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(FolderError, match="newer bgwatch"):
        Ledger(tmp_path / "ledger.sqlite")
