"""What lies in an inbox: which files are originals, which have settled, which are under way or finished."""

import hashlib
import logging
import os
import time
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path

from bgwatch.errors import FolderError, printable
from bgwatch.imagefile import Identity, identity_of
from bgwatch.series import OF_FILE_MANAGERS
from bgwatch.watch.records import Finished
from bgwatch.watch.settle import Settling

UNFINISHED_SUFFIXES = (".part", ".filepart", ".crdownload", ".partial", ".tmp", ".swp", "~")
UNFINISHED_PREFIXES = (".", "~$")
WAITING = 5000  # originals that are followed at once; the others stay in the inbox until there is room
PASSED_OVER = 5.0  # seconds; many that cannot be worked on must not keep the others from their turn
TOLD = 10_000  # words about files that are remembered, so as not to repeat them
SLICE = 500  # files that are looked at before other work has its turn

log = logging.getLogger("bgwatch")


def digest_of(path: Path) -> bytes | None:
    """Give the digest of a file's content; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None


def is_original(name: str) -> bool:
    """Tell whether a file of this name is taken; copies under way, dotfiles and folder thumbnails are not."""
    lower = name.lower()
    unfinished = lower.startswith(UNFINISHED_PREFIXES) or lower.endswith(UNFINISHED_SUFFIXES)
    return not (unfinished or lower in OF_FILE_MANAGERS)


class Intake:
    """Finds the originals in an inbox and hands them out once each.

    Originals are named by their path relative to the inbox.

    Parameters
    ----------
    inbox : Path
        The watched folder.
    quiet : float
        Seconds without a change after which a file is taken.
    finished : dict
        Originals that stay in the inbox and are not to be done again.

    Attributes
    ----------
    touched : dict
        Of those, the ones of which only the time was found changed, and what they are now; for the ledger.
    """

    def __init__(self, inbox: Path, quiet: float, finished: dict[Path, Finished]) -> None:
        self._inbox = inbox
        self._settling = Settling(quiet)
        self._finished = finished
        self.touched: dict[Path, Identity] = {}
        self._ready: deque[Path] = deque()
        self._under_way: dict[Path, Identity] = {}
        self._later: dict[Path, tuple[Identity, float]] = {}
        self._refused: dict[Path, float] = {}
        self._told: set[Path] = set()
        self._more = False
        self._digested = False

    @property
    def idle(self) -> bool:
        """Whether nothing is settling, ready, put off or handed out, and nothing was left for want of room."""
        return not (self.waiting or self._under_way or self._more)

    @property
    def waiting(self) -> int:
        """How many originals are settling, ready or put off."""
        return len(self._settling) + len(self._ready) + len(self._later)

    @property
    def more(self) -> bool:
        """Whether originals were left in the inbox for want of room."""
        return self._more

    @property
    def wants_scan(self) -> bool:
        """Whether there is room again for originals that were left in the inbox."""
        return self._more and self.waiting < WAITING // 2

    def scan(self) -> Iterator[None]:
        """Look at every file in the inbox, in the order of their names, some at each step."""
        self._more = False
        now = time.monotonic()
        self._refused = {original: until for original, until in self._refused.items() if until > now}
        yield from self._scan(self._inbox)

    def follow(self, hint: Path) -> None:
        """Look at a path that may have changed, if it lies in the inbox; at a folder with all in it."""
        if not hint.is_relative_to(self._inbox):
            return
        if os.path.isdir(hint) and not hint.is_symlink():
            for _ in self._scan(hint):
                pass
        else:
            self.look(hint.relative_to(self._inbox))

    def settle(self) -> None:
        """Look again at the files that may have settled, and at those whose time has come."""
        now = time.monotonic()
        for path in self._settling.due(now):
            self.look(path)
        for path in [path for path, (_, until) in self._later.items() if until <= now]:
            self.look(path)

    def next_due(self) -> float | None:
        """Tell when `settle` has something to look at."""
        due = [until for _, until in self._later.values()]
        settled = self._settling.next_due()
        return min(due if settled is None else [settled, *due], default=None)

    def take(self) -> Path | None:
        """Hand out the next settled original; it stays under way until it is released."""
        return self._ready.popleft() if self._ready else None

    def release(self, original: Path) -> Identity:
        """Take back an original that was handed out; give what it was when it had settled."""
        return self._under_way.pop(original)

    def refuse(self, original: Path) -> None:
        """Take back an original that cannot be worked on; it is passed over for a while and takes up no room."""
        del self._under_way[original]
        self._refused[original] = time.monotonic() + PASSED_OVER

    def put_off(self, original: Path, identity: Identity, seconds: float) -> None:
        """Look at an original again only after a while, or when it has changed."""
        self._later[original] = (identity, time.monotonic() + seconds)

    def finish(self, original: Path, identity: Identity, digest: bytes | None = None) -> None:
        """Remember that an original which stays in the inbox is not to be done again."""
        self._finished[original] = Finished(identity.size, identity.mtime_ns, digest)

    def forget(self, original: Path) -> None:
        """Let an original be done again, should it be there."""
        self._finished.pop(original, None)

    def forget_all_but(self, kept: Collection[Path]) -> bool:
        """Let other originals that stay in the inbox be done again; tell whether there were any."""
        forgotten = [original for original in self._finished if original not in kept]
        for original in forgotten:
            del self._finished[original]
        return bool(forgotten)

    def look(self, original: Path) -> None:
        """Look at a file of which nothing is known yet, or which may have changed."""
        if not original.name or not is_original(original.name) or any(part.startswith(".") for part in original.parts):
            return
        path = self._inbox / original
        try:
            identity = identity_of(path)
        except FolderError as error:  # what is known of it holds until it can be looked at again
            self._tell_once(path, str(error).removeprefix(f"{path}: "))
            return
        if identity is None:
            self._lose(original)
            return
        if original in self._under_way or self._is_finished(original, identity):
            self._settling.forget(original)
            return
        if self._waits(original, identity):
            return
        if original not in self._settling and self.waiting >= WAITING:
            self._more = True
            return
        if self._settling.look(original, identity, time.monotonic()):
            self._ready.append(original)
            self._under_way[original] = identity

    def _lose(self, original: Path) -> None:
        """Forget a file that has gone, or has become something else."""
        self._settling.forget(original)
        self._later.pop(original, None)
        self._finished.pop(original, None)
        if os.path.lexists(self._inbox / original):
            self._tell_once(self._inbox / original, "is no regular file and is left alone")

    def _waits(self, original: Path, identity: Identity) -> bool:
        """Tell whether a file is not to be taken yet."""
        now = time.monotonic()
        if now < self._refused.get(original, now):
            return True
        put_off, until = self._later.get(original, (None, now))
        if put_off == identity and now < until:
            return True
        self._later.pop(original, None)
        return False

    def _is_finished(self, original: Path, identity: Identity) -> bool:
        known = self._finished.get(original)
        if known is None or known.size != identity.size:
            return False
        if known.mtime_ns == identity.mtime_ns:
            return True
        self._digested = True
        if known.digest is None or known.digest != digest_of(self._inbox / original):
            # a file that is being written is not read again at each of its changes
            self._finished[original] = known._replace(digest=None)
            return False
        self.finish(original, identity, known.digest)
        self.touched[original] = identity
        return True

    def _scan(self, folder: Path) -> Iterator[None]:
        def unreadable(error: OSError) -> None:
            self._tell_once(Path(error.filename), f"cannot be read ({error.strerror}); check its rights")

        count = 0
        for name, folders, files in os.walk(folder, onerror=unreadable):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            below = Path(name).relative_to(self._inbox)
            links = [folder for folder in folders if (Path(name) / folder).is_symlink()]
            for file in sorted(files + links):  # walk does not go into links; look tells of them
                self.look(below / file)
                if self._more:
                    return
                count += 1
                if self._digested or count % SLICE == 0:
                    self._digested = False
                    yield
            count += 1

    def _tell_once(self, path: Path, what: str) -> None:
        if len(self._told) >= TOLD:
            self._told.clear()
        if path not in self._told:
            self._told.add(path)
            log.warning("%s: %s", printable(str(path)), what, extra={"file": str(path)})
