"""What became of all that was dropped: results opened as they appear, and the account at the end."""

import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from folder_ground import Ground, files_below, is_temporary
from folder_stock import Original
from PIL import Image

LAST_CHUNK = b"IEND\xaeB`\x82"
EXAMPLES = 3
NUMBERED = re.compile(r"-\d+\.[^/]*$")
Dropped = Mapping[PurePath, Original]
"""Originals by their path in the inbox; every name ends in .jpg, and no two differ in their suffix alone."""


class Results:
    """Opens every result and reason when it appears: each is whole from the start, and stays as it is.

    Attributes
    ----------
    faults : list of str
        What was found partial, wrong, changed or gone.
    """

    def __init__(self, ground: Ground, dropped: Dropped) -> None:
        self._outbox, self._dropped = ground.outbox, dropped
        self._seen: dict[str, int] = {}
        self._good: set[tuple[bytes, tuple[int, int]]] = set()
        self.faults: list[str] = []

    def look(self) -> None:
        """Look at what has appeared since the last time."""
        there = dict(self._there())
        for path, inode in there.items():
            if self._seen.get(path) != inode:
                if path in self._seen:
                    self.faults.append(f"{path}: another file has taken its place")
                self._seen[path] = inode
                self._open(Path(path))
        gone = [path for path in self._seen.keys() - there.keys() if not os.path.lexists(path)]
        for path in gone:
            self.faults.append(f"{path}: had appeared, and has gone")
            del self._seen[path]

    def look_at_all_again(self) -> None:
        """Look once more at the content of all that has ever appeared."""
        self._seen.clear()
        self.look()

    def _there(self) -> Iterator[tuple[str, int]]:
        for entry in files_below(self._outbox, but="done"):
            if entry.name.endswith((".png", ".reason.txt")) and not in_temporary(Path(entry.path)):
                yield entry.path, entry.inode()

    def _open(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # the next look tells that it has gone
            return
        if path.suffix == ".png":
            wrong = self._wrong_with_result(content, path)
        else:
            wrong = "" if content.endswith(b"\n") else "is half a reason"
        if wrong:
            self.faults.append(f"{path}: {wrong}")

    def _wrong_with_result(self, content: bytes, path: Path) -> str:
        place = path.relative_to(self._outbox)
        inside = place.relative_to("review") if place.parts[0] == "review" else place
        name = (inside.parent if inside.parent.suffix == ".frames" else inside).with_suffix(".jpg")
        original = self._dropped.get(name)
        if original is None or original.size is None or inside not in original.results(name):
            return "is a result of nothing that was dropped"
        if original.pages > 1 and sum(1 for _ in path.parent.iterdir()) != original.pages:
            return f"is not one of {original.pages} pages"
        known = hashlib.sha256(content).digest(), original.size
        if known in self._good:  # byte for byte a result that has been decoded
            return ""
        wrong = wrong_with_png(content, original.size)
        if not wrong:
            self._good.add(known)
        return wrong


def wrong_with_png(content: bytes, size: tuple[int, int]) -> str:
    """Decode a result to its last byte and say what is wrong with it, or nothing."""
    if not content.endswith(LAST_CHUNK):
        return f"is partial: its {len(content)} bytes do not end as a PNG does"
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.load()
    except (OSError, SyntaxError) as error:  # what Pillow raises for broken PNGs
        return f"is partial: {error}"
    return "" if image.size == size else f"is {image.size} large where its original gives {size}"


class Verdict:
    """The account: one result or one reason for each original, all originals whole, and nothing else.

    Attributes
    ----------
    counts : Counter of str
        How many originals ended as ``result``, ``review`` (a result and the reason for doubt) and ``failed``.
    innocent : list of PurePath
        Originals that failed although they are pictures.
    lost, twofold, undecided, leftovers, strangers : list of str
        Originals that are nowhere or changed; results with a number in their name; originals without an end, or
        with more than one; unfinished files; and what else should not be there.
    """

    def __init__(self, ground: Ground, dropped: Dropped) -> None:
        self._ground = ground
        files = {Path(entry.path) for top in (ground.inbox, ground.outbox) for entry in files_below(top)}
        self.counts = Counter[str]()
        self.innocent: list[PurePath] = []
        self.lost: list[str] = []
        self.undecided: list[str] = []
        for name, original in dropped.items():
            files -= self._judge(name, original, files)
        rest = sorted(files)
        left = [path for path in rest if in_temporary(path)]
        empty = ground.temporaries().difference(*(path.parts for path in left))
        self.leftovers = [*map(str, left), *sorted(empty)]
        others = [str(path) for path in rest if not in_temporary(path)]
        self.twofold = [path for path in others if NUMBERED.search(path)]
        self.strangers = [path for path in others if not NUMBERED.search(path)]

    @property
    def broken(self) -> list[str]:
        """Say which promises were broken, with examples."""
        wrong = {
            "originals lost, changed or doubled": self.lost,
            "originals without exactly one end": self.undecided,
            "duplicates": self.twofold,
            "leftovers": self.leftovers,
            "files that should not be there": self.strangers,
        }
        return [f"{len(found)} {what}{examples(found)}" for what, found in wrong.items() if found]

    def line(self) -> str:
        """Say what became of all."""
        results = self.counts["result"] + self.counts["review"]
        innocent = f" ({len(self.innocent)} of them pictures{examples(self.innocent)})" if self.innocent else ""
        return (
            f"{results} results ({self.counts['review']} to be reviewed), {self.counts['failed']} reasons{innocent}; "
            f"{len(self.lost)} lost, {len(self.twofold)} duplicates, {len(self.leftovers)} leftovers, "
            f"{len(self.undecided) + len(self.strangers)} otherwise amiss"
        )

    def _judge(self, name: PurePath, original: Original, files: set[Path]) -> set[Path]:
        """Find how an original ended, and give its files."""
        inbox, outbox = self._ground.inbox, self._ground.outbox
        done, failed, review = outbox / "done" / name, outbox / "failed" / name, outbox / "review" / name
        made = original.results(name)
        ends = {
            "result": {done, *(outbox / result for result in made)},
            "review": {done, review.with_suffix(".reason.txt"), *(outbox / "review" / result for result in made)},
            "failed": {failed, failed.with_name(f"{name.name}.reason.txt")},
        }
        own = files & {inbox / name}.union(*ends.values())
        ended = [end for end, due in ends.items() if own == due]
        whole = [path for path in own & {inbox / name, done, failed} if path.read_bytes() == original.content]
        if len(whole) != 1:
            self.lost.append(f"{name} ({len(whole)} whole copies)")
        if ended and (ended == ["failed"] or original.size):
            self.counts[ended[0]] += 1
            if ended == ["failed"] and original.size:
                self.innocent.append(name)
        else:
            self.undecided.append(f"{name} ({', '.join(sorted(str(path) for path in own)) or 'no file'})")
        return own


def in_temporary(path: Path) -> bool:
    """Tell whether a file is an unfinished one, or lies in an unfinished folder."""
    return any(map(is_temporary, path.parts))


def examples(found: Sequence[object]) -> str:
    """Give the first few of a list in words."""
    shown = ", ".join(map(str, found[:EXAMPLES]))
    return f": {shown}{', ...' if len(found) > EXAMPLES else ''}" if found else ""
