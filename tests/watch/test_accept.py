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

NUMBERED = {"out/a.png": "first", "out/a-2.png": "reviewed"}
REPLACED = {"out/a.png": "reviewed"}


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


def contents(box: Box) -> dict[str, str]:
    """Read every file of the box."""
    return {name: (box.root / name).read_text() for name in box.files()}


@pytest.mark.parametrize(
    ("standing", "on_conflict", "after"),
    [
        *((standing, "number", NUMBERED) for standing in (OLDER, NEWER, ANOTHERS, PERSONS, FORGOTTEN)),
        (ANOTHERS_AND_OLDER, "number", {"out/a.png": "first", "out/a-2.png": "second", "out/a-3.png": "reviewed"}),
        (TWO_UNDER_REVIEW, "number", NUMBERED),
        *((standing, "overwrite", REPLACED) for standing in (OLDER, PERSONS, FORGOTTEN)),
        *((standing, "overwrite", NUMBERED) for standing in (ANOTHERS, ANOTHERS_AND_OLDER, TWO_UNDER_REVIEW)),
    ],
)
def test_a_result_is_accepted_where_its_name_is_taken(
    box: Box, retry: Bgwatch, standing: Standing, on_conflict: str, after: dict[str, str]
) -> None:
    for result in standing:
        made(box, *result)
    ended = retry("--accept", on_conflict=on_conflict)
    assert (ended.code, ended.err) == (0, "")
    assert contents(box) == after


SKIPPED = "out/a.png is there already, and on_conflict is skip; move one of them away"


@pytest.mark.parametrize(
    ("standing", "on_conflict", "said"),
    [
        *((standing, "skip", SKIPPED) for standing in (OLDER, NEWER, ANOTHERS, ANOTHERS_AND_OLDER, PERSONS, FORGOTTEN)),
        (NEWER, "overwrite", "out/a.png is a newer result of the same picture; delete the one you do"),
    ],
)
def test_a_result_that_is_not_accepted_stays_where_it_is(
    box: Box, retry: Bgwatch, standing: Standing, on_conflict: str, said: str
) -> None:
    for result in standing:
        made(box, *result)
    before = contents(box)
    ended = retry("--accept", on_conflict=on_conflict)
    assert ended.code == 1
    assert said in ended.err
    assert contents(box) == before


def test_the_second_of_two_under_review_stays_where_it_is(box: Box, retry: Bgwatch) -> None:
    for result in TWO_UNDER_REVIEW:
        made(box, *result)
    ended = retry("--accept", on_conflict="skip")
    assert ended.code == 1
    assert SKIPPED in ended.err
    assert contents(box) == {
        "out/a.png": "first",
        "out/review/a-2.png": "reviewed",
        "out/review/a-2.reason.txt": "",
    }


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
