"""The loop of the daemon: scan, events, settle, queue, workers, filing, stop.

Events are hints and the rescan is the truth: an event makes a picture come out sooner, a lost one makes it come out
after ``rescan_seconds``. An original leaves the inbox only after its result is durably in place; a daemon that is
killed in between finds the half-done step in the ledger and finishes it.

Accepted risk: a writer that pauses for longer than ``settle_seconds`` in the middle of a file hands in what looks like
a whole file. If that does not decode it goes to ``failed``, where nothing is lost.
"""

import logging
import os
import queue
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import platformdirs

from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity
from bgwatch.job import Job, Outcome, pool, publish
from bgwatch.report import printable
from bgwatch.settings import Folder, Segmentation, Settings
from bgwatch.watch.events import Events
from bgwatch.watch.filing import Filing, identity_of, is_original, places, refuse_loops
from bgwatch.watch.ledger import Ledger, Placing
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.settle import Settling
from bgwatch.workers import Workers

STOP_GRACE = 7.0

log = logging.getLogger("bgwatch")


def state_folder() -> Path:
    """Where the ledger lies when no folder is named."""
    return platformdirs.user_state_path("bgwatch", appauthor=False)


@dataclass
class Watched:
    """One watched folder and what is under way in it.

    Attributes
    ----------
    folder : Folder
        Its settings.
    filing : Filing
        Its places.
    settling : Settling
        Files that may still be changing.
    handled : dict
        Size and mtime_ns of originals that stay in the inbox and are finished.
    ready : deque of Path
        Settled originals in the order they are to be done.
    flying : dict of Path to Identity
        Originals that are ready or with a worker.
    lines : dict of str to deque of Job
        Jobs whose results want the same name, in the order of their submission: numbers go by it.
    landed : dict of str to Outcome
        Outcomes that wait for an earlier one of their line, by temporary.
    """

    folder: Folder
    filing: Filing
    settling: Settling
    handled: dict[Path, tuple[int, int]]
    ready: deque[Path] = field(default_factory=deque)
    flying: dict[Path, Identity] = field(default_factory=dict)
    lines: dict[str, deque[Job]] = field(default_factory=dict)
    landed: dict[str, Outcome] = field(default_factory=dict)
    told: set[Path] = field(default_factory=set)

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.filing.where.inbox

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not (len(self.settling) or self.ready or self.flying)


class Service:
    """Watches folders until told to stop.

    Parameters
    ----------
    settings : Settings
        All of them; at least one folder.
    state : Path
        Folder for the ledger.
    count : int
        Worker processes.
    """

    def __init__(self, settings: Settings, state: Path, count: int) -> None:
        self._settings, self._state, self._count = settings, state, count
        self._hints: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._stopping = False
        self._counts = {"done": 0, "unsure": 0, "failed": 0, "blocked": 0}
        self._watched: list[Watched] = []

    def run(self, once: bool = False) -> int:
        """Work until SIGTERM or SIGINT, or until all that is there is done; give the exit code.

        Raises
        ------
        SettingsError
            When the folders would feed each other.
        FolderError
            When a folder is missing rights or is watched already, or the ledger cannot be used.
        """
        refuse_loops([places(folder) for folder in self._settings.folders], self._state)
        with ExitStack() as stack:
            self._ledger = Ledger(self._state / "ledger.sqlite")
            stack.callback(self._ledger.close)
            for folder in self._settings.folders:
                self._watched.append(self._opened(folder, stack))
            self._workers: Workers[Job, Outcome] = pool(self._count, self._settings, lambda: self._hints.put(None))
            stack.callback(self._end_workers)
            self._obey_signals(stack)
            self._listen(stack)
            self._loop(once)
        return self._exit_code(once)

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler and from another thread."""
        self._stopping = True
        self._hints.put(None)

    def _opened(self, folder: Folder, stack: ExitStack) -> Watched:
        filing = Filing(places(folder))
        filing.prepare(lambda place: log.info("created the folder %s", printable(str(place))))
        inbox = filing.where.inbox
        stack.callback(InboxLock(inbox).close)
        watched = Watched(folder, filing, Settling(folder.settle_seconds), {})
        for left in self._ledger.unfinished(inbox):
            self._recover(watched, left)
        if count := filing.sweep():
            log.info("swept %d unfinished results of an earlier run", count)
        watched.handled = self._ledger.handled(inbox)
        return watched

    def _recover(self, watched: Watched, left: Placing) -> None:
        """Finish what an earlier daemon was killed in the middle of."""
        try:
            placed = left.result.lstat().st_ino == left.result_inode
        except OSError:
            placed = False
        if not placed:
            self._ledger.finish(left.row, "dropped")  # the original is still there and is done again
            return
        if left.review:
            watched.filing.explain_doubt(left.result, left.reason)
        identity = identity_of(watched.inbox / left.path)
        if identity and (identity.size, identity.mtime_ns) == (left.size, left.mtime_ns):
            watched.filing.put_away(left.path)
        self._ledger.finish(left.row, "review" if left.review else "done")
        log.info("finished what was begun before: %s", printable(str(left.path)))

    def _obey_signals(self, stack: ExitStack) -> None:
        def handler(number: int, frame: FrameType | None) -> None:
            self.stop()

        for name in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, name, signal.signal(name, handler))

    def _listen(self, stack: ExitStack) -> None:
        events = Events(self._hints.put)
        stack.callback(events.stop)
        for watched in self._watched:
            where = watched.filing.where
            try:
                events.watch(where.inbox)
            except OSError as error:
                log.warning(
                    "%s: no events (%s); it is read every %g s instead",
                    *(printable(str(where.inbox)), error.strerror, self._settings.rescan_seconds),
                )
            log.info("watching %s, results to %s", printable(str(where.inbox)), printable(str(where.outbox)))

    def _loop(self, once: bool) -> None:
        rescan_at = time.monotonic()
        while not self._stopping:
            now = time.monotonic()
            if now >= rescan_at:
                for watched in self._watched:
                    self._scan(watched, watched.inbox)
                rescan_at = time.monotonic() + self._settings.rescan_seconds
            for watched in self._watched:
                self._settle(watched)
            self._dispatch()
            for outcome in self._workers.collect():
                self._take(outcome)
            self._dispatch()
            if once and not self._workers.busy and all(watched.idle for watched in self._watched):
                return
            self._wait(rescan_at)

    def _wait(self, rescan_at: float) -> None:
        """Sleep until something is due, and take the hints that came."""
        due = [watched.settling.next_due() for watched in self._watched]
        until = min([rescan_at, *(moment for moment in due if moment is not None)])
        try:
            hint = self._hints.get(timeout=max(0.0, until - time.monotonic()))
            while True:
                if hint is not None:
                    self._follow(hint)
                hint = self._hints.get_nowait()
        except queue.Empty:
            return

    def _follow(self, hint: Path) -> None:
        for watched in self._watched:
            if hint.is_relative_to(watched.inbox):
                if hint.is_dir() and not hint.is_symlink():
                    self._scan(watched, hint)
                else:
                    self._consider(watched, hint)

    def _scan(self, watched: Watched, folder: Path) -> None:
        def unreadable(error: OSError) -> None:
            self._tell_once(watched, Path(error.filename), f"cannot be read ({error.strerror}); check its rights")

        for name, folders, files in os.walk(folder, onerror=unreadable):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for file in sorted(files):
                self._consider(watched, Path(name, file))

    def _consider(self, watched: Watched, path: Path) -> None:
        """Look at a file of which nothing is known yet, or which may have changed."""
        original = path.relative_to(watched.inbox)
        if not original.name or not is_original(path.name) or any(part.startswith(".") for part in original.parts):
            return
        identity = identity_of(path)
        if identity is None:
            watched.settling.forget(path)
            watched.handled.pop(original, None)
            if os.path.lexists(path):
                self._tell_once(watched, path, "is no regular file and is left alone")
            return
        if original in watched.flying or watched.handled.get(original) == (identity.size, identity.mtime_ns):
            return
        if watched.settling.look(path, identity, time.monotonic()):
            watched.ready.append(original)
            watched.flying[original] = identity

    def _settle(self, watched: Watched) -> None:
        for path in watched.settling.due(time.monotonic()):
            self._consider(watched, path)

    def _dispatch(self) -> None:
        """Keep the workers filled, the folders taking turns."""
        while self._workers.room and any(watched.ready for watched in self._watched):
            for watched in self._watched:
                if watched.ready and self._workers.room:
                    self._send(watched, watched.ready.popleft())

    def _send(self, watched: Watched, original: Path) -> None:
        folder = watched.folder
        job = Job(
            source=str(watched.inbox / original),
            temporary=str(watched.filing.temporary()),
            options=folder.model_dump(include=set(Segmentation.model_fields)),
            max_pixels=folder.max_pixels,
            follow_symlinks=False,
        )
        watched.lines.setdefault(_line(watched, original), deque()).append(job)
        self._workers.submit(job)

    def _take(self, outcome: Outcome) -> None:
        """File an outcome, and those of the same line that waited for it."""
        source = Path(outcome.job.source)
        watched = next(watched for watched in self._watched if source.is_relative_to(watched.inbox))
        name = _line(watched, source.relative_to(watched.inbox))
        watched.landed[outcome.job.temporary] = outcome
        line = watched.lines[name]
        while line and line[0].temporary in watched.landed:
            self._file(watched, watched.landed.pop(line.popleft().temporary))
        if not line:
            del watched.lines[name]

    def _file(self, watched: Watched, outcome: Outcome) -> None:
        source = Path(outcome.job.source)
        original = source.relative_to(watched.inbox)
        taken = watched.flying.pop(original)
        now_there = identity_of(source)
        try:
            if now_there is None:
                log.info("gone while it was worked on: %s", printable(str(original)))
            elif now_there != (outcome.identity or taken):
                log.info("changed while it was worked on, done again: %s", printable(str(original)))
                self._consider(watched, source)
            elif outcome.state == "blocked":
                self._block(outcome.reasons[0])
            elif outcome.state == "failed":
                self._file_failure(watched, original, now_there, outcome)
            else:
                self._file_result(watched, original, now_there, outcome)
        except FolderError as error:
            self._block(str(error))
        finally:
            Path(outcome.job.temporary).unlink(missing_ok=True)

    def _block(self, reason: str) -> None:
        """Note a fault of the place; the original stays where it is and is tried again at the next rescan."""
        self._counts["blocked"] += 1
        log.error("%s", printable(reason))

    def _file_failure(self, watched: Watched, original: Path, identity: Identity, outcome: Outcome) -> None:
        reason = "; ".join(outcome.reasons)
        place = watched.filing.put_to_failed(original, reason)
        self._ledger.failed(watched.inbox, original, identity, reason)
        self._counts["failed"] += 1
        log.warning("failed: %s (now %s)", printable(reason), printable(str(place)))

    def _file_result(self, watched: Watched, original: Path, identity: Identity, outcome: Outcome) -> None:
        temporary = Path(outcome.job.temporary)
        review = outcome.state == "unsure"
        reason = "; ".join(outcome.reasons) or ("its confidence is below min_confidence" if review else "")
        while True:
            result = watched.filing.result_place(original, review)
            row = self._ledger.placing(
                watched.inbox, original, identity, result, temporary.stat().st_ino, review, outcome.confidence, reason
            )
            try:
                publish(temporary, result)
                break
            except FileExistsError:
                self._ledger.finish(row, "dropped")
        if review:
            watched.filing.explain_doubt(result, reason)
        watched.filing.put_away(original)
        self._ledger.finish(row, "review" if review else "done")
        if watched.filing.where.keep:
            watched.handled[original] = (identity.size, identity.mtime_ns)
        self._counts[outcome.state] += 1
        said = f"{original} -> {result} (confidence {outcome.confidence:.2f}, {outcome.seconds:.2f} s)"
        log.info("%s", printable(f"{said}, to be reviewed: {reason}" if review else said))

    def _tell_once(self, watched: Watched, path: Path, what: str) -> None:
        if path not in watched.told:
            watched.told.add(path)
            log.warning("%s: %s", printable(str(path)), what)

    def _end_workers(self) -> None:
        """Let running pictures finish for a while; what does not is done again next time."""
        for outcome in self._workers.stop(STOP_GRACE if self._stopping else 0):
            self._take(outcome)
        for job in self._unfiled():
            Path(job.temporary).unlink(missing_ok=True)

    def _unfiled(self) -> Iterator[Job]:
        for watched in self._watched:
            for line in watched.lines.values():
                yield from line

    def _exit_code(self, once: bool) -> int:
        counts = self._counts
        log.info("%d done, %d to be reviewed, %d failed", counts["done"], counts["unsure"], counts["failed"])
        if not once or self._stopping:
            return 0
        if counts["blocked"]:
            return 3
        return 1 if counts["failed"] or not sum(counts.values()) else 0


def _line(watched: Watched, original: Path) -> str:
    return str(watched.filing.result_name(original)).casefold()
