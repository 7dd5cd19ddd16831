import sqlite3
from pathlib import Path

import pytest

from bgwatch.errors import FolderError
from bgwatch.watch.ledger import Ledger, Placing

INBOX = Path("/in")
NAME = Path("sub/caf\udce9\n.jpg")  # a name that is not UTF-8
PLACING = Placing(INBOX, NAME, 300, 4_000_000_000, "review", Path("/out/x.png"), 77, 0.25, "doubtful")


def test_what_was_placing_is_known_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    row = ledger.begin(PLACING)
    ledger.close()
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    assert ledger.unfinished(INBOX) == [(row, PLACING)]
    assert ledger.unfinished(Path("/other")) == []
    ledger.finish(row, "review")
    assert ledger.unfinished(INBOX) == []
    ledger.close()


def test_only_originals_that_stay_are_remembered_as_finished(tmp_path: Path) -> None:
    """One that has left the inbox and comes back, with the same name, size and time, is to be done again."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.finish(ledger.begin(PLACING), "review")
    assert ledger.staying(INBOX) == {}
    ledger.finish(ledger.begin(PLACING), "review", stays=True)
    assert ledger.staying(INBOX) == {NAME: (300, 4_000_000_000)}
    assert ledger.staying(Path("/other")) == {}
    ledger.close()


def test_a_ledger_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match=r"file: cannot be made \(a file has its name\)"):
        Ledger(tmp_path / "file" / "ledger.sqlite")
    (tmp_path / "text.sqlite").write_text("this is no database, and long enough to be looked at" * 40)
    with pytest.raises(FolderError, match=r"the ledger cannot be used .*not a database.* --state"):
        Ledger(tmp_path / "text.sqlite")


def test_a_ledger_that_breaks_later_is_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.close()
    for use in (lambda: ledger.begin(PLACING), lambda: ledger.finish(1, "done"), lambda: ledger.staying(INBOX)):
        with pytest.raises(FolderError, match=r"ledger\.sqlite: the ledger cannot be used"):
            use()


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "ledger.sqlite")
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(FolderError, match="newer bgwatch"):
        Ledger(tmp_path / "ledger.sqlite")
