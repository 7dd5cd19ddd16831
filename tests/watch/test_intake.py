import os
from pathlib import Path

import pytest

from bgwatch.imagefile import identity_of
from bgwatch.watch.intake import Intake, is_original


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        *[(name, True) for name in ("a.jpg", "A.PNG", "noname", "-x.jpg", "a b.tmp.jpg", "notes.txt")],
        *[(name, False) for name in (".a.jpg", "Thumbs.db", "desktop.ini", "a.jpg.part", "a.JPG.crdownload", "a.tmp")],
        *[
            (name, False)
            for name in ("a.jpg~", "~$a.jpg", ".~lock.a", ".syncthing.a.jpg.tmp", "a.filepart", "a.partial")
        ],
    ],
)
def test_copies_under_way_are_left_alone(name: str, taken: bool) -> None:
    assert is_original(name) is taken


def settled(intake: Intake) -> list[Path]:
    """Everything that is handed out now."""
    intake.scan()
    intake.settle()
    return list(iter(intake.take, None))


def test_an_original_is_handed_out_once_until_it_is_released(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jpg").write_text("x")
    intake = Intake(tmp_path, 0.0, {})
    assert settled(intake) == [Path("sub/a.jpg")]
    assert settled(intake) == []
    assert not intake.idle
    assert intake.release(Path("sub/a.jpg")) == identity_of(tmp_path / "sub" / "a.jpg")
    assert intake.idle
    assert settled(intake) == [Path("sub/a.jpg")]


def test_what_is_finished_and_stays_is_not_handed_out_until_it_changes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("x")
    status = (tmp_path / "a.jpg").stat()
    intake = Intake(tmp_path, 0.0, {Path("a.jpg"): (status.st_size, status.st_mtime_ns)})
    assert settled(intake) == []
    (tmp_path / "a.jpg").write_text("longer")
    assert settled(intake) == [Path("a.jpg")]


def test_hints_from_elsewhere_are_ignored_and_of_folders_followed(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    (inbox / "sub").mkdir(parents=True)
    (inbox / "sub" / "a.jpg").write_text("x")
    (tmp_path / "b.jpg").write_text("x")
    intake = Intake(inbox, 0.0, {})
    intake.follow(tmp_path / "b.jpg")
    assert intake.idle
    intake.follow(inbox / "sub")
    intake.settle()
    assert intake.take() == Path("sub/a.jpg")


def test_what_has_gone_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("x")
    intake = Intake(tmp_path, 3600.0, {})
    intake.scan()
    (tmp_path / "a.jpg").unlink()
    intake.follow(tmp_path / "a.jpg")
    assert intake.idle


def test_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.jpg").write_text("x")
    intake = Intake(tmp_path, 0.0, {})
    intake.follow(tmp_path / ".git" / "a.jpg")
    assert settled(intake) == []


def test_what_is_finished_does_not_keep_the_loop_awake(tmp_path: Path) -> None:
    """A copy that sets the old time at its end is the finished file again, and is not followed any more."""
    path = tmp_path / "a.jpg"
    path.write_text("x")
    os.utime(path, (1, 1))
    intake = Intake(tmp_path, 3600.0, {Path("a.jpg"): (1, 1_000_000_000)})
    os.utime(path, (2, 2))
    intake.scan()
    assert not intake.idle
    os.utime(path, (1, 1))
    intake.follow(path)
    assert intake.idle
    assert intake.next_due() is None
