"""Break small files of every kind and read them, for as long as you like: nothing but a sentence may come of it.

Usage: fuzz.py [--minutes N] [--seed S] [--finds DIR]

A find is kept as a file in DIR, named for what came of it: another exception than PictureError, a word on standard
output or standard error, a crash, ten seconds without an answer, or more memory than READER_BYTES.
"""

import argparse
import contextlib
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

import zoo  # noqa: E402

from bgwatch.errors import PictureError  # noqa: E402
from bgwatch.imagefile import decode, frames  # noqa: E402
from bgwatch.settings import PictureLimits  # noqa: E402

SECONDS = 10
READER_BYTES = 1_500_000_000  # of address space, half of which libraries take
EACH = 2000  # files a process
LIMITS = PictureLimits(max_pixels=1_000_000, max_frames=20)


def main() -> None:
    """Start one reader after another until the time is over, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--finds", type=Path, default=Path("finds"))
    parser.add_argument("--reader", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.finds.mkdir(parents=True, exist_ok=True)
    if given.reader:
        read(given.finds, given.seed)
        return
    end, seed, found = time.monotonic() + 60 * given.minutes, given.seed, Counter[str]()
    while time.monotonic() < end:
        _watch(given.finds, seed, found, end)
        seed += 1
        print(f"{(seed - given.seed) * EACH} files at most; finds: {dict(found) or 'none'}", flush=True)
    sys.exit(1 if found else 0)


def _watch(finds: Path, seed: int, found: "Counter[str]", end: float) -> None:
    """Run one reader; what ends it is a find."""
    said = finds / "said"
    with said.open("wb") as words:
        arguments = [sys.executable, __file__, "--reader", "--seed", str(seed), "--finds", str(finds)]
        reader = subprocess.Popen(arguments, stdout=words, stderr=words, start_new_session=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            reader.wait(max(1.0, end - time.monotonic()))
        if reader.returncode is None:
            reader.kill()
            reader.wait()
            return
    if reader.returncode:
        _keep(finds, f"ended-{reader.returncode}", (finds / "current").read_bytes())
    for path in finds.glob(f"{seed}-*"):
        found[path.name.split("-")[1]] += 1
    if reader.returncode:
        found[f"ended {reader.returncode}"] += 1


def read(finds: Path, seed: int) -> None:
    """Break and read files in this process, which is bounded."""
    resource.setrlimit(resource.RLIMIT_AS, (READER_BYTES, READER_BYTES))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    dice = random.Random(seed)
    names = list(zoo.MAKERS)
    current = finds / "current"
    for _ in range(EACH):
        data = zoo.broken(zoo.made(dice.choice(names)), dice)
        current.write_bytes(data)
        signal.alarm(SECONDS)
        if kind := outcome(current):
            _keep(finds, f"{seed}-{kind}", data)
    signal.alarm(0)


def outcome(path: Path) -> str:
    """Read a file both ways; give a word for what must not be."""
    before = os.fstat(2).st_size
    for way in (decode, lambda path, limits: sum(1 for _ in frames(path, limits))):
        try:
            way(path, LIMITS)
        except PictureError as error:
            if "\n" in str(error):
                return "lines"
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a find
            with path.with_name("finds.log").open("a") as log:
                log.write(traceback.format_exc() + "\n")
            return type(error).__name__
    return "words" if os.fstat(2).st_size > before else ""


def _keep(finds: Path, kind: str, data: bytes) -> None:
    (finds / f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


if __name__ == "__main__":
    main()
