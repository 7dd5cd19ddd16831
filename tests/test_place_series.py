"""Folders of numbered results into their places."""

import errno
import os
from pathlib import Path

import pytest

from bgwatch import place
from bgwatch.durable import discard, write_series
from bgwatch.errors import FolderError
from bgwatch.place import move, publish


def pages(folder: Path, *contents: str) -> Path:
    folder.mkdir(parents=True)
    for number, content in enumerate(contents, 1):
        (folder / f"a-{number}.png").write_text(content)
    return folder


def contents(folder: Path) -> list[str]:
    return [file.read_text() for file in sorted(folder.iterdir())]


def test_a_series_is_put_in_place_whole_and_over_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.frames"
    publish(pages(tmp_path / "one.tmp", "1", "2"), target)
    with pytest.raises(FileExistsError):
        publish(pages(tmp_path / "two.tmp", "3"), target)
    publish(tmp_path / "two.tmp", target, replace=True)
    assert contents(target) == ["3"]
    (target / "notes.txt").write_text("mine")
    for replacing in (pages(tmp_path / "three.tmp", "4"), tmp_path / "four.tmp"):
        replacing.touch()
        with pytest.raises(FolderError, match=r"a\.frames: cannot be put in place"):
            publish(replacing, target, replace=True)
    assert contents(target) == ["3", "mine"]
    assert {path.name for path in tmp_path.iterdir()} == {"a.frames", "three.tmp", "four.tmp"}


def test_a_series_that_cannot_be_replaced_stays(tmp_path: Path) -> None:
    """What was put aside comes back."""
    target = pages(tmp_path / "a.frames", "old")
    with pytest.raises(FolderError, match="cannot be put in place"):
        publish(tmp_path / "gone.tmp", target, replace=True)
    assert contents(target) == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_two_that_replace_one_series_at_once_are_told_of_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And may try again; nothing is left of what both replace."""
    target, rename = pages(tmp_path / "a.frames", "old"), Path.rename
    path, others = pages(tmp_path / "one.tmp", "1"), pages(tmp_path / "two.tmp", "2")

    def late(self: Path, goal: Path) -> Path:
        if self == path:
            rename(others, target)
        return rename(self, goal)

    with monkeypatch.context() as racing:
        racing.setattr(Path, "rename", late)
        with pytest.raises(FileExistsError):
            publish(path, target, replace=True)
    assert contents(target) == ["2"]
    publish(path, target, replace=True)
    assert contents(target) == ["1"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("there", [False, True])
def test_a_series_moves_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    path, target = pages(tmp_path / "in" / "a.frames", "1", "2"), tmp_path / "out" / "a.frames"
    target.parent.mkdir()
    if there:
        pages(target, "old")
    name = "_replace" if there else "_rename_new"
    rename = getattr(place, name)

    def another_disk(source: Path, goal: Path, **how: Path) -> None:
        if source == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, goal, **how)

    monkeypatch.setattr(place, name, another_disk)
    move(path, target, target.with_name(".temporary.tmp"), replace=there)
    assert contents(target) == ["1", "2"]
    assert not list(path.parent.iterdir())
    assert list(target.parent.iterdir()) == [target]


def test_a_series_that_changes_while_it_is_moved_to_another_disk_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = pages(tmp_path / "in" / "a.frames", "1", "2"), tmp_path / "out" / "a.frames"
    target.parent.mkdir()
    rename_new = place._rename_new

    def another_disk(source: Path, goal: Path) -> None:
        if source == path:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        (path / "a-2.png").write_text("touched up by a person")
        rename_new(source, goal)

    monkeypatch.setattr(place, "_rename_new", another_disk)
    with pytest.raises(FolderError, match="it was changed while it was copied"):
        move(path, target, target.with_name(".temporary.tmp"))
    assert contents(path) == ["1", "touched up by a person"]
    assert not list(target.parent.iterdir())


@pytest.mark.parametrize("other", ["folder", "file"])
def test_a_series_whose_place_is_taken_at_the_last_moment_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """As by another process, which has looked and found it free as well."""
    rename, target = Path.rename, tmp_path / "a.frames"

    def late(self: Path, goal: Path) -> Path:
        if other == "folder":
            pages(target, "another's")
        else:
            target.write_text("another's")
        return rename(self, goal)

    path = pages(tmp_path / "one.tmp", "1")
    monkeypatch.setattr(Path, "rename", late)
    with pytest.raises(FileExistsError):
        publish(path, target)
    assert contents(path) == ["1"]
    assert (contents(target) if other == "folder" else [target.read_text()]) == ["another's"]


def test_a_series_that_the_other_disk_has_no_room_for_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = pages(tmp_path / "in" / "a.frames", "1", "2"), tmp_path / "out" / "a.frames"
    target.parent.mkdir()

    def another_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(place, "_rename_new", another_disk)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(FolderError, match=r"cannot be moved to .*out \(No space left on device\)"):
        move(path, target, target.with_name(".temporary.tmp"))
    assert contents(path) == ["1", "2"]
    assert not list(target.parent.iterdir())


def test_a_disk_that_is_full_is_told_by_the_folder_that_a_person_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not by a hidden one, of another name at each try."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FolderError) as told:
        write_series([("a-1.png", b"1"), ("a-2.png", b"2")], tmp_path / ".temporary.tmp")
    assert str(told.value) == f"{tmp_path}: writing failed (No space left on device); make room and try again"


def test_no_other_folder_is_ever_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is taken for a temporary: a job that has none has the current folder for one."""
    monkeypatch.chdir(pages(tmp_path / "work", "1"))
    for path in (Path(), Path.cwd(), tmp_path, pages(tmp_path / "a.frames", "1") / "..", tmp_path / "gone"):
        discard(path)
    assert contents(tmp_path / "work") == contents(tmp_path / "a.frames") == ["1"]
    discard(tmp_path / "a.frames")
    assert not (tmp_path / "a.frames").exists()
