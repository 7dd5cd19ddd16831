"""``bgwatch retry`` on what a daemon has put aside, with and without a daemon running."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended
from watching import DOUBTFUL, Box, appears, called, meanwhile, places_of, until

from bgwatch.errors import FolderError
from bgwatch.watch import service as service_module
from bgwatch.watch import watched as watched_module
from bgwatch.watch.filing import Filing

Draw = Callable[..., Path]
Bgwatch = Callable[..., Ended]


def test_a_failure_goes_back_to_the_inbox(box: Box, draw: Draw, retry: Bgwatch) -> None:
    """All of them without a name; the reason goes, the number that the name was given too."""
    for _ in range(2):
        draw(box.inbox / "sub" / "a.jpg")
        draw(box.inbox / "b.jpg")
        assert box.once(max_pixels=10) == 1
    ended = retry("sub/a.jpg")
    assert (ended.code, ended.out, ended.err) == (
        1,
        "to be done again: sub/a.jpg\n",
        f"{box.inbox}/sub/a.jpg: another picture of that name is there; wait until it is done\n",
    )
    assert box.once() == 0
    ended = retry()
    assert ended.code == 1
    assert ended.out.splitlines() == ["to be done again: b.jpg", "to be done again: sub/a.jpg"]
    assert box.once() == 0
    assert retry().code == 0
    assert box.once() == 0
    assert box.files() == {
        *("out/sub/a.png", "out/sub/a-2.png", "out/b.png", "out/b-2.png"),
        *("out/done/sub/a.jpg", "out/done/sub/a-2.jpg", "out/done/b.jpg", "out/done/b-2.jpg"),
    }
    ended = retry()
    assert (ended.code, ended.err) == (1, "nothing to do: nothing has failed or is under review\n")
    (box.inbox / "c.jpg").write_text("no picture")
    box.once()
    ended = retry("--accept")
    assert (ended.code, ended.err) == (1, "nothing to do: nothing is under review\n")


@pytest.mark.parametrize("done", ["done", "keep"])
def test_a_reviewed_picture_is_done_again(box: Box, draw: Draw, retry: Bgwatch, done: str) -> None:
    draw(box.inbox / "sub" / "a.jpg")
    assert box.once(done=done, **DOUBTFUL) == 0
    ended = retry("a.png", done=done)
    assert (ended.code, ended.out) == (0, "to be done again: sub/a.jpg\n")
    assert box.files() == {"in/sub/a.jpg"}
    assert box.once(done=done) == 0
    assert box.files() == {"out/sub/a.png", "in/sub/a.jpg" if done == "keep" else "out/done/sub/a.jpg"}


def test_a_reviewed_picture_whose_original_has_gone_is_told(box: Box, draw: Draw, retry: Bgwatch) -> None:
    draw(box.inbox / "a.jpg")
    draw(box.inbox / "b.jpg")
    assert box.once(done="delete", **DOUBTFUL) == 0
    before = box.files()
    ended = retry(done="delete")
    assert ended.code == 1
    assert ended.err.count("was deleted (done: delete); accept the result or put the picture in again") == 2
    (box.root / "state" / "ledger.sqlite").unlink()
    ended = retry("a.png", done="delete")
    assert f"its original is not known; put it into {box.inbox} yourself" in ended.err
    assert box.files() == before


def test_two_inboxes_that_share_an_outbox_are_told_apart(box: Box, draw: Draw, bgwatch: Bgwatch) -> None:
    settings = box.root / "c.yaml"
    entries = [f"  - {{inbox: {box.root / name}, outbox: {box.outbox}, max_pixels: 10}}\n" for name in ("in", "in2")]
    settings.write_text("settle_seconds: 0.05\nfolders:\n" + "".join(entries))
    draw(box.root / "in" / "a.jpg")
    draw(box.root / "in2" / "b.jpg")
    call = ("-c", settings, "--state", box.root / "state")
    assert bgwatch("watch", "--once", *call).code == 1
    ended = bgwatch("retry", *call)
    assert (ended.code, ended.err) == (0, "")
    assert (box.root / "in" / "a.jpg").exists()
    assert (box.root / "in2" / "b.jpg").exists()


def test_after_something_was_owed_a_retried_picture_is_done_again(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the daemon that owed it: what it remembers of the original goes when the rest is done."""
    monkeypatch.setattr(watched_module, "CHECK", 0.02)
    draw(box.inbox / "a.jpg")
    done = box.outbox / "done"
    where = places_of(box)
    service = box.service(**DOUBTFUL)
    real = Filing.put_away

    def refuse(self: Filing, original: Path) -> Path | None:
        raise FolderError("a.jpg: cannot be moved (Operation not permitted); check both folders")

    def person() -> None:
        appears(box.outbox / "review" / "a.reason.txt")
        until(lambda: service._watched[0].outcomes.owed)
        monkeypatch.setattr(Filing, "put_away", real)
        appears(done / "a.jpg")
        until(lambda: not service._watched[0].outcomes.owed)
        assert called("retry", "a.jpg", *where).code == 0
        appears(box.outbox / "review" / "a.reason.txt")
        appears(done / "a.jpg")

    monkeypatch.setattr(Filing, "put_away", refuse)
    assert meanwhile(service, person) == 0
    assert box.files() == {"out/review/a.png", "out/review/a.reason.txt", "out/done/a.jpg"}


def test_a_name_so_long_that_it_would_be_its_own_reason_is_numbered(box: Box, retry: Bgwatch) -> None:
    """Nothing is written over the original."""
    name = "n" * 244 + ".reason.txt"
    (box.inbox / name).write_text("no picture")
    assert box.once() == 1
    assert retry().out == f"to be done again: {name}\n"
    assert box.files() == {f"in/{name}"}
    assert (box.inbox / name).read_text() == "no picture"


def test_a_name_that_nothing_has_is_told(box: Box, draw: Draw, retry: Bgwatch) -> None:
    box.once()
    ended = retry("x.jpg")
    assert (ended.code, ended.err) == (1, "x.jpg: nothing of that name has failed or is under review\n")


def test_a_running_daemon_does_again_what_stays_in_its_inbox(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by the ledger alone: no file changes."""
    monkeypatch.setattr(service_module, "BEAT", 0.02)
    draw(box.inbox / "a.jpg")
    where = places_of(box, done="keep")

    def person() -> None:
        appears(box.outbox / "a.png")
        until(lambda: called("retry", "a.jpg", *where).code == 0)
        appears(box.outbox / "a-2.png")

    assert meanwhile(box.service(done="keep"), person) == 0
    assert box.files() == {"in/a.jpg", "out/a.png", "out/a-2.png"}
