"""Drop a picture every half second and take the time from its last byte, or its renaming, to its result.

The settling time is the default. Pictures come in turns by a rename into place and by a file that is written and
closed. Results are found by looking for them every millisecond; the longest time between two looks is printed.
"""

import time
from itertools import pairwise
from pathlib import Path, PurePath

import numpy as np
from folder_daemon import Daemon
from folder_ground import Clock, Ground, Unfinished, ground
from folder_stock import Original, pictures
from folder_verdict import Results, Verdict, examples
from numpy.typing import NDArray

from bgwatch.settings import Settings

EVERY = 0.5  # seconds between two pictures
GLANCE = 0.001  # seconds between two looks
WARM = 4  # pictures that come before, while the first workers start
LATE = 0.3  # seconds above the settling time that are promised for half of the pictures
MANNERS = ("rename", "close")


def run(where: Path, clock: Clock, count: int, every: float = EVERY) -> list[str]:
    """Run the bench, print its figures and give the promises that were broken."""
    settle = Settings().settle_seconds
    stock = pictures(12)
    dropped = {PurePath(f"{number:05}.jpg"): stock[number % len(stock)] for number in range(WARM + count)}
    with ground(where) as place, Daemon(place) as daemon:
        daemon.watches(clock)
        looks = Looks(place)
        for number, (name, original) in enumerate(dropped.items()):
            looks.drop(name, original, MANNERS[number % 2])
            looks.until(time.monotonic() + every, clock)
        daemon.wait(clock, "the last results", lambda: looks.look() or not looks.open, GLANCE)
        daemon.wait(clock, "the last originals", place.is_served)
        broken = daemon.end()
        results = Results(place, dropped)
        results.look()
        verdict = Verdict(place, dropped)
    waits = np.array([looks.seconds[name] for name in dropped])
    first = ", ".join(f"{wait:.3f}" for wait in waits[:WARM])
    print(f"latency: the first {WARM} pictures, while workers start: {first} s")
    told("all", waits[WARM:])
    for turn, manner in enumerate(MANNERS):
        told(manner, waits[WARM + turn :: len(MANNERS)])
    print(f"latency: settling {settle} s included; resolution {1000 * looks.longest:.1f} ms at worst")
    overtaken = sum(first > second for first, second in pairwise(looks.seconds))
    print(f"latency: {overtaken} results were overtaken by that of a later picture")
    print(f"latency: {verdict.line()}")
    median = float(np.median(waits[WARM:]))
    if median > settle + LATE:
        broken.append(f"p50 is {median:.3f} s, more than the settling time and {LATE} s")
    if results.faults:
        broken.append(f"{len(results.faults)} results partial or wrong{examples(results.faults)}")
    return broken + verdict.broken


def told(which: str, waits: NDArray[np.float64]) -> None:
    """Print the figures of some pictures."""
    p50, p99 = np.percentile(waits, (50, 99))
    print(f"latency: {which}, {waits.size}: p50 {p50:.3f} s, p99 {p99:.3f} s, maximum {waits.max():.3f} s")


class Looks:
    """Drops pictures and looks for their results.

    Attributes
    ----------
    open : dict of PurePath to float
        When each picture was complete whose result has not been seen.
    seconds : dict of PurePath to float
        How long the others took, in the order of their results.
    longest : float
        The longest time between two looks, in seconds.
    """

    def __init__(self, place: Ground) -> None:
        self._place = place
        self._last = time.monotonic()
        self.open: dict[PurePath, float] = {}
        self.seconds: dict[PurePath, float] = {}
        self.longest = 0.0

    def drop(self, name: PurePath, original: Original, manner: str) -> None:
        """Drop a picture; its time begins with its rename, or when it is closed."""
        target = self._place.inbox / name
        written = target.with_suffix(".part") if manner == "rename" else target
        written.write_bytes(original.content)
        if manner == "rename":
            written.rename(target)
        self.open[name] = time.monotonic()

    def look(self) -> None:
        """Look for the results that are due."""
        outbox = self._place.outbox
        for name in list(self.open):
            result = name.with_suffix(".png")
            if (outbox / result).exists() or (outbox / "review" / result).exists():
                self.seconds[name] = time.monotonic() - self.open.pop(name)
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now

    def until(self, moment: float, clock: Clock) -> None:
        """Look until a moment."""
        while time.monotonic() < moment:
            self.look()
            time.sleep(GLANCE)
        if not clock.left:
            raise Unfinished(f"the time of --minutes was up after {len(self.seconds)} results")
