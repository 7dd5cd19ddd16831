from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scenes import opened

from bgwatch import job as job_module
from bgwatch.imagefile import Identity
from bgwatch.job import Job, run
from bgwatch.settings import Segmentation

OPTIONS = Segmentation().model_dump()


def make(source: Path, target: Path, **fields: object) -> Job:
    return Job(str(source), str(target), **{"options": OPTIONS, "limits": {"max_pixels": 10**6}, **fields})  # type: ignore[arg-type]


def test_a_picture_is_cut_out(tmp_path: Path, draw: Callable[..., Path]) -> None:
    source = draw(tmp_path / "a.png")
    outcome = run(make(source, tmp_path / "out.png"))
    assert outcome.state == "done"
    assert outcome.confidence is not None
    assert outcome.confidence > 0.5
    assert outcome.identity == Identity.of(source.stat())
    assert [step.name for step in outcome.steps] == ["start", "decode", "segmentation", "encode"]
    rgba = np.asarray(opened(tmp_path / "out.png"))
    assert rgba.shape == (140, 120, 4)
    assert tuple(rgba[0, 0]) == (0, 0, 0, 0)
    assert tuple(rgba[60, 60]) == (*np.asarray(opened(source))[60, 60], 255)


def test_grey_stays_grey(tmp_path: Path, draw: Callable[..., Path]) -> None:
    run(make(draw(tmp_path / "a.png", mode="L"), tmp_path / "out.png"))
    assert opened(tmp_path / "out.png").mode == "LA"


def test_the_mask_is_the_alpha(tmp_path: Path, draw: Callable[..., Path]) -> None:
    source = draw(tmp_path / "a.png")
    run(make(source, tmp_path / "out.png"))
    run(make(source, tmp_path / "mask.png", output={"mask": True}))
    mask = opened(tmp_path / "mask.png")
    assert mask.mode == "L"
    assert np.array_equal(np.asarray(mask), np.asarray(opened(tmp_path / "out.png"))[..., 3])


def test_what_a_killed_worker_left_of_the_same_job_is_no_hindrance(tmp_path: Path, draw: Callable[..., Path]) -> None:
    (tmp_path / "out.png").write_bytes(b"half a picture")
    assert run(make(draw(tmp_path / "a.png"), tmp_path / "out.png")).state == "done"
    assert opened(tmp_path / "out.png").mode == "RGBA"


def test_a_picture_at_fault_and_a_place_at_fault_differ(tmp_path: Path, draw: Callable[..., Path]) -> None:
    (tmp_path / "bad.png").write_text("no")
    assert run(make(tmp_path / "bad.png", tmp_path / "out.png")).state == "failed"
    blocked = run(make(draw(tmp_path / "a.png"), tmp_path / "nowhere" / "out.png"))
    assert blocked.state == "blocked"
    assert "nowhere: cannot be written" in blocked.reasons[0]


def test_what_a_killed_worker_has_left_is_written_anew(tmp_path: Path, draw: Callable[..., Path]) -> None:
    (tmp_path / "out.tmp").write_bytes(b"half a picture")
    assert run(make(draw(tmp_path / "a.png"), tmp_path / "out.tmp")).state == "done"
    assert opened(tmp_path / "out.tmp").size == (120, 140)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "needs more memory than worker_memory_mb allows"),
        (
            ZeroDivisionError("by\nzero"),
            r"unexpected ZeroDivisionError in test_job\.py:\d+ \(by zero\); please report it",
        ),
    ],
)
def test_whatever_goes_wrong_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(job_module, "decode", broken)
    outcome = run(make(tmp_path / "a.png", tmp_path / "out.png"))
    assert outcome.state == "failed"
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(outcome.reasons[0])
