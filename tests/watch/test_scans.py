"""Pictures of several pages in a watched folder: one folder of numbered results, whole and once."""

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


def test_what_a_kill_left_of_a_series_is_swept(box: Box) -> None:
    leftover = Filing(places(Folder(inbox=str(box.inbox), outbox=str(box.outbox)))).temporary()
    leftover.mkdir(parents=True)
    (leftover / "a-1.png").touch()
    scan(box.inbox / "a.tif")
    assert box.once(frames="all") == 0
    assert box.files() == series("out/a") | {"out/done/a.tif"}
    assert not list(box.outbox.glob(".bgwatch*"))
