"""The steps and their time, by a clock that ticks once each time it is read."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from bgwatch import remove_background
from bgwatch.segment import pipeline
from bgwatch.segment.laps import Lap, Laps

AROUND = ["look", "clusters", "vote"], ["confidence"]
STEPS = {
    "auto": ["surface", "backdrop", "holes", "subject", "matte"],
    "kmeans": ["kmeans"],
    "threshold": ["threshold"],
}


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pipeline's clock tick once a reading, a quarter of a second."""
    monkeypatch.setattr(pipeline, "Laps", lambda: Laps(count(step=0.25).__next__))


def test_a_lap_is_what_passed_since_the_last() -> None:
    """The first one counts from the making, and a name may come again."""
    laps = Laps(iter([10.0, 10.5, 10.5, 12.0000001]).__next__)
    assert laps.taken == ()
    for name in ("one", "two", "one"):
        laps(name)
    assert laps.taken == (Lap("one", 0.5), Lap("two", 0.0), Lap("one", 1.5))


@pytest.mark.parametrize("method", STEPS)
def test_each_method_tells_its_steps_in_order(disc: Callable, ticking: None, method: str) -> None:
    """Every one is timed once."""
    before, after = AROUND
    steps = remove_background(disc()[0], method=method).report.steps
    assert steps == tuple(Lap(name, 0.25) for name in [*before, *STEPS[method], *after])


def test_a_picture_without_backdrop_has_fewer_steps(ticking: None) -> None:
    """All was transparent."""
    steps = remove_background(np.zeros((60, 80, 4), np.uint8)).report.steps
    assert [step.name for step in steps] == [*AROUND[0], *AROUND[1]]


def test_time_is_no_part_of_what_was_found(disc: Callable) -> None:
    """Two runs give the same bytes and equal reports, however long they took."""
    first, second = remove_background(disc()[0]), remove_background(disc()[0])
    assert np.array_equal(first.rgba, second.rgba)
    assert first.report == replace(second.report, steps=())
    assert first.report != replace(second.report, clusters=0)
