"""Kill the daemon, its workers or both at random moments while pictures stream in, and look at what is left.

Most kills aim at the moments in which a temporary result lies in the outbox. A kill counts as one of those only if
the same temporary was there before it and is there after it.
"""

import contextlib
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

from folder_daemon import Daemon
from folder_ground import Clock, Ground, Unfinished, ground
from folder_stock import Original, pictures, scans, spoilt
from folder_verdict import Results, Verdict, examples

SETTLE = 0.1
OPTIONS = ("--settle-seconds", SETTLE, "--workers", 2, "--rescan-seconds", 1, "--frames", "each")
VICTIMS = ("daemon", "worker", "both")
AIMED = 0.85  # the share of kills that wait for a temporary,
FEW = 8  # and at most for so many since the kill before
AFTER = 0.0015  # seconds at most from its appearance to the kill
PAUSE = 0.7  # seconds on average until a kill that does not aim
GLANCE = 0.0003  # seconds between two looks for a temporary
BACKLOG = 24  # pictures that wait at most
SPOILT = 0.08  # the share of files that are no pictures
FOLDERS = ("", "a", "a/b", "c d", "é", "f", "g", "h")  # few at the top, where each look lists all
LAST_RUN = 300  # seconds
WANTED = 0.5  # the share of kills that must have hit a temporary,
MANY = 100  # of so many kills; few say nothing of a share


class Stream:
    """Drops pictures in three manners, and remembers what it has dropped."""

    def __init__(self, place: Ground, seed: int) -> None:
        self._place, self._seed = place, seed
        whole = pictures(24)
        self._good = [*whole, *scans(whole[::4])]  # a fifth of them
        self._spoilt = spoilt(whole)
        self.dropped: dict[PurePath, Original] = {}

    def pour(self, manner: str, over: threading.Event) -> None:
        """Drop one picture after the other until it is over."""
        chance = random.Random(f"{self._seed} {manner}")
        number = 0
        while not over.is_set():
            if self._place.waiting() >= BACKLOG:
                over.wait(0.02)
                continue
            original = chance.choice(self._spoilt if chance.random() < SPOILT else self._good)
            name = PurePath(chance.choice(FOLDERS), f"{manner}{number:05}.jpg")
            self.dropped[name] = original
            target = self._place.inbox / name
            target.parent.mkdir(parents=True, exist_ok=True)
            DROP[manner](original.content, target, chance)
            number += 1


def copy(content: bytes, target: Path, chance: random.Random) -> None:
    """Write a picture at once."""
    target.write_bytes(content)


def rename(content: bytes, target: Path, chance: random.Random) -> None:
    """Write a picture under the name of an unfinished download, and rename it."""
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(content)
    part.rename(target)


def write_slowly(content: bytes, target: Path, chance: random.Random) -> None:
    """Write a picture in pieces, with pauses that are shorter than it takes to settle."""
    step = len(content) // chance.randint(2, 5) + 1
    with target.open("wb", buffering=0) as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            time.sleep(chance.uniform(0, SETTLE / 4))


DROP = {"copy": copy, "rename": rename, "slow": write_slowly}


class Killer:
    """Keeps a daemon running and kills it or its workers, again and again.

    Attributes
    ----------
    victims : Counter of str
        Kills by what was killed.
    hits : int
        Kills while a temporary existed.
    """

    def __init__(self, place: Ground, clock: Clock, seed: int) -> None:
        self._place, self._clock = place, clock
        self._chance = random.Random(seed)
        self._daemon = Daemon(place, *OPTIONS)
        self.victims = Counter[str]()
        self.hits = 0

    def kill(self) -> None:
        """Kill once, and start the daemon again if that has hit it."""
        victim = self._chance.choice(VICTIMS)
        if self._chance.random() < AIMED:
            self._aim()
        else:
            time.sleep(self._chance.expovariate(1 / PAUSE))
        if victim == "worker":
            self._wait("a worker", self._daemon.workers)
        workers = self._daemon.workers() if victim != "daemon" else []
        before = self._place.temporaries()
        for pid in self._doomed(victim, workers):
            with contextlib.suppress(ProcessLookupError):  # a worker that has just ended
                os.kill(pid, signal.SIGKILL)
        if victim != "worker":
            self._daemon.kill()  # waits: what is left now is left for the next one
        self.hits += bool(before & self._place.temporaries())
        self.victims[victim] += 1
        if victim != "worker":
            self._daemon = Daemon(self._place, *OPTIONS)

    def stop(self) -> None:
        """Kill for the last time."""
        self._daemon.kill()

    def _aim(self) -> None:
        """Wait until some more temporaries have appeared and one of them is there, and a moment longer."""
        some, seen = self._chance.randint(1, FEW), set[str]()

        def there() -> Collection[str]:
            now = self._place.temporaries()
            seen.update(now)
            return now if len(seen) >= some else ()

        self._wait("a temporary result", there)
        time.sleep(self._chance.uniform(0, AFTER))

    def _doomed(self, victim: str, workers: list[int]) -> list[int]:
        if victim == "worker":
            return self._chance.sample(workers, min(1, len(workers)))
        doomed = [self._daemon.pid, *workers]
        self._chance.shuffle(doomed)
        return doomed

    def _wait(self, what: str, there: Callable[[], Collection[object]]) -> None:
        self._daemon.wait(self._clock, what, there, GLANCE)


def run(where: Path, clock: Clock, kills: int, seed: int) -> list[str]:
    """Run the bench, print its figures and give the promises that were broken."""
    with ground(where) as place:
        stream = Stream(place, seed)
        results = Results(place, stream.dropped)
        killer = Killer(place, clock, seed)
        start = time.monotonic()
        broken = under_way(killer, stream, results, kills)
        minutes = (time.monotonic() - start) / 60
        broken += last_run(place)
        results.look()
        results.look_at_all_again()
        verdict = Verdict(place, stream.dropped)
        words = place.log.read_text(errors="replace")
    count = killer.victims.total()
    hit = killer.hits / max(1, count)
    victims = ", ".join(f"{victim} {killer.victims[victim]}" for victim in VICTIMS)
    print(f"kills: {count} in {minutes:.1f} minutes ({count / minutes:.0f} a minute): {victims}; seed {seed}")
    print(f"kills: {hit:.0%} while a temporary result existed, seen before the kill and after it")
    several = sum(original.pages > 1 for original in stream.dropped.values())
    dropped = f"{len(stream.dropped)} pictures ({several} of several pages)"
    print(f"kills: {dropped}; {len(results.faults)} results partial or wrong at any time")
    print(f"kills: {verdict.line()}")
    for complaint, times in complaints(words).items():
        print(f"kills: {times} times the daemons said: {complaint}")
    if results.faults:
        broken.append(f"{len(results.faults)} results partial or wrong{examples(results.faults)}")
    if count >= MANY and hit < WANTED:
        broken.append(f"only {hit:.0%} of the kills hit a temporary result, less than {WANTED:.0%}")
    broken += [f"the daemons showed a traceback: {trace}" for trace in tracebacks(words)[:1]]
    return broken + verdict.broken


def complaints(words: str) -> Counter[str]:
    """Count what the daemons said as errors: what a user would have to mend, and need not after a kill."""
    return Counter(re.sub(r"/\S*/", ".../", said) for said in re.findall(r" ERROR (.*)", words))


def tracebacks(words: str) -> list[str]:
    """Give the tracebacks, but those of a worker whose daemon was killed before it had told it what to run."""
    found = re.findall(r"^Traceback \(most recent call last\):\n(?: .*\n)*.*", words, re.MULTILINE)
    return [trace for trace in found if "pickle.load(from_parent)" not in trace]


def under_way(killer: Killer, stream: Stream, results: Results, kills: int) -> list[str]:
    """Kill while pictures stream in and results are looked at; say what kept this from its end."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            results.look()

    with ThreadPoolExecutor(len(DROP) + 1) as threads:
        running = [threads.submit(watch), *(threads.submit(stream.pour, manner, over) for manner in DROP)]
        try:
            while killer.victims.total() < kills:
                killer.kill()
                for thread in running:
                    if thread.done():
                        thread.result()
        except Unfinished as error:
            return [f"{killer.victims.total()} of {kills} kills: {error}"]
        finally:
            over.set()
            killer.stop()
        for thread in running:
            thread.result()
    return []


def last_run(place: Ground) -> list[str]:
    """Let a daemon do what is left, and say what was wrong with that."""
    with Daemon(place, *OPTIONS, "--once") as daemon:
        try:
            code = daemon.process.wait(LAST_RUN)
        except subprocess.TimeoutExpired:
            return [f"the last run with --once had not ended after {LAST_RUN} s"]
    return [] if code in (0, 1) else [f"the last run ended with exit code {code}:\n{daemon.words()[-1000:]}"]
