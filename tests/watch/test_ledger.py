import shutil
import sqlite3
from pathlib import Path

import pytest

from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity
from bgwatch.watch import ledger as ledger_module
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.records import Attempt
from bgwatch.watch.schema import MIGRATIONS

INBOX = Path("/in")
NAME = Path("sub/caf\udce9\n.jpg")  # a name that is not UTF-8
READ = Identity(9, 8, 300, 4_000_000_000)
PLACE = Path("/out/x.png")
ATTEMPT = Attempt(INBOX, NAME, READ, "review", PLACE, 77, 0.25, "doubtful", 0.5, 2)


def test_what_was_placing_is_known_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    row = ledger.begin(ATTEMPT)
    ledger.close()
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    assert ledger.unfinished(INBOX) == [(row, ATTEMPT)]
    assert ledger.unfinished(Path("/other")) == []
    ledger.finish(row, "review")
    assert ledger.unfinished(INBOX) == []
    ledger.close()


def test_only_originals_that_stay_are_remembered_as_finished(tmp_path: Path) -> None:
    """One that has left the inbox and comes back, with the same name, size and time, is to be done again."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.finish(ledger.begin(ATTEMPT), "review")
    assert ledger.staying(INBOX) == {}
    ledger.finish(ledger.begin(ATTEMPT), "review", stays=True)
    assert ledger.staying(INBOX) == {NAME: (300, 4_000_000_000, None)}
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
    for use in (lambda: ledger.begin(ATTEMPT), lambda: ledger.finish(1, "done"), lambda: ledger.staying(INBOX)):
        with pytest.raises(FolderError, match=r"ledger\.sqlite: the ledger cannot be used"):
            use()


def test_a_newer_ledger_is_left_alone(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "ledger.sqlite")
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(FolderError, match="newer bgwatch"):
        Ledger(tmp_path / "ledger.sqlite")


def test_an_older_ledger_is_brought_up_to_date(tmp_path: Path) -> None:
    """The rows of schema 1: what stays is not done again, what was begun is finished."""
    base = sqlite3.connect(tmp_path / "ledger.sqlite")
    base.executescript(MIGRATIONS[0])
    row = "INSERT INTO attempt VALUES (?, x'2f696e', ?, 300, 4000000000, ?, 'done', ?, x'2f6f', 77, 0.5, '', 1.0)"
    base.execute(row, (1, b"stays.jpg", "done", 1))
    base.execute(row, (2, b"begun.jpg", "placing", 0))
    base.execute("PRAGMA user_version = 1")
    base.commit()
    base.close()
    for _ in range(2):
        ledger = Ledger(tmp_path / "ledger.sqlite")
        assert ledger.staying(INBOX) == {Path("stays.jpg"): (300, 4_000_000_000, None)}
        [(number, attempt)] = ledger.unfinished(INBOX)
        assert (number, attempt.original, attempt.inode, attempt.attempts) == (2, Path("begun.jpg"), 77, 1)
        ledger.close()


def test_of_what_stays_a_new_time_is_noted_and_nothing_else(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for path in (NAME, Path("other.jpg")):
        row = ledger.begin(Attempt(INBOX, path, READ, "done", PLACE, 77))
        ledger.finish(row, "done", stays=True, digest=b"same")
    ledger.retime(INBOX, {NAME: Identity(9, 11, 300, 5_000_000_000), Path("unknown.jpg"): READ})
    assert ledger.staying(INBOX) == {
        NAME: (300, 5_000_000_000, b"same"),
        Path("other.jpg"): (300, 4_000_000_000, b"same"),
    }
    ledger.close()


def test_no_statement_reads_all_rows(tmp_path: Path) -> None:
    """What one picture costs must not grow with the pictures before it, nor with those of other inboxes."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    base = ledger._base
    statements: list[str] = []
    base.set_trace_callback(statements.append)
    row = ledger.begin(ATTEMPT)
    ledger.finish(row, "review", stays=True)
    ledger.note(ATTEMPT, stays=True)
    ledger.retime(INBOX, {NAME: READ})
    ledger.accept(row, PLACE)
    ledger.forget(INBOX, NAME)
    for ask in (ledger.staying, ledger.unfinished, ledger.at, ledger.recalls):
        ask(INBOX)
    ledger.prune(1, [INBOX])
    base.set_trace_callback(None)
    planned = [statement for statement in statements if statement.startswith(("SELECT", "UPDATE", "DELETE"))]
    plans = {statement: base.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in planned}
    assert len(plans) == 10
    assert {statement for statement, plan in plans.items() if "SCAN" in str(plan)} == set()
    by_path = [plan for statement, plan in plans.items() if statement.startswith("UPDATE") and "path" in statement]
    assert len(by_path) == 3
    assert all("attempt_stays (inbox=? AND path=?)" in str(plan) for plan in by_path), by_path
    ledger.close()


def test_what_stays_has_one_row_whatever_happens_to_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for digest in (b"old", b"new"):
        ledger.finish(ledger.begin(ATTEMPT), "done", stays=True, put=INBOX / NAME, digest=digest)
    assert ledger.staying(INBOX) == {NAME: (300, 4_000_000_000, b"new")}
    assert ledger.recalls(INBOX) == 0
    assert ledger.forget(INBOX, NAME)
    assert ledger.staying(INBOX) == {}
    assert not ledger.forget(INBOX, NAME)
    assert (ledger.recalls(INBOX), ledger.recalls(Path("/other"))) == (1, 0)
    ledger.close()


def test_a_place_tells_whose_result_it_holds(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.at(PLACE) is None
    row = ledger.begin(ATTEMPT)
    ledger.finish(row, "review", put=Path("/out/done/x.jpg"))
    ledger.finish(ledger.begin(ATTEMPT), "dropped")
    assert ledger.at(PLACE) == (row, ATTEMPT, Path("/out/done/x.jpg"))
    ledger.accept(row, Path("/out/y.png"))
    assert ledger.at(PLACE) is None
    assert ledger.at(Path("/out/y.png"))
    ledger.close()


def test_old_rows_are_forgotten_but_not_of_originals_in_place(tmp_path: Path) -> None:
    """An inbox in which nothing known is found may not be mounted."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def done(name: str, stays: bool) -> None:
        ledger.finish(ledger.begin(Attempt(inbox, Path(name), READ, "done", PLACE, 1)), "done", stays)

    for name in ("there.jpg", "gone.jpg"):
        done(name, stays=True)
    done("left.jpg", stays=False)
    ledger.begin(ATTEMPT)
    assert ledger.prune(30, [inbox]) == 0, "nothing is that old"
    assert ledger.prune(0, [inbox]) == 1, "of an empty inbox only what had left it"
    assert set(ledger.staying(inbox)) == {Path("there.jpg"), Path("gone.jpg")}
    (inbox / "there.jpg").touch()
    assert ledger.prune(0, [inbox]) == 1
    assert set(ledger.staying(inbox)) == {Path("there.jpg")}
    assert ledger.unfinished(INBOX), "what is begun is never forgotten"
    ledger.close()


def test_where_results_may_be_replaced_it_is_not_forgotten_whose_they_are(tmp_path: Path) -> None:
    place = tmp_path / "a.png"
    place.touch()
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.finish(ledger.begin(Attempt(INBOX, NAME, READ, "done", place, 1)), "done")
    assert ledger.prune(0, [INBOX], overwriting=[INBOX]) == 0
    assert ledger.at(place)
    place.unlink()
    assert ledger.prune(0, [INBOX], overwriting=[INBOX]) == 1
    ledger.close()


def test_a_ledger_that_another_program_holds_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "PATIENCE", 0.01)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FolderError, match=r"database is locked\); another program holds it; end that"):
        ledger.begin(ATTEMPT)
    other.close()
    ledger.begin(ATTEMPT)
    ledger.close()


def test_a_ledger_that_is_deleted_is_written_anew(tmp_path: Path) -> None:
    """The rows that were given out before hold, and so does what was noted between the loss and the rescue."""
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    ledger.finish(ledger.begin(ATTEMPT), "review", stays=True, digest=b"read")
    row = ledger.begin(ATTEMPT)
    assert not ledger.lost
    shutil.rmtree(tmp_path / "state")
    assert ledger.lost
    late = ledger.begin(ATTEMPT)
    ledger.rescue([INBOX])
    assert not ledger.lost
    ledger.finish(row, "dropped")
    ledger.close()
    again = Ledger(tmp_path / "state" / "ledger.sqlite")
    assert again.unfinished(INBOX) == [(late, ATTEMPT)]
    assert again.staying(INBOX) == {NAME: (300, 4_000_000_000, b"read")}
    again.close()


def test_two_daemons_whose_ledger_is_deleted_keep_what_each_has_noted(tmp_path: Path) -> None:
    """The first to see it carries all over, and the second one its own, under other numbers."""
    file, elsewhere = tmp_path / "state" / "ledger.sqlite", Path("/other")
    ours, theirs = Ledger(file), Ledger(file)
    their_attempt = Attempt(elsewhere, NAME, READ, "done", Path("/other-out/x.png"), 5)
    our_row, their_row = ours.begin(ATTEMPT), theirs.begin(their_attempt)
    shutil.rmtree(file.parent)
    ours.rescue([INBOX])
    assert [attempt for _, attempt in ours.unfinished(elsewhere)] == [their_attempt], "should the other one have ended"
    ours.note(ATTEMPT)
    later = theirs.begin(their_attempt)
    theirs.rescue([elsewhere])
    assert theirs.at(their_attempt.place) == (later, their_attempt, None)
    theirs.finish(their_row, "done", stays=True)
    theirs.finish(later, "dropped")
    theirs.accept(their_row, PLACE.with_name("moved.png"))
    ours.finish(our_row, "review")
    for ledger in (ours, theirs):
        assert [ledger.unfinished(inbox) for inbox in (INBOX, elsewhere)] == [[], []]
        assert set(ledger.staying(elsewhere)) == {NAME}
        assert ledger.at(PLACE.with_name("moved.png"))
    rows = ours._base.execute("SELECT inbox, state FROM attempt ORDER BY id").fetchall()
    assert rows == [(b"/in", "review"), (b"/in", "review"), (b"/other", "done"), (b"/other", "dropped")]
    ours.close()
    theirs.close()


def test_a_ledger_that_cannot_be_written_anew_is_used_as_long_as_it_lasts(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "state").touch()
    for _ in range(2):
        assert ledger.lost
        with pytest.raises(FolderError, match=r"state: cannot be made \(a file has its name\)"):
            ledger.rescue([INBOX])
    ledger.begin(ATTEMPT)
    (tmp_path / "state").unlink()
    ledger.rescue([INBOX])
    assert len(ledger.unfinished(INBOX)) == 1
    ledger.close()


def test_changes_by_another_process_are_noticed(tmp_path: Path) -> None:
    ours, theirs = Ledger(tmp_path / "ledger.sqlite"), Ledger(tmp_path / "ledger.sqlite")
    ours.begin(ATTEMPT)
    assert not ours.changed_by_others()
    theirs.begin(ATTEMPT)
    assert ours.changed_by_others()
    assert not ours.changed_by_others()
    ours.close()
    theirs.close()
