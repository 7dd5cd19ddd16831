import os
from pathlib import Path

import pytest

from bgwatch.imagefile import identity_of
from bgwatch.watch import intake as intake_module
from bgwatch.watch.intake import Intake, digest_of, is_original
from bgwatch.watch.records import Finished


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


def scan(intake: Intake) -> None:
    for _ in intake.scan():
        pass


def settled(intake: Intake) -> list[Path]:
    """Everything that is handed out now."""
    scan(intake)
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
    intake = Intake(tmp_path, 0.0, {Path("a.jpg"): Finished(status.st_size, status.st_mtime_ns, None)})
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
    scan(intake)
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
    intake = Intake(tmp_path, 3600.0, {Path("a.jpg"): Finished(1, 1_000_000_000, None)})
    os.utime(path, (2, 2))
    scan(intake)
    assert not intake.idle
    os.utime(path, (1, 1))
    intake.follow(path)
    assert intake.idle
    assert intake.next_due() is None


def test_of_what_stays_the_content_decides_where_only_the_time_has_changed(tmp_path: Path) -> None:
    """As over a network mount whose times are coarser: it is read once, not at each change."""
    path = tmp_path / "a.jpg"
    path.write_text("same")
    os.utime(path, ns=(1, 1_234_567_890))
    intake = Intake(tmp_path, 0.0, {Path("a.jpg"): Finished(4, 1_234_567_890, digest_of(path))})
    os.utime(path, ns=(1, 1_000_000_000))
    assert settled(intake) == []
    path.write_text("diff")
    assert settled(intake) == [Path("a.jpg")]


def test_no_more_are_followed_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest stays in the inbox, and is wanted once half of the room is free again."""
    monkeypatch.setattr(intake_module, "WAITING", 4)
    for name in "abcdef":
        (tmp_path / f"{name}.jpg").write_text("x")
    intake = Intake(tmp_path, 0.0, {})
    assert [path.stem for path in settled(intake)] == list("abcd")
    for name in "abc":
        intake.release(Path(f"{name}.jpg"))
        (tmp_path / f"{name}.jpg").unlink()
    assert intake.wants_scan
    assert not intake.idle
    assert [path.stem for path in settled(intake)] == list("ef")
    assert not intake.wants_scan


def test_what_is_put_off_waits_until_its_time_or_a_change(tmp_path: Path) -> None:
    for name in ("soon.jpg", "late.jpg", "changed.jpg"):
        (tmp_path / name).write_text("x")
    intake = Intake(tmp_path, 0.0, {})
    for original in settled(intake):
        intake.put_off(original, intake.release(original), 0.0 if original.stem == "soon" else 3600.0)
    (tmp_path / "changed.jpg").write_text("longer")
    intake.settle()
    assert set(settled(intake)) == {Path("changed.jpg"), Path("soon.jpg")}
    assert not intake.idle
