import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgwatch import place
from bgwatch.durable import make_folder, write_durably
from bgwatch.errors import FolderError
from bgwatch.numbering import fitting, numbered
from bgwatch.place import move, publish


def test_clashes_are_numbered_before_the_suffix(tmp_path: Path) -> None:
    assert numbered(tmp_path, "a.png") == tmp_path / "a.png"
    (tmp_path / "a.png").touch()
    (tmp_path / "a-2.png").symlink_to("nowhere")
    assert numbered(tmp_path, "a.png") == tmp_path / "a-3.png"
    assert numbered(tmp_path, "B.png", {str(tmp_path / "b.png").casefold()}) == tmp_path / "B-2.png"


@given(st.text(min_size=1, max_size=300).filter(lambda text: "/" not in text and "\0" not in text), st.integers(1, 99))
def test_a_name_never_outgrows_the_file_system(stem: str, number: int) -> None:
    tail = f"-{number}.png"
    try:
        name = fitting(stem, tail)
    except UnicodeEncodeError:
        assert any("\ud800" <= char <= "\udfff" for char in stem), "only lone surrogates that are no bytes may fail"
        return
    assert name.endswith(tail)
    assert len(name.encode("utf-8", "surrogateescape")) <= 255


def test_publishing_replaces_nothing_unasked(tmp_path: Path) -> None:
    for name in ("temporary", "target"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        publish(tmp_path / "temporary", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "target"
    publish(tmp_path / "temporary", tmp_path / "target", replace=True)
    assert (tmp_path / "target").read_text() == "temporary"
    with pytest.raises(FolderError, match="cannot be put in place"):
        publish(tmp_path / "gone", tmp_path / "other")


def test_an_original_that_changes_while_it_is_moved_to_another_disk_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was dropped under its name meanwhile is not deleted with it."""
    path, target = tmp_path / "a", tmp_path / "elsewhere" / "a"
    target.parent.mkdir()
    path.write_text("first")
    rename_new = place._rename_new

    def another_disk(source: Path, goal: Path) -> None:
        if source == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        path.write_text("second, and longer")
        rename_new(source, goal)

    monkeypatch.setattr(place, "_rename_new", another_disk)
    with pytest.raises(FolderError, match="it was changed while it was copied"):
        move(path, target, target.with_name("temporary"))
    assert path.read_text() == "second, and longer"
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def fsync(_: int) -> None:
        raise OSError(refusal, os.strerror(refusal))

    (tmp_path / "temporary").write_text("new")
    monkeypatch.setattr("os.fsync", fsync)
    publish(tmp_path / "temporary", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new"


def test_publishing_works_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    (tmp_path / "temporary").write_text("new")
    publish(tmp_path / "temporary", tmp_path / "target")
    assert (tmp_path / "target").read_text() == "new"
    (tmp_path / "temporary").write_text("newer")
    with pytest.raises(FileExistsError):
        publish(tmp_path / "temporary", tmp_path / "target")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match="cannot be written"):
        write_durably(b"x", tmp_path / "file" / "below")
    with pytest.raises(FolderError, match="cannot be written"):
        write_durably(b"x", tmp_path / "file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to fill a disk with")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def to_a_full_disk(path: object, flags: int, *mode: int) -> int:
        return real("/dev/full", os.O_WRONLY) if flags & os.O_CREAT else real(path, flags, *mode)

    monkeypatch.setattr(os, "open", to_a_full_disk)
    with pytest.raises(FolderError, match="No space left"):
        write_durably(b"x" * 100_000, tmp_path / "file")


def test_a_name_is_free_only_with_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert numbered(tmp_path, "a.png", beside=lambda path: path.with_suffix(".txt")) == tmp_path / "a-2.png"


def test_the_number_survives_what_long_names_are_cut_to(tmp_path: Path) -> None:
    """Cut at its end to make room for ``.reason.txt``, every number would give the same file beside."""

    def reason(path: Path) -> Path:
        return path.with_name(fitting(path.name, ".reason.txt"))

    for name in ("n" * 251 + ".jpg", "a." + "x" * 253):
        (tmp_path / name).touch()
        reason(tmp_path / name).touch()
        second = numbered(tmp_path, name, beside=reason)
        assert "-2" in reason(second).name
        second.touch()


def test_bytes_that_are_no_text_are_a_name_too() -> None:
    assert fitting("\udce9" * 255, ".png") == "\udce9" * 251 + ".png"


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="a file has its name"):
        make_folder(tmp_path / "file")


def test_moving_overwrites_nothing(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    os.utime(tmp_path / "one", (1, 1))
    with pytest.raises(FileExistsError):
        move(tmp_path / "one", tmp_path / "two", tmp_path / "temporary")
    assert (tmp_path / "two").read_text() == "two"
    move(tmp_path / "one", tmp_path / "three", tmp_path / "temporary")
    assert (tmp_path / "three").stat().st_mtime == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["three", "two"]


@pytest.fixture
def another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that hard links do not reach."""
    real: Callable[..., None] = os.link

    def link(path: Path, target: Path, **options: bool) -> None:
        if path.parent != target.parent:
            raise OSError(18, "Invalid cross-device link")
        real(path, target, **options)

    monkeypatch.setattr(os, "link", link)
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / "a").write_text("content")
    os.utime(tmp_path / "from" / "a", (1, 1))
    return tmp_path


def test_moving_to_another_disk_copies_first(another_disk: Path) -> None:
    tmp_path = another_disk
    move(tmp_path / "from" / "a", tmp_path / "to" / "a", tmp_path / "to" / ".temporary")
    assert (tmp_path / "to" / "a").read_text() == "content"
    assert (tmp_path / "to" / "a").stat().st_mtime == 1
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["from", "to", "to/a"]


def test_moving_replaces_where_it_is_asked_to(another_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one disk, and from another one by way of a copy."""
    real, there = Path.replace, another_disk / "to" / "a"

    def replace(self: Path, target: Path) -> None:
        if self.parent != target.parent:
            raise OSError(18, "Invalid cross-device link")
        real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    there.write_text("older")
    move(another_disk / "from" / "a", there, another_disk / "to" / ".temporary", replace=True)
    assert there.read_text() == "content"
    there.with_name("b").write_text("newer")
    move(there.with_name("b"), there, another_disk / "to" / ".temporary", replace=True)
    assert there.read_text() == "newer"
    assert sorted(str(path.relative_to(another_disk)) for path in another_disk.rglob("*")) == ["from", "to", "to/a"]


def test_a_file_that_cannot_go_to_another_disk_is_not_in_both(
    another_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, unlink = another_disk / "from" / "a", Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self == original:
            raise PermissionError(1, "Operation not permitted")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(FolderError, match=r"a: cannot be moved to .* \(Operation not permitted\)"):
        move(original, another_disk / "to" / "a", another_disk / "to" / ".temporary")
    assert original.read_text() == "content"
    assert list((another_disk / "to").iterdir()) == []


def test_a_file_that_cannot_be_moved_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("content")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(FolderError, match=r"a: cannot be moved to .* \(Operation not permitted\)"):
        move(tmp_path / "a", tmp_path / "b", tmp_path / "temporary")
    assert (tmp_path / "a").read_text() == "content"
