"""One watched folder: whether it is there, its events, its rescans, and what is under way in it."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bgwatch.durable import discard
from bgwatch.errors import FolderError, printable
from bgwatch.job import Job, Outcome
from bgwatch.settings import Folder, Output, PictureLimits, Segmentation
from bgwatch.watch.events import Events, is_remote
from bgwatch.watch.filing import Filing
from bgwatch.watch.intake import SLICE, Intake
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.outcomes import Outcomes
from bgwatch.watch.voice import Voice

CHECK = 2.0  # seconds between two looks at whether the folders are there and the events sound
POLL = 2.0  # seconds between two rescans of a folder that has no events
PAUSE = 5.0  # seconds until the first picture is tried after the folders could not be used; then twice as long

SCANNED = object()

log = logging.getLogger("bgwatch")


class Watched:
    """Looks after one watched folder, one small step at a time, and never blocks for long.

    Parameters
    ----------
    folder : Folder
        Its settings.
    lock : InboxLock
        Of its inbox; taken over.
    ledger : Ledger
        The memory of the daemon.
    rescan_seconds : float
        Time between two rescans.
    polling : {"auto", "always", "never"}
        Whether to rescan every few seconds instead of waiting for events.
    hint : callable
        Called with every path that may have changed, from another thread.

    Raises
    ------
    FolderError
        When the folders cannot be used.

    Attributes
    ----------
    folder, lock, filing, intake, voice, outcomes
        As above, its places, its inbox, its log, and what becomes of its pictures.
    """

    def __init__(
        self,
        folder: Folder,
        lock: InboxLock,
        ledger: Ledger,
        rescan_seconds: float,
        polling: str,
        hint: Callable[[Path], None],
    ) -> None:
        self.folder, self.lock = folder, lock
        self._rescan_seconds, self._polling, self._hint = rescan_seconds, polling, hint
        self.filing = Filing.of(folder)
        self.inbox = self.filing.where.inbox
        self._ledger, self._recalls = ledger, ledger.recalls(self.inbox)
        self.intake = Intake(self.inbox, folder.settle_seconds, ledger.staying(self.inbox))
        self.voice = Voice()
        self.outcomes = Outcomes(
            self.filing, self.intake, ledger, self.voice, folder.on_conflict, folder.settle_seconds
        )
        self._recovered = False
        self._events: Events | None = None
        self._jobs: dict[str, Path] = {}
        self._lines: dict[str, deque[Job]] = {}  # jobs whose results want one name, in the order of their submission
        self._landed: dict[str, Outcome] = {}  # outcomes that wait for an earlier one of their line
        self._scan: Iterator[None] | None = None
        self._rescan_at = self._check_at = time.monotonic()
        self._last_rescan: datetime | None = None
        self._away: Path | None = None
        self._pause, self._resume_at = 0.0, 0.0

    def start(self) -> None:
        """Begin to hear of changes, where the system can tell."""
        self._hear()
        log.info("watching %s, results to %s", *map(_shown, (self.inbox, self.filing.where.outbox)))

    def stop(self) -> None:
        """Hear of no more changes, and take away what is unfinished."""
        if self._events:
            self._events.stop()
            self._events = None
        for temporary in self._jobs:
            discard(Path(temporary))

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and all has been looked at."""
        return self.intake.idle and not self._jobs and self._scan is None and self._last_rescan is not None

    @property
    def stuck(self) -> bool:
        """Whether nothing can be done until someone mends a folder."""
        return not self._jobs and (self._away is not None or self._pause > 0 or not self._recovered)

    def rescan(self) -> None:
        """Have the inbox read through as soon as there is time."""
        self._rescan_at = time.monotonic()

    def follow_recalls(self) -> None:
        """Do again what `bgwatch retry` has taken out of the ledger."""
        recalls = self._ledger.recalls(self.inbox)
        if recalls != self._recalls:
            self.keep_finished()
            self._recalls = recalls

    def keep_finished(self) -> None:
        """Forget what is finished and stays, but for what the ledger knows or is owed."""
        if self.intake.forget_all_but({*self._ledger.staying(self.inbox), *self.outcomes.owed}):
            self.rescan()

    def attend(self, now: float) -> None:
        """Do what is due: look after the folders and their events, rescan a little, see what has settled."""
        if now >= self._check_at:
            self._check_at = now + CHECK
            self._look_after()
            self._recover()
        if self._away or not self._recovered:
            return
        if self._scan is None and (now >= self._rescan_at or self.intake.wants_scan):
            self._rescan_at = now + (min(POLL, self._rescan_seconds) if self._polls else self._rescan_seconds)
            if self.outcomes.pay():
                self._hold_back(usable=True)
            self._scan = self.intake.scan()
        if self._scan and next(self._scan, SCANNED) is SCANNED:
            self._scan = None
            self._last_rescan = datetime.now(UTC)
        self.intake.settle()
        if self._scan is None or len(self.intake.touched) >= SLICE:
            self.outcomes.note_touched()

    def next_due(self) -> float:
        """Tell when `attend` has something to do."""
        if self._away or not self._recovered:
            return self._check_at
        if self._scan:
            return time.monotonic()
        settled = self.intake.next_due()
        return min(self._check_at, self._rescan_at, self._check_at if settled is None else settled)

    def next_job(self) -> Job | None:
        """Hand out the next picture that is to be worked on; `land` takes its outcome."""
        while not self._away and not self._holds_back() and (original := self.intake.take()):
            if not self.outcomes.admits(original):
                continue
            job = Job(
                source=str(self.inbox / original),
                temporary=str(self.filing.temporary()),
                options=self.folder.model_dump(include=set(Segmentation.model_fields)),
                limits=self.folder.model_dump(include=set(PictureLimits.model_fields)),
                output=self.folder.model_dump(include=set(Output.model_fields)),
                follow_symlinks=False,
                stem=self.filing.result_name(original).stem,
            )
            self._jobs[job.temporary] = original
            self._lines.setdefault(self._line(original), deque()).append(job)
            return job
        return None

    def land(self, outcome: Outcome) -> None:
        """File an outcome, and those of the same line that waited for it: clashes are numbered in their order."""
        self._landed[outcome.job.temporary] = outcome
        name = self._line(self._jobs[outcome.job.temporary])
        line = self._lines[name]
        while line and line[0].temporary in self._landed:
            job = line.popleft()
            usable = self.outcomes.file(self._jobs.pop(job.temporary), self._landed.pop(job.temporary))
            self._hold_back(usable)
        if not line:
            del self._lines[name]

    def status(self) -> dict[str, Any]:
        """Tell how it stands, in plain values."""
        counts = self.outcomes.counts
        state = "waiting for its folder" if self._away else "paused" if self._pause else "watching"
        return {
            "inbox": str(self.inbox),
            "outbox": str(self.filing.where.outbox),
            "state": state,
            "events": "rescans" if self._polls else "events" if self._events else "none",
            "queued": self.intake.waiting,
            "more": self.intake.more,
            "working_on": sorted(map(str, self._jobs.values())),
            "done": counts["done"],
            "review": counts["unsure"],
            "failed": counts["failed"],
            "skipped": counts["skipped"],
            "last_rescan": _time(self._last_rescan),
            "last_error": self.voice.last_error or None,
            "last_error_at": _time(self.voice.last_error_at),
        }

    @property
    def _polls(self) -> bool:
        return self._events is None and self._polling != "never"

    def _recover(self) -> None:
        """Finish what an earlier daemon was killed in the middle of, before anything is looked at."""
        if self._recovered or self._away:
            return
        try:
            self.outcomes.recover()
            if count := self.filing.sweep():
                log.info("swept %d unfinished files of an earlier run", count)
            self._recovered = True
        except FolderError as error:
            self.voice.complain(str(error))

    def _hear(self) -> None:
        """Start the events, or say why there are none."""
        if self._events:
            self._events.stop()
            self._events = None
        if self._polling == "always":
            return
        if self._polling == "auto" and is_remote(self.inbox):
            self.voice.complain(
                f"{self.inbox}: lies on a network disk, which tells of no changes; it is read every {POLL:g} s"
            )
            return
        try:
            self._events = Events(self.inbox, self._hint)
        except OSError as error:
            every = POLL if self._polling == "auto" else self._rescan_seconds
            self.voice.complain(f"{self.inbox}: no events ({error.strerror}); it is read every {every:g} s instead")

    def _look_after(self) -> None:
        """See whether the folders are there, and the events sound."""
        gone = self.filing.gone()
        if gone:
            if gone != self._away:
                log.error("%s: is gone; bgwatch waits until it is there again", _shown(gone))
            self._away = gone
        elif not self.lock.holds:
            self._take_possession()
        elif self._away or (self._events and not self._events.sound):
            log.info("%s: %s", _shown(self._away or self.inbox), "is there again" if self._away else "events were lost")
            self._begin_anew()

    def _take_possession(self) -> None:
        """Lock an inbox that was made again or mounted anew."""
        try:
            lock = InboxLock(self.inbox)
        except FolderError as error:
            self._away = self.inbox
            self.voice.complain(str(error))
            return
        self.lock.close()
        self.lock = lock
        log.info("%s: is another folder now, and watched again", _shown(self.inbox))
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._away = None
        self._hear()
        self.rescan()

    def _holds_back(self) -> bool:
        """Tell whether no picture is to be begun now: after a fault one at a time shows whether it has passed."""
        return self._pause > 0 and (bool(self._jobs) or time.monotonic() < self._resume_at)

    def _hold_back(self, usable: bool) -> None:
        """Pause after a fault of the folders, and go on after the first picture that could be filed."""
        if usable:
            if self._pause:
                log.info("%s: going on", _shown(self.inbox))
            self._pause = 0.0
        elif time.monotonic() >= self._resume_at:
            self._pause = min(max(PAUSE, 2 * self._pause), max(PAUSE, self._rescan_seconds))
            self._resume_at = time.monotonic() + self._pause
            self._rescan_at = min(self._rescan_at, self._resume_at)

    def _line(self, original: Path) -> str:
        return str(self.filing.result_name(original)).casefold()


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _shown(path: Path) -> str:
    return printable(str(path))
