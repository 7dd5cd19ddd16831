"""What becomes of outcomes: results published, originals put away, and each step noted so that it is done once.

The order of the steps is what makes a kill harmless: a row in the ledger says what is about to appear where; then it
appears; then the reason is written and the original put away; then the row is closed. A step that the system refuses
is owed: it is tried again later, and nothing before it is repeated.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from bgwatch.durable import discard
from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity, identity_of
from bgwatch.job import Outcome
from bgwatch.place import publish, replaceable
from bgwatch.watch.filing import Filing, reason_of_failure
from bgwatch.watch.intake import Intake, digest_of
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.records import Attempt, Kind
from bgwatch.watch.voice import Voice

RETRIES = 3  # of a picture that may not have been whole yet, each after twice the time


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
    voice : Voice
        Its log.
    on_conflict : {"number", "overwrite", "skip"}
        What happens where a result's name is taken.
    patience : float
        Seconds until a picture that may not have been whole is tried again.

    Attributes
    ----------
    counts : Counter
        How many originals are done, unsure, failed, skipped, and blocked by a fault of a folder.
    """

    def __init__(
        self,
        filing: Filing,
        intake: Intake,
        ledger: Ledger,
        voice: Voice,
        on_conflict: Literal["number", "overwrite", "skip"] = "number",
        patience: float = 1.0,
    ) -> None:
        self._filing, self._intake, self._ledger, self._voice = filing, intake, ledger, voice
        self._on_conflict, self._patience = on_conflict, patience
        self._inbox = filing.where.inbox
        self._owed: dict[Path, Callable[[], None]] = {}
        self._tries: dict[Path, int] = {}
        self.counts = Counter[str]()

    @property
    def owed(self) -> Collection[Path]:
        """Originals whose result is in place, and for which the rest could not be done yet."""
        return self._owed.keys()

    def recover(self) -> None:
        """Finish what an earlier daemon was killed in the middle of; the inbox's lock must be held."""
        for row, attempt in self._ledger.unfinished(self._inbox):
            self._recover(row, attempt)

    def admits(self, original: Path) -> bool:
        """Tell whether an original may be worked on; if not, it is released and what stands in the way is said."""
        try:
            identity = identity_of(self._inbox / original)
            self._filing.refuse_unplaceable(original)
            standing = self._filing.standing(original) if self._on_conflict == "skip" else None
            if standing is None:
                return True
            if identity:
                self._skip(original, identity, standing)
            self._intake.release(original)
        except FolderError as error:
            self._intake.refuse(original)
            self._block(str(error))
        return False

    def file(self, original: Path, outcome: Outcome) -> bool:
        """Put what became of an original where it belongs; what stands in the way is said, never raised.

        Returns
        -------
        bool
            Whether the folders could be used.
        """
        taken = self._intake.release(original)
        blocked = self.counts["blocked"]
        try:
            now_there = identity_of(self._inbox / original)
            if now_there is None:
                self._tries.pop(original, None)
                self._voice.say(logging.INFO, f"gone while it was worked on: {original}", original)
            elif now_there != (outcome.identity or taken):
                self._tries.pop(original, None)
                self._voice.say(logging.INFO, f"changed while it was worked on, done again: {original}", original)
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
            discard(Path(outcome.job.temporary))
        return self.counts["blocked"] == blocked

    def pay(self) -> bool:
        """Try again what is owed; tell whether all could be done. Tries of originals that have gone are forgotten."""
        owed = bool(self._owed)
        self._tries = {
            original: tries for original, tries in self._tries.items() if os.path.lexists(self._inbox / original)
        }
        for original, step in list(self._owed.items()):
            try:
                step()
            except FolderError as error:
                self._voice.complain(str(error))
            else:
                del self._owed[original]
        return owed and not self._owed

    def note_touched(self) -> None:
        """Note which originals that stay have another time and the same content; they are not read again."""
        if not self._intake.touched:
            return
        try:
            self._ledger.retime(self._inbox, self._intake.touched)
            self._intake.touched.clear()
        except FolderError as error:
            self._voice.complain(str(error))

    def _recover(self, row: int, attempt: Attempt) -> None:
        original = identity_of(self._inbox / attempt.original)
        failed = attempt.kind == "failed"
        place = identity_of(attempt.place, series=not failed)
        midway = failed and place is not None and self._filing.is_moved(attempt.original, attempt.place)
        moved = failed and (original is None or midway)  # perhaps to another disk, where the inode is another
        if place is None or not (place.inode == attempt.inode or moved):
            self._ledger.finish(row, "dropped")  # the original is still there and is done again
            return

        def finish() -> None:
            if midway:
                self._filing.take_out(attempt.original)
            self._conclude(row, attempt)

        self._voice.say(logging.INFO, f"finishing what was begun before: {attempt.original}", attempt.original)
        self._do_or_owe(attempt.original, original, finish)

    def _file_failure(self, original: Path, identity: Identity, outcome: Outcome) -> None:
        reason = "; ".join(outcome.reasons)
        tries = self._tries[original] = self._tries.get(original, 0) + 1
        if outcome.again and tries <= RETRIES:
            wait = self._patience * 2 ** (tries - 1)
            attempt = self._note(original, identity, "again", self._inbox / original, outcome, reason)
            self._intake.put_off(original, identity, wait)
            self._ledger.note(attempt)
            self._voice.say(logging.DEBUG, f"tried again in {wait:.3g} s: {reason}", original, outcome)
            return
        place = self._filing.failed_place(original)
        attempt = self._note(original, identity, "failed", place, outcome, reason, identity.inode)
        row = self._ledger.begin(attempt)
        del self._tries[original]
        self.counts["failed"] += 1
        self._voice.note_error(reason)
        stays = self._filing.where.keep and not self._filing.movable(original)
        said = f"it stays, see {reason_of_failure(place)}" if stays else f"to {place}"
        self._voice.say(
            logging.WARNING, f"failed: {reason} ({said}, {outcome.seconds:.2f} s)", original, outcome, place
        )
        self._do_or_owe(original, identity, lambda: self._fail(row, attempt, stays))

    def _fail(self, row: int, attempt: Attempt, stays: bool) -> None:
        """Put an original that failed in its place, or only its reason if it cannot leave the inbox."""
        original, place = attempt.original, attempt.place
        there = identity_of(self._inbox / original)
        if stays:
            self._filing.explain(place, attempt.reason, failure=True)
            self._ledger.finish(row, "failed", stays=True, put=self._inbox / original)
            self._intake.finish(original, attempt.identity)
            return
        try:
            if there == attempt.identity:
                self._filing.put_to_failed(original, place)
            elif not os.path.lexists(place):
                raise FileNotFoundError
        except (FileExistsError, FileNotFoundError):  # the place was taken meanwhile, or the original taken away
            self._ledger.finish(row, "dropped")
            self._intake.forget(original)
        else:
            self._conclude(row, attempt)

    def _file_result(self, original: Path, identity: Identity, outcome: Outcome) -> None:
        review = outcome.state == "unsure"
        reason = "; ".join(outcome.reasons) or ("its confidence is below min_confidence" if review else "")
        if self._on_conflict == "skip" and (standing := self._filing.standing(original)):
            self._skip(original, identity, standing)
            return
        place = self._place(original, outcome)
        temporary = self._filing.brought(Path(outcome.job.temporary), place)
        try:
            row, attempt = self._publish(original, identity, outcome, temporary, place, reason)
        finally:
            discard(temporary)
        self._tries.pop(original, None)
        self.counts[outcome.state] += 1
        said = f"{original} -> {attempt.place} (confidence {outcome.confidence:.2f}, {outcome.seconds:.2f} s)"
        said += f"{', to be reviewed' if review else '; note'}: {reason}" if reason else ""
        self._voice.say(logging.INFO, said, original, outcome, attempt.place)
        self._do_or_owe(original, identity, lambda: self._conclude(row, attempt))

    def _place(self, original: Path, outcome: Outcome) -> Path:
        review, series = outcome.state == "unsure", bool(outcome.series)
        return self._filing.result_place(original, review, series, lambda place: self._is_ours(original, place))

    def _publish(
        self, original: Path, identity: Identity, outcome: Outcome, temporary: Path, place: Path, reason: str
    ) -> tuple[int, Attempt]:
        """Note a result in the ledger and put it in place, under another name should one be taken meanwhile."""
        kind: Kind = "review" if outcome.state == "unsure" else "done"
        made = identity_of(temporary, series=True)
        if made is None:
            raise FolderError(
                f"{temporary}: the unfinished result has gone; leave the hidden files of the outbox alone"
            )
        while True:
            attempt = self._note(original, identity, kind, place, outcome, reason, made.inode)
            row = self._ledger.begin(attempt)
            try:
                publish(temporary, place, replace=self._is_ours(original, place))
                return row, attempt
            except FileExistsError:
                self._ledger.finish(row, "dropped")
                place = self._place(original, outcome)
            except FolderError as error:
                there = identity_of(place, series=True)
                if there and there.inode == made.inode:  # in its place, though perhaps not yet on the disk
                    self._voice.complain(str(error))
                    return row, attempt
                self._ledger.finish(row, "dropped")
                raise

    def _is_ours(self, original: Path, place: Path) -> bool:
        """Tell whether a result may be replaced: asked for, and not made from another original."""
        overwrites = self._on_conflict == "overwrite" and replaceable(place)
        return overwrites and not self._ledger.is_of_another(place, self._inbox, original)

    def _skip(self, original: Path, identity: Identity, standing: Path) -> None:
        reason = f"{standing} is there already, and on_conflict is skip"
        self.counts["skipped"] += 1
        self._ledger.note(Attempt(self._inbox, original, identity, "skipped", standing, 0, reason=reason), stays=True)
        self._intake.finish(original, identity)
        self._voice.say(logging.INFO, f"skipped: {original}, since {reason}", original)

    def _conclude(self, row: int, attempt: Attempt) -> None:
        """Do what is left once a result, or an original that failed, is in its place; safe to repeat."""
        failure = attempt.kind == "failed"
        if attempt.kind != "done" and os.path.lexists(attempt.place):
            self._filing.explain(attempt.place, attempt.reason, failure)
        there = identity_of(self._inbox / attempt.original)
        read = (attempt.identity.size, attempt.identity.mtime_ns)
        same = there is not None and (there.size, there.mtime_ns) == read
        put = attempt.place if failure else None
        if same and not failure:
            put = self._filing.put_away(attempt.original)
        stays = same and not failure and self._filing.where.keep
        digest = digest_of(self._inbox / attempt.original) if stays else None
        self._ledger.finish(row, attempt.kind, stays, put, digest)
        if stays and there:
            self._intake.finish(attempt.original, there, digest)
        else:  # it was remembered while this was owed; what comes under its name is another picture
            self._intake.forget(attempt.original)

    def _do_or_owe(self, original: Path, identity: Identity | None, step: Callable[[], None]) -> None:
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
        self._voice.complain(reason)

    def _note(
        self,
        original: Path,
        identity: Identity,
        kind: Kind,
        place: Path,
        outcome: Outcome,
        reason: str,
        inode: int = 0,
    ) -> Attempt:
        attempts = self._tries.get(original, 0) + (kind in ("done", "review"))
        result = (kind, place, inode, outcome.confidence, reason, outcome.seconds, attempts)
        return Attempt(self._inbox, original, identity, *result)
