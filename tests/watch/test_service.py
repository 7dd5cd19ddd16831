"""The whole service in this process, with real files, real events and real workers."""

import contextlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from scenes import opened

from bgwatch.errors import FolderError, SettingsError
from bgwatch.job import Outcome
from bgwatch.settings import Folder, Settings
from bgwatch.watch import outcomes as outcomes_module
from bgwatch.watch import watched as watched_module
from bgwatch.watch.filing import Filing, places
from bgwatch.watch.intake import Intake
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.outcomes import Outcomes
from bgwatch.watch.service import Service

Draw = Callable[..., Path]


class Box:
    """An inbox and an outbox, and a service for them."""

    def __init__(self, root: Path) -> None:
        self.root, self.inbox, self.outbox = root, root / "in", root / "out"
        self.inbox.mkdir()

    def service(self, **fields: object) -> Service:
        folder = Folder(inbox=str(self.inbox), outbox=str(self.outbox), settle_seconds=0.05, **fields)  # type: ignore[arg-type]
        return Service(Settings(folders=(folder,), rescan_seconds=0.2, workers=2), self.root / "state")

    def once(self, **fields: object) -> int:
        return self.service(**fields).run(once=True)

    def unfinished(self) -> list[object]:
        """What the ledger holds for the next start to finish."""
        ledger = Ledger(self.root / "state" / "ledger.sqlite")
        try:
            return list(ledger.unfinished(self.inbox))
        finally:
            ledger.close()

    def files(self) -> set[str]:
        """All files in both folders, relative to where they lie."""
        return {
            str(path.relative_to(self.root))
            for top in (self.inbox, self.outbox)
            for path in top.rglob("*")
            if not path.is_dir()
        }


@pytest.fixture
def box(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Box:
    caplog.set_level(logging.INFO, "bgwatch")
    return Box(tmp_path)


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


def test_missing_folders_are_made_and_told(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.inbox.rmdir()
    box.once()
    assert f"created the folder {box.inbox}" in caplog.text
    assert (box.outbox / "review").is_dir()


def test_links_and_fifos_are_left_alone_and_told_once(box: Box, draw: Draw, caplog: pytest.LogCaptureFixture) -> None:
    draw(box.root / "outside.jpg")
    (box.inbox / "link.jpg").symlink_to(box.root / "outside.jpg")
    os.mkfifo(box.inbox / "fifo.jpg")
    assert box.once() == 1
    assert box.files() == {"in/link.jpg", "in/fifo.jpg"}
    assert caplog.text.count("link.jpg: is no regular file and is left alone") == 1


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


def test_an_original_that_cannot_be_placed_stays(box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(box.inbox / "a.jpg")

    def full(*_: object, **__: object) -> None:
        raise FolderError("out: writing failed (No space left on device); make room and try again")

    with monkeypatch.context() as broken:
        broken.setattr(outcomes_module, "publish", full)
        assert box.once() == 3
    assert box.files() == {"in/a.jpg"}
    assert box.once() == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}


class Killed(BaseException):
    """Stands for the moment at which a daemon is killed."""


@pytest.mark.parametrize(
    ("where", "after"),
    [
        ((Ledger, "begin"), True),
        ((outcomes_module, "publish"), False),
        ((outcomes_module, "publish"), True),
        ((Filing, "explain"), False),
        ((Filing, "explain"), True),
        ((Filing, "put_away"), False),
        ((Filing, "put_away"), True),
        ((Ledger, "finish"), False),
        ((Ledger, "finish"), True),
    ],
)
@pytest.mark.parametrize("kind", ["done", "review"])
def test_killed_at_any_step_a_picture_comes_out_once(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, where: tuple[object, str], after: bool, kind: str
) -> None:
    """Stopped before or after any step of filing, the next run ends with one result and the original in done."""
    draw(box.inbox / "a.jpg")
    settings = {"min_confidence": 1.0, "tolerance": 1, "method": "threshold"} if kind == "review" else {}
    run_killed(box, monkeypatch, where, after, **settings)
    box.once(**settings)
    wanted = {"out/review/a.png", "out/review/a.reason.txt"} if kind == "review" else {"out/a.png"}
    assert box.files() == wanted | {"out/done/a.jpg"}
    assert box.unfinished() == []


@pytest.mark.parametrize(
    ("where", "after"),
    [
        ((Ledger, "begin"), True),
        ((Filing, "put_to_failed"), False),
        ((Filing, "put_to_failed"), True),
        ((Filing, "explain"), False),
        ((Filing, "explain"), True),
        ((Ledger, "finish"), False),
        ((Ledger, "finish"), True),
    ],
)
def test_killed_at_any_step_a_failure_is_filed_once(
    box: Box, monkeypatch: pytest.MonkeyPatch, where: tuple[object, str], after: bool
) -> None:
    (box.inbox / "a.jpg").write_text("no picture")
    run_killed(box, monkeypatch, where, after)
    box.once()
    assert box.files() == {"out/failed/a.jpg", "out/failed/a.jpg.reason.txt"}
    assert box.unfinished() == []


def run_killed(
    box: Box, monkeypatch: pytest.MonkeyPatch, where: tuple[object, str], after: bool, **settings: object
) -> None:
    """Run until a step is come to, and stop there as if killed; a step that is not come to changes nothing."""
    real = getattr(*where)

    def step(*arguments: object, **options: object) -> object:
        if after:
            real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(*where, step)
        with contextlib.suppress(Killed):
            box.once(**settings)


@pytest.mark.parametrize("kind", ["result", "failure"])
def test_an_original_that_cannot_be_put_away_is_done_once_and_the_rest_is_owed(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The system refuses to move it: no second result at the next rescan or start, and one complaint."""
    draw(box.inbox / "b.jpg")
    if kind == "result":
        draw(box.inbox / "a.jpg")
    else:
        (box.inbox / "a.jpg").write_text("no picture")
    verb = "put_away" if kind == "result" else "put_to_failed"
    real = getattr(Filing, verb)

    def refuse(self: Filing, original: Path, *rest: Path) -> None:
        if original == Path("a.jpg"):
            raise FolderError("a.jpg: cannot be moved (Operation not permitted); check both folders")
        real(self, original, *rest)

    with monkeypatch.context() as refusing:
        refusing.setattr(Filing, verb, refuse)
        rescans(box, monkeypatch, 4)
        assert caplog.text.count("a.jpg: cannot be moved") == 1
        first = box.files()
        assert first >= {"in/a.jpg", "out/b.png", "out/done/b.jpg"}
        assert box.once() in (1, 3)
        assert box.files() == first | ({"out/a.png"} if kind == "result" else set())
    box.once()
    end = {"out/a.png", "out/done/a.jpg"} if kind == "result" else {"out/failed/a.jpg", "out/failed/a.jpg.reason.txt"}
    assert box.files() == end | {"out/b.png", "out/done/b.jpg"}


def rescans(box: Box, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Run a daemon, with no events, until it has read the inbox so many times with nothing left under way."""
    service = box.service()
    real, idle = Intake.scan, [0]

    def scan(self: Intake) -> Iterator[None]:
        idle[0] += self.idle
        if idle[0] > count:
            service.stop()
        return real(self)

    with monkeypatch.context() as counting:
        counting.setattr(Intake, "scan", scan)
        assert service.run() == 0


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


def test_a_result_that_is_taken_away_unfinished_costs_nothing(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(box.inbox / "a.jpg")
    real = Outcomes.file

    def file(self: Outcomes, original: Path, outcome: Outcome) -> bool:
        Path(outcome.job.temporary).unlink()
        return real(self, original, outcome)

    with monkeypatch.context() as cleaning:
        cleaning.setattr(Outcomes, "file", file)
        assert box.once() == 3
    assert box.files() == {"in/a.jpg"}
    assert box.once() == 0


def test_leftovers_are_swept(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.once()
    leftover = Filing(places(Folder(inbox=str(box.inbox), outbox=str(box.outbox)))).temporary()
    leftover.write_bytes(b"half a picture")
    box.once()
    assert not leftover.exists()


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
    filed = threading.Event()
    real = Outcomes.file

    def note(self: Outcomes, original: Path, outcome: Outcome) -> bool:
        usable = real(self, original, outcome)
        filed.set()
        return usable

    monkeypatch.setattr(Outcomes, "file", note)
    source = draw(box.root / "a.jpg")

    def person() -> None:
        watching.wait(30)
        shutil.copy(source, box.inbox / "part.tmp")
        (box.inbox / "part.tmp").rename(box.inbox / "a.jpg")
        filed.wait(30)
        service.stop()

    watching = threading.Event()
    monkeypatch.setattr(Service, "_wait", _then(Service._wait, watching))
    thread = threading.Thread(target=person)
    thread.start()
    assert service.run() == 0
    thread.join()
    assert box.files() == {"out/a.png", "out/done/a.jpg"}


class Deaf:
    """Events that never come."""

    sound = True

    def __init__(self, *_: object) -> None: ...

    def stop(self) -> None: ...


def _then(wait: Callable[..., None], watching: threading.Event) -> Callable[..., None]:
    def both(self: Service) -> None:
        watching.set()
        wait(self)

    return both
