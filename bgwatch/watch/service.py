"""The loop of the daemon: watched folders, hints, workers, heartbeat, settings, stop.

Events are hints and the rescan is the truth: an event makes a picture come out sooner, a lost one makes it come out
after ``rescan_seconds``. An original leaves the inbox only after its result is durably in place; a daemon that is
killed in between finds the half-done step in the ledger and finishes it.

Accepted risks:

- A writer that pauses for longer than ``settle_seconds`` in the middle of a file hands in what looks like a whole
  file. If that does not decode it is tried again three times, each after twice the time, then it goes to ``failed``.
  If it decodes (some formats allow for a part to be missing), half a picture is cut out.
- A program that still writes into an original when that is put away goes on in the file in ``done``, which is not cut
  out again. With ``done: delete``, or ``done`` on another disk, what it writes then is lost.
- A file that is changed without its size and its time of change changing is not seen to have changed.
- After a loss of power the last pictures may come out a second time, as after a kill where a file system does not give
  files the same inode numbers again (FAT, some network disks). Originals and results that were in place are on the
  disk, as far as the disk keeps its promises.
- Where a file system has no hard links, a file that another program puts under the very name of a result, or of an
  original that is put away, between our look and our rename, is replaced.
- A state folder that is deleted while no daemon runs, or a moment before a daemon is killed, takes the memory of what
  was done along: originals that stay are done again. A running daemon writes it anew within two seconds.
- The lock of an inbox is known on this machine only: daemons of two machines on one inbox do its pictures twice. It
  keeps the inbox's disk from being unmounted.
- A ``bgwatch retry`` that is killed may leave a reason behind whose picture has moved on.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from bgwatch import __version__
from bgwatch.errors import BgwatchError, FolderError, printable
from bgwatch.pool import pool
from bgwatch.settings import Settings
from bgwatch.watch.footing import leave_what_has_gone
from bgwatch.watch.heartbeat import Heartbeat, Rate
from bgwatch.watch.hints import Hints
from bgwatch.watch.ledger import DAY, Ledger
from bgwatch.watch.notify import Notifier
from bgwatch.watch.opening import open_folders
from bgwatch.watch.places import places, refuse_loops
from bgwatch.watch.signals import Signals
from bgwatch.watch.watched import Watched
from bgwatch.workers import cpus

if TYPE_CHECKING:
    from bgwatch.pool import Pool

STOP_GRACE = 7.0
BEAT = 2.0

log = logging.getLogger("bgwatch")


def state_folder() -> Path:
    """Where the ledger and the heartbeat lie when no folder is named."""
    return platformdirs.user_state_path("bgwatch", appauthor=False)


class Service:
    """Watches folders until told to stop.

    Parameters
    ----------
    settings : Settings
        All of them; at least one folder.
    state : Path
        Folder for the ledger and the heartbeat.
    reread : callable, optional
        Gives the settings anew; without it they stay as they are.
    signals : Signals, optional
        What this process was asked for; without it they are obeyed from `run` on.
    """

    def __init__(
        self,
        settings: Settings,
        state: Path,
        reread: Callable[[], Settings] | None = None,
        signals: Signals | None = None,
    ) -> None:
        self._settings, self._state, self._reread = settings, state, reread
        self._signals = signals or Signals()
        self._hints = Hints()
        self._ledger_changed = False
        self._watched: list[Watched] = []
        self._flying: dict[str, Watched] = {}
        self._next: Settings | None = None
        self._rate = Rate()
        self._since = datetime.now(UTC)
        self._notifier = Notifier()  # before there are workers, which would inherit what it takes from the environment
        self._beat_at = self._prune_at = 0.0

    def run(self, once: bool = False) -> int:
        """Work until SIGTERM or SIGINT, or until all that is there is done; give the exit code.

        Raises
        ------
        SettingsError
            When the folders would feed each other.
        FolderError
            When a folder is missing rights or is watched already, or the ledger or the scheduler cannot be used.
        """
        with ExitStack() as stack:
            self._signals.wake = self._hints.wake
            stack.callback(self._signals.obey())
            if self._signals.stop:
                return 0
            refuse_loops([places(folder) for folder in self._settings.folders], self._state)
            self._ledger = Ledger(self._state / "ledger.sqlite")
            stack.callback(self._ledger.close)
            self._heartbeat = Heartbeat(self._state)
            stack.callback(self._heartbeat.close)
            stack.callback(self._close)
            self._watched = open_folders(self._settings, [], self._ledger, self._hints.put)
            self._workers = self._new_workers(self._settings)
            stack.callback(self._end_workers)
            self._heartbeat.beat(self._status(time.monotonic()))
            for watched in self._watched:
                watched.start()
            self._notifier.ready(self._in_words())
            self._loop(once)
            self._notifier.stopping()
        return self._exit_code(once)

    def stop(self) -> None:
        """Ask the loop to end; safe from another thread."""
        self._signals.stop = True
        self._hints.wake()

    def _new_workers(self, settings: Settings) -> "Pool":
        return pool(settings.workers or cpus(), settings, self._hints.wake, settings.scheduler)

    def _loop(self, once: bool) -> None:
        while not self._signals.stop:
            self._keep_house()
            for watched in self._watched:
                watched.attend(time.monotonic())
            self._dispatch()
            for outcome in self._workers.collect():
                self._flying.pop(outcome.job.temporary).land(outcome)
            self._dispatch()
            if once and not self._flying and all(watched.idle or watched.stuck for watched in self._watched):
                return
            self._wait()

    def _keep_house(self) -> None:
        """Do what is due now and then: heartbeat, lost hints, orders from outside, old rows, new settings."""
        now = time.monotonic()
        if self._hints.some_lost():
            for watched in self._watched:
                watched.rescan()
        if now >= self._beat_at:
            self._beat_at = now + BEAT
            self._heartbeat.beat(self._status(now))
            self._notifier.alive()
            leave_what_has_gone()
            self._mind_ledger(now)
        if self._signals.reload:
            self._signals.reload = False
            self._read_settings()
        if self._next and not self._flying:
            self._change_settings(self._next)

    def _mind_ledger(self, now: float) -> None:
        """See that the ledger is there, do again what `bgwatch retry` has taken out of it, and forget what is old."""
        try:
            if self._ledger.lost:
                self._ledger.rescue([watched.inbox for watched in self._watched])
                file = printable(str(self._ledger.file))
                log.warning("%s: the ledger was deleted; it is written anew, and nothing is forgotten", file)
            self._ledger_changed |= self._ledger.changed_by_others()
            if self._ledger_changed:
                for watched in self._watched:
                    watched.follow_recalls()
                self._ledger_changed = False
            if now >= self._prune_at:
                self._prune_at = now + DAY
                self._prune()
        except FolderError as error:  # a full disk is no reason to end
            self._watched[0].voice.complain(str(error))

    def _prune(self) -> None:
        days = self._settings.ledger_days
        overwriting = [watched.inbox for watched in self._watched if watched.folder.on_conflict == "overwrite"]
        if count := self._ledger.prune(days, [watched.inbox for watched in self._watched], overwriting):
            log.info("forgot %d pictures of more than %d days ago", count, days)
            for watched in self._watched:  # nor are they kept in memory
                watched.keep_finished()

    def _wait(self) -> None:
        """Sleep until something is due, and take the hints that came."""
        until = min([self._beat_at, *(watched.next_due() for watched in self._watched)])
        for hint in self._hints.take(until - time.monotonic()):
            for watched in self._watched:
                watched.intake.follow(hint)

    def _dispatch(self) -> None:
        """Keep the workers filled, the folders taking turns; before new settings nothing is begun."""
        hungry = [] if self._next else list(self._watched)
        while hungry and self._workers.room:
            watched = hungry.pop(0)
            if job := watched.next_job():
                self._flying[job.temporary] = watched
                self._workers.submit(job)
                hungry.append(watched)

    def _read_settings(self) -> None:
        """Read the settings again; they come into force when what is under way is done."""
        if self._reread is None:
            return
        self._notifier.reloading()
        try:
            settings = self._reread()
            refuse_loops([places(folder) for folder in settings.folders], self._state)
        except BgwatchError as error:
            self._refuse_settings(error)
        else:
            self._next = settings

    def _refuse_settings(self, error: BgwatchError) -> None:
        log.error("the new settings are refused, the old ones stay in force: %s", printable(str(error)))
        self._notifier.ready(self._in_words())

    def _change_settings(self, settings: Settings) -> None:
        self._next = None
        try:
            with ExitStack() as stack:
                workers = self._new_workers(settings)
                stack.callback(workers.stop)
                opened = open_folders(settings, self._watched, self._ledger, self._hints.put)
                stack.pop_all()
        except BgwatchError as error:
            self._refuse_settings(error)
            return
        kept = {id(watched.lock) for watched in opened}
        for watched in self._watched:
            watched.stop()
            if id(watched.lock) not in kept:
                watched.lock.close()
        self._watched, self._settings = opened, settings
        self._workers.stop()
        self._workers = workers
        for watched in self._watched:
            watched.start()
        log.info("the new settings are in force")
        self._notifier.ready(self._in_words())

    def _in_words(self) -> str:
        return "watching " + ", ".join(str(watched.inbox) for watched in self._watched)

    def _status(self, now: float) -> dict[str, Any]:
        folders = [watched.status() for watched in self._watched]
        total = sum(folder[name] for folder in folders for name in ("done", "review", "failed"))
        return {
            "version": __version__,
            "pid": os.getpid(),
            "since": self._since.isoformat(timespec="seconds"),
            "beat": time.time(),
            "pictures_a_minute": round(self._rate.a_minute(total, now), 1),
            "folders": folders,
        }

    def _close(self) -> None:
        for watched in self._watched:
            watched.stop()
            watched.lock.close()

    def _end_workers(self) -> None:
        """Let running pictures finish for a while; what does not is done again next time."""
        for outcome in self._workers.stop(STOP_GRACE if self._signals.stop else 0):
            self._flying.pop(outcome.job.temporary).land(outcome)
        self._heartbeat.beat(self._status(time.monotonic()))

    def _exit_code(self, once: bool) -> int:
        counts = Counter[str]()
        for watched in self._watched:
            counts.update(watched.outcomes.counts)
        log.info("%d done, %d to be reviewed, %d failed", counts["done"], counts["unsure"], counts["failed"])
        if not once or self._signals.stop:
            return 0
        if counts["blocked"] or any(watched.stuck for watched in self._watched):
            return 3
        return 1 if counts["failed"] or not counts.total() else 0
