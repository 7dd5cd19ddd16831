"""Jobs run on machines that share the files: claimed, as often as need be, and once in place."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenes import disc, opened

from bgwatch import job as job_module
from bgwatch.job import Job, Outcome
from bgwatch.pool import claimed, is_claimed, run_elsewhere
from bgwatch.settings import Segmentation

OPTIONS = Segmentation().model_dump()


def make(source: Path, target: Path) -> Job:
    return Job(str(source), str(target), OPTIONS, {"max_pixels": 10**6})


def test_a_claimed_picture_is_cut_out_as_often_as_it_is_run(tmp_path: Path, draw: Callable[..., Path]) -> None:
    """Paths are taken from where the job was made, and what a first, killed run has left does no harm."""
    draw(tmp_path / "in" / "a.png")
    job = make(Path("in/a.png"), Path("out.tmp"))
    with claimed(make(Path("in/a.png"), tmp_path / "out.tmp")):
        (tmp_path / "out.1.tmp").write_bytes(b"half a picture")
        for _ in range(2):
            outcome = run_elsewhere(str(tmp_path), job)
            assert (outcome.job, outcome.state, outcome.identity) == (job, "done", None)
            assert opened(tmp_path / "out.tmp").size == (120, 140)
        assert is_claimed(str(tmp_path), job)
    assert not is_claimed(str(tmp_path), job)
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.tmp"}


def test_a_series_is_whole_however_often_it_is_run(tmp_path: Path) -> None:
    first, second = disc(), disc(seed=1)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    job = Job("a.tif", "out.tmp", OPTIONS, {"max_pixels": 10**6, "frames": "each"}, stem="a")
    with claimed(replace(job, temporary=str(tmp_path / "out.tmp"))):
        (tmp_path / "out.1.tmp").mkdir()
        (tmp_path / "out.1.tmp" / "a-1.png").write_bytes(b"half a picture")
        for _ in range(2):
            assert run_elsewhere(str(tmp_path), job).series == 2
            assert [opened(file).size for file in (tmp_path / "out.tmp").iterdir()] == [(120, 140)] * 2
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif", "out.tmp"}


def test_a_second_run_that_begins_before_the_first_writes_is_in_no_ones_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a worker was taken for dead and was not."""
    disc().save(tmp_path / "a.tif", save_all=True, append_images=[disc(seed=1)])
    job = Job("a.tif", "out.tmp", OPTIONS, {"max_pixels": 10**6, "frames": "each"}, stem="a")
    finish, finished, outcomes = job_module.finish, Counter[str](), list[Outcome]()
    begun, writing = threading.Event(), threading.Event()

    def run() -> None:
        outcomes.append(run_elsewhere(str(tmp_path), job))

    second = threading.Thread(target=run, name="second")

    def ordered(*given: Any) -> Any:
        name = threading.current_thread().name
        finished[name] += 1
        if name == "second":
            begun.set()
            writing.wait(60)
        elif finished[name] == 1:
            second.start()
            begun.wait(60)
        else:
            writing.set()
            second.join(60)
        return finish(*given)

    monkeypatch.setattr(job_module, "finish", ordered)
    with claimed(replace(job, temporary=str(tmp_path / "out.tmp"))):
        run()
    assert [(outcome.state, outcome.reasons) for outcome in outcomes] == [("done", ())] * 2
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif", "out.tmp"}


def test_what_is_no_longer_claimed_leaves_nothing(
    tmp_path: Path, draw: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wanted it has ended, or has put the result of another run in place."""
    job = make(draw(tmp_path / "in" / "a.png"), tmp_path / "out.tmp")
    claim, decode = claimed(job), job_module.decode

    def let_go(*given: object) -> object:
        claim.__exit__(None, None, None)
        return decode(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(job_module, "decode", let_go)
    claim.__enter__()
    assert run_elsewhere("/", job).written
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


@pytest.mark.parametrize("missing", ["source", "temporary"])
def test_a_machine_that_does_not_see_the_folders_blames_no_picture(
    tmp_path: Path, draw: Callable[..., Path], missing: str
) -> None:
    source = draw(tmp_path / "in" / "a.png")
    job = make(tmp_path / "nowhere" / "a.png" if missing == "source" else source, tmp_path / "out.tmp")
    if missing == "source":
        with claimed(job):
            outcome = run_elsewhere("/", job)
    else:
        outcome = run_elsewhere("/", job)
    assert outcome.state == "blocked"
    assert outcome.reasons[0].endswith("; every worker must see the folders under the same names")
