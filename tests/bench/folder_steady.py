"""Send many pictures of all sizes through one daemon and see whether its memory stays where it was.

Memory is PSS, of the daemon and all its processes: what they share is counted once. It is read when all that was
dropped is done and the daemon and its processes are at rest, at 500 pictures and at the end, and once a second in
between for the maximum.
"""

import random
import time
from pathlib import Path, PurePath

from folder_daemon import Daemon
from folder_ground import Clock, Ground, ground
from folder_stock import Original, picture
from folder_verdict import Results, Verdict, examples

SIZES = tuple((width, width * 3 // 4) for width in (80, 120, 180, 240, 320, 480, 640, 800, 1200, 1600))
OFTEN = (8, 8, 8, 8, 6, 6, 4, 2, 1, 1)  # how often each of them comes
KINDS = 4  # drawings of each size
FIRST = 500  # pictures until memory is what it should stay at
BACKLOG = 300  # pictures that wait at most
MOST = 1.1  # times as much memory at the end
MB = 2**20


def run(where: Path, clock: Clock, pictures: int, seed: int, most: float = MOST) -> list[str]:
    """Run the bench, print its figures and give the promises that were broken."""
    stock = [[picture(number, size) for number in range(KINDS)] for size in SIZES]
    chance = random.Random(seed)
    dropped: dict[PurePath, Original] = {}
    with ground(where) as place, Daemon(place, "--settle-seconds", 0.1) as daemon:
        daemon.watches(clock)
        start, highest, first = time.monotonic(), Highest(daemon), 0
        for number in range(pictures):
            if number == min(FIRST, pictures // 2):
                first = at_rest(place, daemon, clock)
            if number % 20 == 0:
                daemon.wait(clock, "room in the inbox", lambda: highest.look() or place.waiting() < BACKLOG)
            name = PurePath(f"{number:06}.jpg")
            dropped[name] = chance.choice(chance.choices(stock, OFTEN)[0])
            (place.inbox / name).write_bytes(dropped[name].content)
        daemon.wait(clock, "the last results", lambda: highest.look() or place.is_served())
        minutes = (time.monotonic() - start) / 60
        last = at_rest(place, daemon, clock)
        processes = len(daemon.children()) + 1
        broken = daemon.end()
        results = Results(place, dropped)
        results.look()
        verdict = Verdict(place, dropped)
    print(f"steady: {pictures} pictures in {minutes:.1f} minutes ({pictures / minutes / 60:.0f} a second)")
    print(f"steady: {verdict.line()}")
    print(
        f"steady: {first / MB:.0f} MB at {min(FIRST, pictures // 2)} pictures, {last / MB:.0f} MB at the end "
        f"({processes} processes), {highest.pss / MB:.0f} MB at most; ratio {last / first:.3f}, promised {most}"
    )
    if last > most * first:
        broken.append(f"memory grew to {last / first:.3f} of what it was, more than {most}")
    if results.faults:
        broken.append(f"{len(results.faults)} results partial or wrong{examples(results.faults)}")
    return broken + verdict.broken


class Highest:
    """The most memory that was seen."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon, self._due = daemon, 0.0
        self.pss = 0

    def look(self) -> None:
        """Look, once a second."""
        if time.monotonic() >= self._due:
            self.pss = max(self.pss, self._daemon.pss())
            self._due = time.monotonic() + 1


def at_rest(place: Ground, daemon: Daemon, clock: Clock) -> int:
    """Wait until all is done and quiet, and give the daemon's memory."""
    daemon.wait(clock, "the results so far", place.is_served)
    since = time.time()
    daemon.wait(clock, "the daemon to be at rest", lambda: daemon.rests(since))
    return daemon.pss()
