"""The whole service in this process, with real files, real events and real workers."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scenes import opened
from watching import Box, appears, meanwhile, until

from bgwatch.errors import FolderError, SettingsError
from bgwatch.imagefile import Identity
from bgwatch.job import Outcome
from bgwatch.watch import intake as intake_module
from bgwatch.watch import service as service_module
from bgwatch.watch import watched as watched_module
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.outcomes import Outcomes
from bgwatch.watch.records import Attempt

Draw = Callable[..., Path]


def test_everything_finds_its_place(box: Box, draw: Draw) -> None:
    draw(box.inbox / "a.jpg")
    draw(box.inbox / "sub" / "a.jpg")
    draw(box.inbox / "done" / "a.jpg")
    Image.new("RGB", (30, 30), "red").save(box.inbox / "plain.png")
    (box.inbox / "text.jpg").write_text("no picture")
    (box.inbox / "urls.csv").write_text("img\nhttp://example.org/a.jpg\n")
    (box.inbox / ".hidden.jpg").write_text("left alone")
    (box.inbox / "a.jpg.part").write_text("left alone")
    assert box.once() == 1
    assert box.files() == {
        "in/.hidden.jpg",
        "in/a.jpg.part",
        "out/a.png",
        "out/sub/a.png",
        "out/done-2/a.png",
        "out/done/a.jpg",
        "out/done/sub/a.jpg",
        "out/done/done/a.jpg",
        "out/done/plain.png",
        "out/review/plain.png",
        "out/review/plain.reason.txt",
        "out/failed/text.jpg",
        "out/failed/text.jpg.reason.txt",
        "out/failed/urls.csv",
        "out/failed/urls.csv.reason.txt",
    }
    assert opened(box.outbox / "a.png").mode == "RGBA"
    assert "nothing stands out" in (box.outbox / "review" / "plain.reason.txt").read_text()
    assert "not a picture bgwatch reads" in (box.outbox / "failed" / "text.jpg.reason.txt").read_text()


def test_exit_codes_of_once(box: Box, draw: Draw) -> None:
    assert box.once() == 1, "nothing to do"
    draw(box.inbox / "a.jpg")
    assert box.once() == 0


def test_names_that_clash_are_numbered_in_the_order_of_the_inbox(box: Box, draw: Draw) -> None:
    for number, suffix in enumerate(("bmp", "jpg", "png", "tif")):
        draw(box.inbox / f"a.{suffix}", seed=number)
    assert box.once() == 0
    for number, (name, original) in enumerate([("a", "bmp"), ("a-2", "jpg"), ("a-3", "png"), ("a-4", "tif")]):
        result = opened(box.outbox / f"{name}.png").getpixel((60, 60))[:3]
        source = opened(box.outbox / "done" / f"a.{original}").getpixel((60, 60))
        assert result == source, f"{number}: {name}"


def test_the_same_name_again_is_done_again(box: Box, draw: Draw) -> None:
    draw(box.inbox / "a.jpg", seed=1)
    box.once()
    draw(box.inbox / "a.jpg", seed=2)
    box.once()
    assert box.files() == {"out/a.png", "out/a-2.png", "out/done/a.jpg", "out/done/a-2.jpg"}


def test_originals_that_stay_are_done_once_and_again_when_changed(box: Box, draw: Draw) -> None:
    draw(box.inbox / "a.jpg", seed=1)
    assert box.once(done="keep") == 0
    assert box.once(done="keep") == 1, "nothing to do"
    assert box.files() == {"in/a.jpg", "out/a.png"}
    draw(box.inbox / "a.jpg", seed=2)
    assert box.once(done="keep") == 0
    assert box.files() == {"in/a.jpg", "out/a.png", "out/a-2.png"}


def test_originals_that_stay_are_read_once_when_only_their_time_has_changed(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a copy of the whole disk: the new time is noted, so that the next start reads none of them."""
    read = []
    real = intake_module.digest_of

    def digest_of(path: Path) -> bytes | None:
        read.append(path.name)
        return real(path)

    for name in ("a.jpg", "b.jpg"):
        draw(box.inbox / name)
    assert box.once(done="keep") == 0
    monkeypatch.setattr(intake_module, "digest_of", digest_of)
    for name in ("a.jpg", "b.jpg"):
        os.utime(box.inbox / name, (1, 1))
    for _ in range(2):
        assert box.once(done="keep") == 1, "nothing to do"
    assert read == ["a.jpg", "b.jpg"]


def test_what_others_write_into_the_ledger_costs_one_look(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon of another inbox that shares the state folder: the rows of this one are read only when retry asks."""
    monkeypatch.setattr(service_module, "BEAT", 0.01)
    draw(box.inbox / "a.jpg")
    assert box.once(done="keep") == 0
    service = box.service(done="keep")
    statements: list[str] = []

    class Overheard(Ledger):
        def __init__(self, file: Path) -> None:
            super().__init__(file)
            self._base.set_trace_callback(statements.append)

    monkeypatch.setattr(service_module, "Ledger", Overheard)

    def turns(change: Callable[[], object] = lambda: None) -> list[str]:
        """What the daemon asks its ledger in some turns after a change by another program."""
        statements.clear()
        change()
        looks = statements.count("PRAGMA data_version")
        until(lambda: statements.count("PRAGMA data_version") > looks + 3)
        return [said for said in set(statements) if said != "PRAGMA data_version"]

    def person() -> None:
        until(lambda: service._watched[0].idle)
        other = Ledger(box.root / "state" / "ledger.sqlite")
        elsewhere = Attempt(box.root / "elsewhere", Path("b.jpg"), Identity(1, 2, 3, 4), "done", box.root / "b.png", 5)
        assert turns() == []
        [look] = turns(lambda: other.note(elsewhere, stays=True))
        assert look.startswith("SELECT recalls FROM inbox")
        assert any("FROM attempt" in said for said in turns(lambda: other.forget(box.inbox, Path("a.jpg"))))
        other.close()
        appears(box.outbox / "a-2.png")

    assert meanwhile(service, person) == 0


def test_missing_folders_are_made_and_told(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.inbox.rmdir()
    box.once()
    assert f"created the folder {box.inbox}" in caplog.text
    assert (box.outbox / "review").is_dir()


def test_odd_names_come_out(box: Box, draw: Draw) -> None:
    source = draw(box.root / "a.jpg")
    names = ["n" * 251 + ".jpg", "a\nb.jpg", "caf\udce9.jpg", "-rf.jpg", "[x].jpg", "\x1b[31m.jpg"]
    for name in names:
        shutil.copy(source, box.inbox / name)
    assert box.once() == 0
    assert {path.name for path in (box.outbox / "done").iterdir()} == set(names)
    assert len(list(box.outbox.glob("*.png"))) == 6


def test_an_inbox_in_use_is_refused_with_its_holder(box: Box) -> None:
    lock = InboxLock(box.inbox)
    with pytest.raises(FolderError, match=f"is watched already by process {os.getpid()}"):
        box.once()
    lock.close()


def test_an_outbox_inside_the_inbox_is_refused_before_anything_is_made(box: Box) -> None:
    box.outbox = box.inbox / "out"
    with pytest.raises(SettingsError, match="lies inside the inbox"):
        box.once()
    assert not box.outbox.exists()


def test_an_original_that_comes_back_unchanged_is_done_again(box: Box, draw: Draw) -> None:
    """Moved out of done, or out of failed once the settings are mended, with its old time: it is a new order."""
    draw(box.inbox / "a.jpg")
    box.once()
    (box.outbox / "done" / "a.jpg").rename(box.inbox / "a.jpg")
    assert box.once() == 0
    assert box.files() == {"out/a.png", "out/a-2.png", "out/done/a.jpg"}
    (box.outbox / "done" / "a.jpg").rename(box.inbox / "a.jpg")
    assert box.once(max_pixels=10) == 1
    (box.outbox / "failed" / "a.jpg").rename(box.inbox / "a.jpg")
    assert box.once() == 0
    assert "out/a-3.png" in box.files()


def test_a_picture_changed_while_worked_on_is_done_again(box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(box.inbox / "a.jpg", seed=1)
    changed = draw(box.root / "changed.png", seed=2)
    real = Outcomes.file
    times = []

    def file(self: Outcomes, original: Path, outcome: Outcome) -> bool:
        if not times:
            shutil.copy(changed, box.inbox / "a.jpg")
        times.append(1)
        return real(self, original, outcome)

    monkeypatch.setattr(Outcomes, "file", file)
    assert box.once() == 0
    assert len(times) == 2
    assert box.files() == {"out/a.png", "out/done/a.jpg"}
    assert opened(box.outbox / "a.png").getpixel((60, 60))[:3] == opened(changed).getpixel((60, 60))


def test_a_picture_deleted_while_worked_on_is_dropped(box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(box.inbox / "a.jpg")
    real = Outcomes.file

    def file(self: Outcomes, original: Path, outcome: Outcome) -> bool:
        (box.inbox / "a.jpg").unlink()
        return real(self, original, outcome)

    monkeypatch.setattr(Outcomes, "file", file)
    box.once()
    assert box.files() == set()


@pytest.mark.parametrize("events", [True, False])
def test_what_is_dropped_later_comes_out_with_and_without_events(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, events: bool
) -> None:
    """Events make it quick and the rescan makes it sure; here each has to do it alone."""
    service = box.service()
    if not events:
        monkeypatch.setattr(watched_module, "Events", Deaf)
    else:
        service._settings = service._settings.model_copy(update={"rescan_seconds": 3600.0})
    source = draw(box.root / "a.jpg")

    def person() -> None:
        shutil.copy(source, box.inbox / "part.tmp")
        (box.inbox / "part.tmp").rename(box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(service, person) == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}


class Deaf:
    """Events that never come."""

    sound = True

    def __init__(self, *_: object) -> None: ...

    def stop(self) -> None: ...
