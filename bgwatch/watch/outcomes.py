"""What becomes of outcomes: results published, originals put away, and each step noted so that it is done once.

The order of the steps is what makes a kill harmless: a row in the ledger says what is about to appear where; then it
appears; then the reason is written and the original put away; then the row is closed. A step that the system refuses
is owed: it is tried again later, and nothing before it is repeated.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from bgwatch.errors import FolderError, printable
from bgwatch.imagefile import Identity, identity_of
from bgwatch.job import Outcome
from bgwatch.place import publish
from bgwatch.watch.filing import Filing
from bgwatch.watch.intake import Intake
from bgwatch.watch.ledger import Kind, Ledger, Placing

SILENCE = 3600.0  # seconds until the same complaint is worth a second line

log = logging.getLogger("bgwatch")


class Outcomes:
    """Files the outcomes of one watched folder.

    Parameters
    ----------
    filing : Filing
        Its places.
    intake : Intake
        Its inbox.
    ledger : Ledger
        The memory of the daemon.

    Attributes
    ----------
    counts : dict of str to int
        How many originals are done, unsure, failed, and blocked by a fault of a folder.
    """

    def __init__(self, filing: Filing, intake: Intake, ledger: Ledger) -> None:
        self._filing, self._intake, self._ledger = filing, intake, ledger
        self._inbox = filing.where.inbox
        self._owed: dict[Path, Callable[[], None]] = {}
        self._complained: dict[str, float] = {}
        self.counts = {"done": 0, "unsure": 0, "failed": 0, "blocked": 0}

    def recover(self) -> None:
        """Finish what an earlier daemon was killed in the middle of; the inbox's lock must be held."""
        for row, placing in self._ledger.unfinished(self._inbox):
            self._recover(row, placing)

    def file(self, original: Path, outcome: Outcome) -> None:
        """Put what became of an original where it belongs; what stands in the way is said, never raised."""
        taken = self._intake.release(original)
        now_there = identity_of(self._inbox / original)
        try:
            if now_there is None:
                log.info("gone while it was worked on: %s", printable(str(original)))
            elif now_there != (outcome.identity or taken):
                log.info("changed while it was worked on, done again: %s", printable(str(original)))
                self._intake.look(original)
            elif outcome.state == "blocked":
                self._block(outcome.reasons[0])
            elif outcome.state == "failed":
                self._file_failure(original, now_there, outcome)
            else:
                self._file_result(original, now_there, outcome)
        except FolderError as error:
            self._block(str(error))
        finally:
            with contextlib.suppress(OSError):  # its folder may have gone, and it with it
                Path(outcome.job.temporary).unlink(missing_ok=True)

    def pay(self) -> None:
        """Try again what is owed."""
        for original, step in list(self._owed.items()):
            try:
                step()
            except FolderError as error:
                self._complain(str(error))
            else:
                del self._owed[original]

    def _recover(self, row: int, placing: Placing) -> None:
        original = identity_of(self._inbox / placing.original)
        place = identity_of(placing.place)
        moved = placing.kind == "failed" and original is None  # to another disk, where the inode is another
        if place is None or not (place.inode == placing.inode or moved):
            self._ledger.finish(row, "dropped")  # the original is still there and is done again
            return
        log.info("finishing what was begun before: %s", printable(str(placing.original)))
        self._attempt(placing.original, original, lambda: self._conclude(row, placing))

    def _file_failure(self, original: Path, identity: Identity, outcome: Outcome) -> None:
        reason = "; ".join(outcome.reasons)
        place = self._filing.failed_place(original)
        placing = self._placing(original, identity, "failed", place, identity.inode, None, reason)
        row = self._ledger.begin(placing)
        self.counts["failed"] += 1
        log.warning("failed: %s (to %s)", printable(reason), printable(str(place)))

        def fail() -> None:
            if identity_of(self._inbox / original) == identity:
                self._filing.put_to_failed(original, place)
            elif not os.path.lexists(place):
                self._ledger.finish(row, "dropped")  # someone took the original away
                return
            self._conclude(row, placing)

        self._attempt(original, identity, fail)

    def _file_result(self, original: Path, identity: Identity, outcome: Outcome) -> None:
        temporary = Path(outcome.job.temporary)
        review = outcome.state == "unsure"
        reason = "; ".join(outcome.reasons) or ("its confidence is below min_confidence" if review else "")
        made = identity_of(temporary)
        if made is None:
            raise FolderError(
                f"{temporary}: the unfinished result has gone; leave the hidden files of the outbox alone"
            )
        while True:
            result = self._filing.result_place(original, review)
            kind: Kind = "review" if review else "done"
            placing = self._placing(original, identity, kind, result, made.inode, outcome.confidence, reason)
            row = self._ledger.begin(placing)
            try:
                publish(temporary, result)
                break
            except FileExistsError:
                self._ledger.finish(row, "dropped")
            except FolderError:
                self._ledger.finish(row, "dropped")
                raise
        self.counts[outcome.state] += 1
        said = f"{original} -> {result} (confidence {outcome.confidence:.2f}, {outcome.seconds:.2f} s)"
        log.info("%s", printable(f"{said}, to be reviewed: {reason}" if review else said))
        self._attempt(original, identity, lambda: self._conclude(row, placing))

    def _conclude(self, row: int, placing: Placing) -> None:
        """Do what is left once a result, or an original that failed, is in its place; safe to repeat."""
        failure = placing.kind == "failed"
        if placing.kind != "done":
            self._filing.explain(placing.place, placing.reason, failure)
        there = identity_of(self._inbox / placing.original)
        same = there is not None and (there.size, there.mtime_ns) == (placing.size, placing.mtime_ns)
        if same and not failure:
            self._filing.put_away(placing.original)
        stays = same and not failure and self._filing.where.keep
        self._ledger.finish(row, placing.kind, stays)
        if stays and there:
            self._intake.finish(placing.original, there)

    def _attempt(self, original: Path, identity: Identity | None, step: Callable[[], None]) -> None:
        """Do the rest for an original, or owe it: the work on the picture itself is done and not repeated."""
        try:
            step()
        except FolderError as error:
            self._owed[original] = step
            if identity:
                self._intake.finish(original, identity)
            self._block(str(error))

    def _block(self, reason: str) -> None:
        """Note a fault of the place; the original stays where it is and is tried again at the next rescan."""
        self.counts["blocked"] += 1
        self._complain(reason)

    def _complain(self, reason: str) -> None:
        """Say what the user has to mend, and say it again only after a while."""
        now = time.monotonic()
        if now - self._complained.get(reason, -SILENCE) >= SILENCE:
            self._complained[reason] = now
            log.error("%s", printable(reason))

    def _placing(
        self,
        original: Path,
        identity: Identity,
        kind: Kind,
        place: Path,
        inode: int,
        confidence: float | None,
        reason: str,
    ) -> Placing:
        size, mtime_ns = identity.size, identity.mtime_ns
        return Placing(self._inbox, original, size, mtime_ns, kind, place, inode, confidence, reason)
