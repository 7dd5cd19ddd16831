"""The loop of the daemon: scan, events, settle, queue, workers, filing, stop.

Events are hints and the rescan is the truth: an event makes a picture come out sooner, a lost one makes it come out
after ``rescan_seconds``. An original leaves the inbox only after its result is durably in place; a daemon that is
killed in between finds the half-done step in the ledger and finishes it.

Accepted risk: a writer that pauses for longer than ``settle_seconds`` in the middle of a file hands in what looks like
a whole file. If that does not decode it goes to ``failed``, where nothing is lost.
"""

import contextlib
import logging
import queue
import signal
import time
from collections import Counter, deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import platformdirs

from bgwatch.errors import printable
from bgwatch.job import Job, Outcome, pool
from bgwatch.settings import Folder, Segmentation, Settings
from bgwatch.watch.events import Events
from bgwatch.watch.filing import Filing, places, refuse_loops
from bgwatch.watch.intake import Intake
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.outcomes import Outcomes
from bgwatch.workers import Workers

STOP_GRACE = 7.0
HINTS_AT_ONCE = 1000

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
    intake : Intake
        Its inbox.
    outcomes : Outcomes
        What becomes of its pictures.
    lines : dict of str to deque of Job
        Jobs whose results want the same name, in the order of their submission: numbers go by it.
    landed : dict of str to Outcome
        Outcomes that wait for an earlier one of their line, by temporary.
    """

    folder: Folder
    filing: Filing
    intake: Intake
    outcomes: Outcomes
    lines: dict[str, deque[Job]] = field(default_factory=dict)
    landed: dict[str, Outcome] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.filing.where.inbox


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
        self._watched: list[Watched] = []
        self._jobs: dict[str, tuple[Watched, Path]] = {}

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
            self._obey_signals(stack)
            self._workers: Workers[Job, Outcome] = pool(self._count, self._settings, lambda: self._hints.put(None))
            stack.callback(self._end_workers)
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
        intake = Intake(inbox, folder.settle_seconds, self._ledger.staying(inbox))
        outcomes = Outcomes(filing, intake, self._ledger)
        outcomes.recover()
        if count := filing.sweep():
            log.info("swept %d unfinished files of an earlier run", count)
        return Watched(folder, filing, intake, outcomes)

    def _obey_signals(self, stack: ExitStack) -> None:
        def handler(number: int, frame: FrameType | None) -> None:
            if self._stopping:
                raise KeyboardInterrupt  # the second time: do not wait for running pictures
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
                    watched.outcomes.pay()
                    watched.intake.scan()
                rescan_at = time.monotonic() + self._settings.rescan_seconds
            for watched in self._watched:
                watched.intake.settle()
            self._dispatch()
            for outcome in self._workers.collect():
                self._take(outcome)
            self._dispatch()
            if once and not self._workers.busy and all(watched.intake.idle for watched in self._watched):
                return
            self._wait(rescan_at)

    def _wait(self, rescan_at: float) -> None:
        """Sleep until something is due, and take the hints that came."""
        due = [watched.intake.next_due() for watched in self._watched]
        until = min([rescan_at, *(moment for moment in due if moment is not None)])
        try:
            hint = self._hints.get(timeout=max(0.0, until - time.monotonic()))
            for _ in range(HINTS_AT_ONCE):  # busy writers must not keep the loop from its other work
                if hint is not None:
                    for watched in self._watched:
                        watched.intake.follow(hint)
                hint = self._hints.get_nowait()
        except queue.Empty:
            return

    def _dispatch(self) -> None:
        """Keep the workers filled, the folders taking turns."""
        hungry = list(self._watched)
        while hungry and self._workers.room:
            watched = hungry.pop(0)
            if original := watched.intake.take():
                self._send(watched, original)
                hungry.append(watched)

    def _send(self, watched: Watched, original: Path) -> None:
        folder = watched.folder
        job = Job(
            source=str(watched.inbox / original),
            temporary=str(watched.filing.temporary()),
            options=folder.model_dump(include=set(Segmentation.model_fields)),
            max_pixels=folder.max_pixels,
            follow_symlinks=False,
        )
        self._jobs[job.temporary] = watched, original
        watched.lines.setdefault(_line(watched, original), deque()).append(job)
        self._workers.submit(job)

    def _take(self, outcome: Outcome) -> None:
        """File an outcome, and those of the same line that waited for it."""
        watched, original = self._jobs[outcome.job.temporary]
        name = _line(watched, original)
        watched.landed[outcome.job.temporary] = outcome
        line = watched.lines[name]
        while line and line[0].temporary in watched.landed:
            job = line.popleft()
            _, first = self._jobs.pop(job.temporary)
            watched.outcomes.file(first, watched.landed.pop(job.temporary))
        if not line:
            del watched.lines[name]

    def _end_workers(self) -> None:
        """Let running pictures finish for a while; what does not is done again next time."""
        for outcome in self._workers.stop(STOP_GRACE if self._stopping else 0):
            self._take(outcome)
        for temporary in self._jobs:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)

    def _exit_code(self, once: bool) -> int:
        counts = Counter[str]()
        for watched in self._watched:
            counts.update(watched.outcomes.counts)
        log.info("%d done, %d to be reviewed, %d failed", counts["done"], counts["unsure"], counts["failed"])
        if not once or self._stopping:
            return 0
        if counts["blocked"]:
            return 3
        return 1 if counts["failed"] or not counts.total() else 0


def _line(watched: Watched, original: Path) -> str:
    return str(watched.filing.result_name(original)).casefold()
