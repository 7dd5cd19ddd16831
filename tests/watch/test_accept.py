"""``bgwatch retry --accept``: what lies in the folders before and after, for each setting of ``on_conflict``."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from scenes import Ended
from watching import DOUBTFUL, Box

from bgwatch.imagefile import identity_of
from bgwatch.watch.filing import reason_of_doubt
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.records import Attempt

Draw = Callable[..., Path]
Bgwatch = Callable[..., Ended]


def made(box: Box, original: str, place: str, content: str) -> None:
    """Leave a result as a daemon does: the file, its reason, and what the ledger tells of it."""
    path = box.outbox / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    there = identity_of(path)
    assert there
    kind: Literal["review", "done"] = "review" if place.startswith("review") else "done"
    if kind == "review":
        reason_of_doubt(path).touch()
    ledger = Ledger(box.root / "state" / "ledger.sqlite")
    attempt = Attempt(box.inbox, Path(original), there, kind, path, there.inode)
    ledger.finish(ledger.begin(attempt), kind)
    ledger.close()


def an_older_result(box: Box) -> None:
    """It stands under the name of the same original."""
    made(box, "a.jpg", "a.png", "first")
    made(box, "a.jpg", "review/a.png", "reviewed")


def a_newer_result(box: Box) -> None:
    """The picture was taken once more, and came out well."""
    made(box, "a.jpg", "review/a.png", "reviewed")
    made(box, "a.jpg", "a.png", "first")


def anothers_result(box: Box) -> None:
    made(box, "a.jpg", "a.png", "first")
    made(box, "a.png", "review/a.png", "reviewed")


def anothers_and_an_older_result(box: Box) -> None:
    """The older one has the number that it was given because of the other's."""
    made(box, "a.jpg", "a.png", "first")
    made(box, "a.png", "a-2.png", "second")
    made(box, "a.png", "review/a.png", "reviewed")


def a_persons_file(box: Box) -> None:
    made(box, "a.jpg", "review/a.png", "reviewed")
    (box.outbox / "a.png").write_text("first")


def a_result_that_is_forgotten(box: Box) -> None:
    """With the ledger, which told whose it is."""
    an_older_result(box)
    shutil.rmtree(box.root / "state")


def two_under_review(box: Box) -> None:
    """Whose results want the same name."""
    made(box, "a.jpg", "review/a.png", "first")
    made(box, "a.png", "review/a-2.png", "reviewed")


REVIEW = {"out/review/a.png": "reviewed", "out/review/a.reason.txt": ""}
STAYS = {"out/a.png": "first", **REVIEW}
NUMBERED = {"out/a.png": "first", "out/a-2.png": "reviewed"}
REPLACED = {"out/a.png": "reviewed"}
BOTH = {"out/a.png": "first", "out/a-2.png": "second"}
IS_THERE = "out/a.png is there already, and on_conflict is skip; move one of them away"


@pytest.mark.parametrize(
    ("standing", "on_conflict", "after", "said"),
    [
        (an_older_result, "number", NUMBERED, ""),
        (an_older_result, "overwrite", REPLACED, ""),
        (an_older_result, "skip", STAYS, IS_THERE),
        (a_newer_result, "number", NUMBERED, ""),
        (a_newer_result, "overwrite", STAYS, "out/a.png is a newer result of the same picture; delete the one you do"),
        (a_newer_result, "skip", STAYS, IS_THERE),
        (anothers_result, "number", NUMBERED, ""),
        (anothers_result, "overwrite", NUMBERED, ""),
        (anothers_result, "skip", STAYS, IS_THERE),
        (anothers_and_an_older_result, "number", {**BOTH, "out/a-3.png": "reviewed"}, ""),
        (anothers_and_an_older_result, "overwrite", NUMBERED, ""),
        (anothers_and_an_older_result, "skip", {**BOTH, **REVIEW}, IS_THERE),
        (a_persons_file, "number", NUMBERED, ""),
        (a_persons_file, "overwrite", REPLACED, ""),
        (a_persons_file, "skip", STAYS, IS_THERE),
        (a_result_that_is_forgotten, "number", NUMBERED, ""),
        (a_result_that_is_forgotten, "overwrite", REPLACED, ""),
        (a_result_that_is_forgotten, "skip", STAYS, IS_THERE),
        (two_under_review, "number", NUMBERED, ""),
        (two_under_review, "overwrite", NUMBERED, ""),
        (
            two_under_review,
            "skip",
            {"out/a.png": "first", "out/review/a-2.png": "reviewed", "out/review/a-2.reason.txt": ""},
            IS_THERE,
        ),
    ],
)
def test_a_result_is_accepted_where_its_name_is_taken(
    box: Box,
    retry: Bgwatch,
    standing: Callable[[Box], None],
    on_conflict: str,
    after: dict[str, str],
    said: str,
) -> None:
    standing(box)
    ended = retry("--accept", on_conflict=on_conflict)
    assert said in ended.err
    assert (ended.code, bool(ended.err)) == (bool(said), bool(said))
    assert {name: (box.root / name).read_text() for name in box.files()} == after


def test_an_accepted_result_is_its_originals(box: Box, draw: Draw, retry: Bgwatch) -> None:
    """With a daemon before and after: the result that it has replaced is replaced in its turn."""
    for seed in (1, 2):
        draw(box.inbox / "a.jpg", seed=seed)
        box.once(done="delete", **({} if seed == 1 else DOUBTFUL))
    reviewed = (box.outbox / "review" / "a.png").read_bytes()
    assert retry("--accept", on_conflict="overwrite").code == 0
    assert (box.outbox / "a.png").read_bytes() == reviewed
    draw(box.inbox / "a.jpg", seed=1)
    assert box.once(on_conflict="overwrite", done="delete") == 0
    assert box.files() == {"out/a.png"}
    assert (box.outbox / "a.png").read_bytes() != reviewed


def test_a_result_is_accepted_as_it_is(box: Box, draw: Draw, retry: Bgwatch) -> None:
    draw(box.inbox / "sub" / "a.jpg")
    draw(box.inbox / "b.jpg")
    (box.inbox / "c.jpg").write_text("no picture")
    box.once(**DOUBTFUL)
    (box.outbox / "sub").mkdir(parents=True, exist_ok=True)
    (box.outbox / "sub" / "a.png").write_text("a person's")
    content = (box.outbox / "review" / "sub" / "a.png").read_bytes()
    ended = retry("--accept", box.inbox / "sub" / "a.jpg")
    assert (ended.code, ended.out) == (0, f"accepted: {box.outbox}/sub/a-2.png\n")
    assert (box.outbox / "sub" / "a-2.png").read_bytes() == content
    ended = retry("--accept", "c.jpg")
    assert ended.code == 1
    assert "has failed, and there is no result to accept; have it done again" in ended.err
    assert retry("--accept").out == f"accepted: {box.outbox}/b.png\n"
    assert {name for name in box.files() if "/review/" in name} == set()
    assert box.once() == 1, "nothing to do"
    draw(box.inbox / "b.jpg", seed=2)
    box.once(on_conflict="overwrite")
    assert "out/b-2.png" not in box.files(), "an accepted result is its original's"
