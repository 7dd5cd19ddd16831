"""What is refused or killed in the middle: nothing lost, nothing twice, and the rest done at the next start."""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import disc
from watching import DOUBTFUL, Box, another_disk, rescans

from bgwatch import place as place_module
from bgwatch.errors import FolderError
from bgwatch.job import Outcome
from bgwatch.settings import Folder
from bgwatch.watch import outcomes as outcomes_module
from bgwatch.watch.filing import Filing
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.outcomes import Outcomes
from bgwatch.watch.places import places

Draw = Callable[..., Path]


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


def test_a_disk_that_reports_an_error_after_a_result_is_in_place_doubles_nothing(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    draw(box.inbox / "a.jpg")
    real = place_module.sync_folder

    def broken(folder: Path) -> None:
        if folder == box.outbox:
            raise OSError(5, "Input/output error")
        real(folder)

    monkeypatch.setattr(place_module, "sync_folder", broken)
    assert box.once() == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}
    assert "cannot be put in place (Input/output error)" in caplog.text


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
@pytest.mark.parametrize("kind", ["done", "review", pytest.param("series", marks=pytest.mark.slow)])
def test_killed_at_any_step_a_picture_comes_out_once(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, where: tuple[object, str], after: bool, kind: str
) -> None:
    """Stopped before or after any step of filing, the next run ends with one result and the original in done."""
    several = {"format": "GIF", "save_all": True, "append_images": [disc(seed=1)]}
    draw(box.inbox / "a.jpg", **(several if kind == "series" else {}))
    settings = {"done": {}, "review": DOUBTFUL, "series": {"frames": "each"}}[kind]
    run_killed(box, monkeypatch, where, after, **settings)
    box.once(**settings)
    wanted = {
        "done": {"out/a.png"},
        "review": {"out/review/a.png", "out/review/a.reason.txt"},
        "series": {"out/a.frames/a-1.png", "out/a.frames/a-2.png"},
    }
    assert box.files() == wanted[kind] | {"out/done/a.jpg"}
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


@pytest.mark.parametrize("kind", ["result", "failure"])
@pytest.mark.parametrize("disk", ["the same", "another"])
def test_killed_in_the_middle_of_a_move_an_original_is_in_one_place(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, kind: str, disk: str
) -> None:
    """It is in its new place already, and in the inbox still."""
    with tempfile.TemporaryDirectory(dir=another_disk(box) if disk == "another" else box.root) as other:
        where = {"done": f"{other}/done", "failed": f"{other}/failed"}
        if kind == "result":
            draw(box.inbox / "a.jpg")
        else:
            (box.inbox / "a.jpg").write_text("no picture")
        real = Path.unlink

        def unlink(self: Path, missing_ok: bool = False) -> None:
            if self.parent == box.inbox:
                raise Killed
            real(self, missing_ok)

        with monkeypatch.context() as killing:
            killing.setattr(Path, "unlink", unlink)
            with contextlib.suppress(Killed):
                box.once(**where)
        assert box.files() >= {"in/a.jpg"}
        box.once(**where)
        assert box.files() == ({"out/a.png"} if kind == "result" else set())
        moved = {path.name for path in Path(other).rglob("*") if path.is_file()}
        assert moved == ({"a.jpg"} if kind == "result" else {"a.jpg", "a.jpg.reason.txt"})
        assert box.unfinished() == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["picture", "series"])
@pytest.mark.parametrize(
    ("where", "after"),
    [
        (None, True),
        ((place_module, "_copy_durably"), False),
        ((place_module, "_copy_durably"), True),
        ((Filing, "brought"), True),
        ((Ledger, "begin"), True),
        ((outcomes_module, "publish"), True),
        ((Ledger, "finish"), False),
    ],
)
def test_killed_at_any_step_a_doubtful_result_comes_out_once_on_another_disk(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, kind: str, where: tuple[object, str] | None, after: bool
) -> None:
    several = {"format": "GIF", "save_all": True, "append_images": [disc(seed=1)]}
    draw(box.inbox / "sub" / "a.jpg", **(several if kind == "series" else {}))
    with tempfile.TemporaryDirectory(dir=another_disk(box)) as other:
        settings: dict[str, object] = {**DOUBTFUL, "review": f"{other}/review", "frames": "each"}
        if where:
            run_killed(box, monkeypatch, where, after, **settings)
        box.once(**settings)
        assert box.files() == {"out/done/sub/a.jpg"}
        wanted = {"a.frames/a-1.png", "a.frames/a-2.png"} if kind == "series" else {"a.png"}
        there = {str(path.relative_to(f"{other}/review/sub")) for path in Path(other).rglob("*") if path.is_file()}
        assert there == wanted | {"a.reason.txt"}
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
