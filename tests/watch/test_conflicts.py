"""What lies in the folders before and after, for each setting of ``on_conflict`` and ``done``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import opened
from watching import DOUBTFUL, Box

Draw = Callable[..., Path]


def shade(path: Path) -> object:
    """The colour of the disc, which tells pictures of different seeds apart."""
    return opened(path).getpixel((60, 60))[:3]


@pytest.mark.parametrize(
    ("on_conflict", "done", "after", "newest"),
    [
        ("number", "done", "out/a.png out/a-2.png out/done/a.jpg out/done/a-2.jpg", "out/a-2.png"),
        ("number", "keep", "in/a.jpg out/a.png out/a-2.png", "out/a-2.png"),
        ("number", "delete", "out/a.png out/a-2.png", "out/a-2.png"),
        ("overwrite", "done", "out/a.png out/done/a.jpg out/done/a-2.jpg", "out/a.png"),
        ("overwrite", "keep", "in/a.jpg out/a.png", "out/a.png"),
        ("overwrite", "delete", "out/a.png", "out/a.png"),
        ("skip", "done", "in/a.jpg out/a.png out/done/a.jpg", None),
        ("skip", "keep", "in/a.jpg out/a.png", None),
        ("skip", "delete", "in/a.jpg out/a.png", None),
    ],
)
def test_the_same_name_is_dropped_again(
    box: Box, draw: Draw, on_conflict: str, done: str, after: str, newest: str | None
) -> None:
    draw(box.inbox / "a.jpg", seed=1)
    assert box.once(on_conflict=on_conflict, done=done) == 0
    first = shade(box.outbox / "a.png")
    draw(box.inbox / "a.jpg", seed=2)
    assert box.once(on_conflict=on_conflict, done=done) == 0
    assert box.files() == set(after.split())
    assert shade(box.root / (newest or "out/a.png")) == (shade(draw(box.root / "b.jpg", seed=2)) if newest else first)
    assert box.once(on_conflict=on_conflict, done=done) == 1, "there is nothing left to do"
    assert box.files() == set(after.split())


@pytest.mark.parametrize(
    ("on_conflict", "after"),
    [
        ("number", "out/a.png out/a-2.png out/done/a.jpg out/done/a.png"),
        ("overwrite", "out/a.png out/a-2.png out/done/a.jpg out/done/a.png"),
        ("skip", "out/a.png out/done/a.jpg in/a.png"),
    ],
)
def test_another_original_wants_the_same_name(box: Box, draw: Draw, on_conflict: str, after: str) -> None:
    """No result is overwritten by another original's."""
    draw(box.inbox / "a.jpg", seed=1)
    draw(box.inbox / "a.png", seed=2)
    assert box.once(on_conflict=on_conflict) == 0
    assert box.files() == set(after.split())
    assert shade(box.outbox / "a.png") == shade(box.outbox / "done" / "a.jpg")


def test_overwriting_finds_its_own_number_again(box: Box, draw: Draw) -> None:
    for _ in range(2):
        draw(box.inbox / "a.jpg", seed=1)
        draw(box.inbox / "a.png", seed=2)
        assert box.once(on_conflict="overwrite", done="delete") == 0
        assert box.files() == {"out/a.png", "out/a-2.png"}
    assert shade(box.outbox / "a-2.png") == shade(draw(box.root / "b.png", seed=2))


@pytest.mark.parametrize(
    ("on_conflict", "after"),
    [
        ("number", {"out/review/a.png", "out/review/a.reason.txt", "out/review/a-2.png", "out/review/a-2.reason.txt"}),
        ("overwrite", {"out/review/a.png", "out/review/a.reason.txt"}),
    ],
)
def test_a_doubtful_result_again(box: Box, draw: Draw, on_conflict: str, after: set[str]) -> None:
    for seed in (1, 2):
        draw(box.inbox / "a.jpg", seed=seed)
        assert box.once(on_conflict=on_conflict, done="delete", **DOUBTFUL) == 0
    assert box.files() == after


@pytest.mark.parametrize("on_conflict", ["number", "overwrite", "skip"])
def test_a_failure_again_is_numbered_whatever_the_setting(box: Box, on_conflict: str) -> None:
    for text in ("first", "second"):
        (box.inbox / "a.jpg").write_text(text)
        assert box.once(on_conflict=on_conflict) == 1
    failed = box.outbox / "failed"
    assert {path.name for path in failed.iterdir()} == {*("a.jpg", "a.jpg.reason.txt", "a-2.jpg", "a-2.jpg.reason.txt")}
    assert [(failed / name).read_text() for name in ("a.jpg", "a-2.jpg")] == ["first", "second"]


def test_what_others_put_in_the_outbox_is_kept_when_numbering_and_skipping(box: Box, draw: Draw) -> None:
    box.outbox.mkdir()
    for on_conflict in ("number", "skip"):
        (box.outbox / "a.png").write_text("a person's")
        draw(box.inbox / "a.jpg")
        assert box.once(on_conflict=on_conflict) == 0
        assert (box.outbox / "a.png").read_text() == "a person's"
    assert box.files() == {"in/a.jpg", "out/a.png", "out/a-2.png", "out/done/a.jpg"}
