"""Drop very many small pictures at once into the inbox of a running daemon: each must get its result or its reason.

They are files of their own, written beforehand on the same disk, and renamed into the inbox one after the other.

What bounds the speed is told by the processor time of the daemon's main process and of its workers, and by a small
burst on this disk against one in memory: what is faster there is what the disk costs, above all its syncing. Beside
the daemon a plain watchdog observer counts the files it hears of, which shows what events are worth in a burst.
"""

import subprocess
import sys
import time
from pathlib import Path, PurePath
from typing import NamedTuple

import folder_listener
from folder_daemon import Daemon, Used
from folder_ground import Clock, Ground, Unfinished, ground
from folder_stock import Original, pictures, spoilt
from folder_verdict import Results, Verdict, examples

MEMORY = Path("/dev/shm")
COMPARED = 1000  # pictures of the small bursts at most; they are a tenth of the large one
SPOILT_EACH = 50  # one in so many is no picture


class Burst(NamedTuple):
    """What a burst came to."""

    drop: float
    """Seconds that the dropping took."""
    whole: float
    """Seconds from the first file to the last result."""
    used: Used
    peak: int
    """The most memory that the main process has had, in bytes."""
    heard: int
    """Files of which the plain observer was told."""
    verdict: Verdict
    broken: list[str]

    @property
    def speed(self) -> float:
        """Pictures a second that came to an end."""
        return self.verdict.counts.total() / self.whole


def run(where: Path, clock: Clock, count: int) -> list[str]:
    """Run the bench, print its figures and give the promises that were broken."""
    main = burst(where, clock, count, listen=True)
    shares = " and ".join(f"{who} {seconds / main.whole:.0%}" for who, seconds in main.used._asdict().items())
    ended = main.verdict.counts.total()
    each = " and ".join(
        f"{who} {1000 * seconds / max(1, ended):.1f} ms" for who, seconds in main.used._asdict().items()
    )
    print(f"burst: {count} files dropped in {main.drop:.1f} s ({count / main.drop:.0f} a second)")
    print(f"burst: {main.verdict.line()}")
    print(f"burst: {ended} have ended after {main.whole:.1f} s, {main.speed:.1f} pictures a second")
    print(f"burst: busy, of one core: {shares}; for each picture: {each}; main's memory {main.peak / 2**20:.0f} MB")
    print(f"burst: a plain watchdog observer heard of {main.heard} of {count} files ({main.heard / count:.0%})")
    return main.broken + (compare(where, clock, min(count // 10, COMPARED)) if clock.left else [])


def compare(where: Path, clock: Clock, count: int) -> list[str]:
    """Print what the disk costs, against a burst in memory."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == where.stat().st_dev:
        print(f"burst: no comparison with a disk in memory: {MEMORY} is missing, or is the disk that is used")
        return []
    disk, memory = (burst(place, clock, count) for place in (where, MEMORY))
    print(
        f"burst: {count} pictures on this disk {disk.speed:.1f} a second, in memory {memory.speed:.1f}: "
        f"the disk takes {1 - disk.speed / memory.speed:.0%} of the time"
    )
    return disk.broken + memory.broken


def burst(where: Path, clock: Clock, count: int, listen: bool = False) -> Burst:
    """Drop pictures and wait until the inbox is empty."""
    stock = pictures(20)
    bad = spoilt(stock)
    dropped: dict[PurePath, Original] = {
        PurePath(f"{number:06}.jpg"): bad[number % len(bad)]
        if number % SPOILT_EACH == 0
        else stock[number % len(stock)]
        for number in range(count)
    }
    with ground(where) as place, Daemon(place) as daemon:
        daemon.watches(clock)
        listener = Listener(place) if listen else None
        moves = [(place.aside(name, original.content), place.inbox / name) for name, original in dropped.items()]
        start = time.monotonic()
        for path, target in moves:
            path.rename(target)
        drop = time.monotonic() - start
        heard, broken = 0, []
        try:
            heard = listener.count(clock) if listener else 0
            daemon.wait(clock, "the inbox to be empty", place.is_served)
        except Unfinished as error:
            broken.append(str(error))
        whole, used, peak = time.monotonic() - start, daemon.used(), daemon.peak()
        broken += daemon.end()
        results = Results(place, dropped)
        results.look()
        verdict = Verdict(place, dropped)
    if results.faults:
        broken.append(f"{len(results.faults)} results partial or wrong{examples(results.faults)}")
    return Burst(drop, whole, used, peak, heard, verdict, broken + verdict.broken)


class Listener:
    """A plain watchdog observer in a process of its own."""

    def __init__(self, place: Ground) -> None:
        command = [sys.executable, folder_listener.__file__, str(place.inbox)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._process.stdout.readline()

    def count(self, clock: Clock) -> int:
        """Let it hear what waits, and give the number of files it was told of.

        Raises
        ------
        Unfinished
            When the time is up.
        """
        try:
            said, _ = self._process.communicate(timeout=clock.left)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise Unfinished("the time of --minutes was up while a plain observer still heard of files") from None
        return int(said)
