"""How long the steps took: a clock that is read after each."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Lap:
    """One step, or a few that belong together.

    Attributes
    ----------
    name : str
        What was done, in a word or two.
    seconds : float
        Wall-clock time it took, at least 0, to the microsecond.
    """

    name: str
    seconds: float


class Laps:
    """Times one step after another; a call names the step that has just ended.

    Parameters
    ----------
    clock : callable
        Gives the time in seconds and never goes back. The first step begins when the laps are made.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._taken: list[Lap] = []
        self._since = clock()

    def __call__(self, name: str) -> None:
        """End a step; the next begins at once."""
        now = self._clock()
        self._taken.append(Lap(name, round(now - self._since, 6)))
        self._since = now

    @property
    def taken(self) -> tuple[Lap, ...]:
        """The steps so far, in the order they ran."""
        return tuple(self._taken)


def summed(laps: Iterable[Lap]) -> tuple[Lap, ...]:
    """Add up the steps of one name, in the order they first ran."""
    seconds: dict[str, float] = {}
    for lap in laps:
        seconds[lap.name] = round(seconds.get(lap.name, 0.0) + lap.seconds, 6)
    return tuple(Lap(name, took) for name, took in seconds.items())
