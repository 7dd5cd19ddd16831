"""``bgwatch retry --accept``: what lies in the folders before and after, for each setting of ``on_conflict``."""

from collections.abc import Callable, Sequence
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


# original, result and its content, in the order in which they came; nobody knows the original of a person's file
Standing = Sequence[tuple[str | None, str, str]]
REVIEWED = ("a.jpg", "review/a.png", "reviewed")
OLDER: Standing = [("a.jpg", "a.png", "first"), REVIEWED]
NEWER: Standing = [REVIEWED, ("a.jpg", "a.png", "first")]
PERSONS: Standing = [REVIEWED, (None, "a.png", "first")]
FORGOTTEN: Standing = [(None, "a.png", "first"), (None, "review/a.png", "reviewed")]
ANOTHERS: Standing = [("a.jpg", "a.png", "first"), ("a.png", "review/a.png", "reviewed")]
ANOTHERS_AND_OLDER: Standing = [ANOTHERS[0], ("a.png", "a-2.png", "second"), ANOTHERS[1]]
TWO_UNDER_REVIEW: Standing = [("a.jpg", "review/a.png", "first"), ("a.png", "review/a-2.png", "reviewed")]

REVIEW = {"out/review/a.png": "reviewed", "out/review/a.reason.txt": ""}
STAYS = {"out/a.png": "first", **REVIEW}
NUMBERED = {"out/a.png": "first", "out/a-2.png": "reviewed"}
REPLACED = {"out/a.png": "reviewed"}
BOTH = {"out/a.png": "first", "out/a-2.png": "second"}
IS_THERE = "out/a.png is there already, and on_conflict is skip; move one of them away"


def made(box: Box, original: str | None, place: str, content: str) -> None:
    """Leave a result as a daemon does: the file, its reason, and what the ledger tells of it."""
    path = box.outbox / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    there = identity_of(path)
    assert there
    kind: Literal["review", "done"] = "review" if place.startswith("review") else "done"
    if kind == "review":
        reason_of_doubt(path).touch()
    if original:
        ledger = Ledger(box.root / "state" / "ledger.sqlite")
        ledger.finish(ledger.begin(Attempt(box.inbox, Path(original), there, kind, path, there.inode)), kind)
        ledger.close()


@pytest.mark.parametrize(
    ("standing", "on_conflict", "after", "said"),
    [
        (OLDER, "number", NUMBERED, ""),
        (OLDER, "overwrite", REPLACED, ""),
        (OLDER, "skip", STAYS, IS_THERE),
        (NEWER, "number", NUMBERED, ""),
        (NEWER, "overwrite", STAYS, "out/a.png is a newer result of the same picture; delete the one you do"),
        (NEWER, "skip", STAYS, IS_THERE),
        (ANOTHERS, "number", NUMBERED, ""),
        (ANOTHERS, "overwrite", NUMBERED, ""),
        (ANOTHERS, "skip", STAYS, IS_THERE),
        (ANOTHERS_AND_OLDER, "number", {**BOTH, "out/a-3.png": "reviewed"}, ""),
        (ANOTHERS_AND_OLDER, "overwrite", NUMBERED, ""),
        (ANOTHERS_AND_OLDER, "skip", {**BOTH, **REVIEW}, IS_THERE),
        (PERSONS, "number", NUMBERED, ""),
        (PERSONS, "overwrite", REPLACED, ""),
        (PERSONS, "skip", STAYS, IS_THERE),
        (FORGOTTEN, "number", NUMBERED, ""),
        (FORGOTTEN, "overwrite", REPLACED, ""),
        (FORGOTTEN, "skip", STAYS, IS_THERE),
        (TWO_UNDER_REVIEW, "number", NUMBERED, ""),
        (TWO_UNDER_REVIEW, "overwrite", NUMBERED, ""),
        (
            TWO_UNDER_REVIEW,
            "skip",
            {"out/a.png": "first", "out/review/a-2.png": "reviewed", "out/review/a-2.reason.txt": ""},
            IS_THERE,
        ),
    ],
)
def test_a_result_is_accepted_where_its_name_is_taken(
    box: Box,
    retry: Bgwatch,
    standing: Standing,
    on_conflict: str,
    after: dict[str, str],
    said: str,
) -> None:
    for original, place, content in standing:
        made(box, original, place, content)
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
