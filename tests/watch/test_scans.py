"""Pictures of several pages in a watched folder: one folder of numbered results, whole and once."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scenes import Ended, disc
from watching import DOUBTFUL, Box

from bgwatch.settings import Folder
from bgwatch.watch.filing import Filing
from bgwatch.watch.places import places

Bgwatch = Callable[..., Ended]


def scan(path: Path, count: int = 2) -> Path:
    first, *others = [disc(seed=seed) for seed in range(count)]
    path.parent.mkdir(parents=True, exist_ok=True)
    first.save(path, "TIFF", save_all=True, append_images=others)
    return path


def series(*folders: str, count: int = 2) -> set[str]:
    return {f"{folder}.frames/a-{number}.png" for folder in folders for number in range(1, count + 1)}


@pytest.mark.parametrize(
    ("on_conflict", "after"),
    [
        ("number", series("out/a", "out/a-2") | {"out/done/a.tif", "out/done/a-2.tif"}),
        ("overwrite", series("out/a") | {"out/done/a.tif", "out/done/a-2.tif"}),
        ("skip", series("out/a", count=3) | {"out/done/a.tif", "in/a.tif"}),
    ],
)
def test_the_same_name_is_dropped_again(box: Box, on_conflict: str, after: set[str]) -> None:
    scan(box.inbox / "a.tif", 3 if on_conflict != "number" else 2)
    assert box.once(frames="all", on_conflict=on_conflict) == 0
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", on_conflict=on_conflict) == 0
    assert box.files() == after
    assert box.unfinished() == []


def test_subfolders_are_mirrored_and_a_folder_of_a_persons_is_left(box: Box) -> None:
    (box.outbox / "sub" / "a.frames").mkdir(parents=True)
    (box.outbox / "sub" / "a.frames" / "notes.txt").write_text("a person's")
    scan(box.inbox / "sub" / "a.tif")
    assert box.once(frames="each", on_conflict="overwrite", done="delete") == 0
    assert box.files() == {"out/sub/a.frames/notes.txt"} | series("out/sub/a-2")


def test_the_log_says_what_was_left_out(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    scan(box.inbox / "a.tif")
    assert box.once() == 0
    (line,) = [message for message in caplog.messages if "a.tif -> " in message]
    assert line.endswith(" s); note: only the first of 2 frames or pages was taken")


def test_a_page_that_fails_fails_the_picture(box: Box) -> None:
    whole = scan(box.root / "whole.tif").read_bytes()
    (box.inbox / "a.tif").write_bytes(whole[: -len(whole) // 5])
    assert box.once(frames="each") == 1
    assert box.files() == {"out/failed/a.tif", "out/failed/a.tif.reason.txt"}


@pytest.mark.parametrize(("on_conflict", "place"), [("number", "a-2"), ("overwrite", "a"), ("skip", None)])
def test_a_doubtful_series_is_accepted(box: Box, retry: Bgwatch, on_conflict: str, place: str | None) -> None:
    scan(box.inbox / "a.tif", 3)
    assert box.once(frames="all", done="delete") == 0
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", done="delete", **DOUBTFUL) == 0
    reviewed = series("out/review/a") | {"out/review/a.reason.txt"}
    assert box.files() == series("out/a", count=3) | reviewed
    ended = retry("--accept", on_conflict=on_conflict, frames="all")
    if place is None:
        assert "out/a.frames is there already, and on_conflict is skip" in ended.err
        assert box.files() == series("out/a", count=3) | reviewed
    else:
        assert ended.out == f"accepted: {box.outbox / place}.frames\n"
        kept = set() if on_conflict == "overwrite" else series("out/a", count=3)
        assert box.files() == kept | series(f"out/{place}")


@pytest.mark.parametrize("names", [(), ("a.frames",), ("a.tif",)])
def test_a_doubtful_series_is_done_again(box: Box, retry: Bgwatch, names: Sequence[str]) -> None:
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", **DOUBTFUL) == 0
    assert retry(*names, frames="all").out == "to be done again: a.tif\n"
    assert box.files() == {"in/a.tif"}
    assert box.once(frames="all") == 0
    assert box.files() == series("out/a") | {"out/done/a.tif"}


def test_a_retry_that_is_stopped_midway_leaves_no_half_of_a_series(
    box: Box, retry: Bgwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could tell it from a whole one, and it would be accepted."""
    scan(box.inbox / "sub" / "a.tif")
    assert box.once(frames="all", **DOUBTFUL) == 0

    def stopped(folder: Path) -> None:
        next(folder.iterdir()).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr("shutil.rmtree", stopped)
        assert retry(frames="all").code == 130
    assert not (box.outbox / "review" / "sub" / "a.frames").exists()
    assert box.once(frames="all") == 0
    assert box.files() - {"out/review/sub/a.reason.txt"} == series("out/sub/a") | {"out/done/sub/a.tif"}


def test_what_an_accepting_leaves_that_is_stopped_midway_is_swept(
    box: Box, retry: Bgwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(box.inbox / "a.tif", 3)
    assert box.once(frames="all", done="delete") == 0
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", done="delete", on_conflict="overwrite", **DOUBTFUL) == 0

    def stopped(folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr("shutil.rmtree", stopped)
        assert retry("--accept", frames="all", on_conflict="overwrite").code == 130
    box.once(frames="all")
    assert box.files() == series("out/a") | {"out/review/a.reason.txt"}


@pytest.mark.parametrize("on_conflict", ["number", "overwrite", "skip"])
def test_what_a_person_lays_into_a_doubtful_series_is_kept(box: Box, retry: Bgwatch, on_conflict: str) -> None:
    """It is not done again, with the note deleted, and accepted with the note."""
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", **DOUBTFUL) == 0
    reviewed = box.outbox / "review" / "a.frames"
    (reviewed / "notes.txt").touch()
    before = box.files()
    ended = retry(frames="all", on_conflict=on_conflict)
    said = "has other files in it than results; take them out, or accept it"
    assert (ended.code, ended.err, box.files()) == (1, f"{reviewed}: {said}\n", before)
    ended = retry("--accept", frames="all", on_conflict=on_conflict)
    assert ended.out == f"accepted: {box.outbox}/a.frames\n"
    assert box.files() == series("out/a") | {"out/a.frames/notes.txt", "out/done/a.tif"}


def test_a_mirrored_folder_under_review_is_no_series(box: Box, retry: Bgwatch, draw: Callable[..., Path]) -> None:
    """Though it is called like that of a picture beside it."""
    draw(box.inbox / "a.png")
    draw(box.inbox / "a.frames" / "b.png")
    assert box.once(frames="all", **DOUBTFUL) == 0
    ended = retry("--accept", frames="all")
    assert (ended.code, ended.err) == (0, "")
    assert box.files() == {"out/a.png", "out/a.frames/b.png", "out/done/a.png", "out/done/a.frames/b.png"}


@pytest.mark.parametrize("first", ["a.tif", "a.frames"])
def test_a_series_and_the_results_of_a_mirrored_folder_of_its_name_leave_each_other(
    box: Box, draw: Callable[..., Path], first: str
) -> None:
    """Asked to overwrite, too: never another original's result."""
    drops = [lambda: scan(box.inbox / "a.tif"), lambda: draw(box.inbox / "a.frames" / "a-1.png", seed=9)]
    for drop in drops if first == "a.tif" else reversed(drops):
        drop()
        assert box.once(frames="all", on_conflict="overwrite", done="delete") == 0
    if first == "a.tif":
        assert box.files() == series("out/a") | {"out/a.frames/a-1-2.png"}
    else:
        assert box.files() == series("out/a-2") | {"out/a.frames/a-1.png"}


def test_a_file_in_the_place_of_a_series_stays(box: Box) -> None:
    box.outbox.mkdir()
    (box.outbox / "a.frames").write_text("a person's")
    scan(box.inbox / "a.tif")
    assert box.once(frames="all", on_conflict="overwrite", done="delete") == 0
    assert box.files() == series("out/a-2") | {"out/a.frames"}


def test_what_a_kill_left_of_a_series_is_swept(box: Box) -> None:
    leftover = Filing(places(Folder(inbox=str(box.inbox), outbox=str(box.outbox)))).temporary()
    leftover.mkdir(parents=True)
    (leftover / "a-1.png").touch()
    scan(box.inbox / "a.tif")
    assert box.once(frames="all") == 0
    assert box.files() == series("out/a") | {"out/done/a.tif"}
    assert not list(box.outbox.glob(".bgwatch*"))


def test_what_cannot_be_swept_is_no_hindrance(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when another user has run the daemon before."""
    leftover = Filing(places(Folder(inbox=str(box.inbox), outbox=str(box.outbox)))).temporary()
    leftover.mkdir(parents=True)
    (leftover / "a-1.png").touch()

    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    scan(box.inbox / "a.tif")
    with monkeypatch.context() as refusing:
        refusing.setattr("shutil.rmtree", refuse)
        assert box.once(frames="all") == 0
    assert box.files() == series("out/a") | {"out/done/a.tif", f"out/{leftover.name}/a-1.png"}
