"""Hold the watched folder to its promises: a real daemon, real files, and figures.

    python tests/bench/folder.py [kills|burst|steady|latency|all] [--kills 1000] [--pictures N] [--where DIR]

    kills     SIGKILLs at random moments while pictures stream in: nothing lost, doubled, partial or left over
    burst     60,000 pictures dropped at once: each gets its result or its reason; pictures a second, and what bounds it
    steady    10,000 pictures of all sizes through one daemon: its memory stays flat
    latency   one picture every half second: from its last byte to its result

Each prints its figures, then a line for each promise that was broken, and the exit code is 1 if there is one. All of
them together take an hour or more on two cores, and end with --minutes, which is said when it comes to that. --where
chooses the disk.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import folder_burst
import folder_kills
import folder_latency
import folder_steady
from folder_ground import Clock, Unfinished

BENCHES = ("kills", "burst", "steady", "latency")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?", choices=[*BENCHES, "all"], default="all")
    parser.add_argument("--kills", type=int, default=1000, help="SIGKILLs (1000)")
    parser.add_argument("--pictures", type=int, help="pictures of burst (60000), steady (10000) and latency (500)")
    parser.add_argument("--seed", type=int, default=0, help="seeds what is random (0)")
    parser.add_argument("--minutes", type=float, default=120, help="the time of all together (120)")
    parser.add_argument("--where", type=Path, default=Path(tempfile.gettempdir()), help="folder on the disk to use")
    asked = parser.parse_args(arguments)
    if not asked.where.is_dir():
        parser.error(f"--where {asked.where}: is no folder; name one that is there")
    clock = Clock(asked.minutes)
    benches: dict[str, Callable[[], list[str]]] = {
        "kills": lambda: folder_kills.run(asked.where, clock, asked.kills, asked.seed),
        "burst": lambda: folder_burst.run(asked.where, clock, asked.pictures or 60_000),
        "steady": lambda: folder_steady.run(asked.where, clock, asked.pictures or 10_000, asked.seed),
        "latency": lambda: folder_latency.run(asked.where, clock, asked.pictures or 500),
    }
    broken = 0
    for name in BENCHES if asked.bench == "all" else [asked.bench]:
        try:
            wrong = benches[name]()
        except Unfinished as error:
            wrong = [str(error)]
        for promise in wrong:
            print(f"{name}: BROKEN: {promise}")
        broken += len(wrong)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
