"""Pictures that failed or are under review: done again, or their results accepted as they are.

Files are moved as the daemon moves them, never over others, so that it may run meanwhile: an original that is back in
the inbox is one that was dropped there.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bgwatch.durable import make_folder, temporary_in
from bgwatch.errors import FolderError
from bgwatch.imagefile import Identity, identity_of
from bgwatch.numbering import names as place_names
from bgwatch.place import move, replaceable
from bgwatch.series import SUFFIX as SERIES
from bgwatch.series import is_series
from bgwatch.settings import Folder
from bgwatch.watch.filing import Filing, reason_of_doubt, reason_of_failure
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.places import Places
from bgwatch.watch.records import Attempt

COARSEST_TIME = 2_000_000_000  # nanoseconds; FAT knows only every second second


@dataclass
class Told:
    """What came of an order, as sentences.

    Attributes
    ----------
    done, refused : list of str
        What was done, and what could not be and why.
    """

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Pending:
    """A file that waits for a person.

    Attributes
    ----------
    where : Places
        The folders it belongs to.
    file : Path
        The result under review, the original that failed, or one that is finished and stays in the inbox.
    original : Path
        The original relative to the inbox; where that is not known, the file relative to its folder.
    known : (int, Attempt, Path or None) or None
        What the ledger tells of the file: the row, the attempt, and where the original was put.
    """

    where: Places
    file: Path
    original: Path
    known: tuple[int, Attempt, Path | None] | None = None

    @property
    def failed(self) -> bool:
        """Whether it is an original that failed."""
        return self.file.is_relative_to(self.where.failed) and reason_of_failure(self.file).exists()

    def is_called(self, name: str) -> bool:
        """Tell whether a person may mean it by a name: its own or its original's, with or without the path."""
        names = {str(path) for path in (self.file, self.original, self.where.inbox / self.original)}
        return name in names | {self.file.name, self.original.name} or str(Path.cwd() / name) in names


class Retry:
    """Carries out what a person decides about the pictures of watched folders.

    Parameters
    ----------
    ledger : Ledger
        The memory of the daemon, which knows the originals of results.
    folders : sequence of Folder
        The watched folders.
    """

    def __init__(self, ledger: Ledger, folders: Sequence[Folder]) -> None:
        self._ledger = ledger
        self._folders = [(Filing.of(folder), folder.on_conflict) for folder in folders]

    def again(self, names: Sequence[str]) -> Told:
        """Have pictures done again, those named or all that failed or are under review."""
        waiting = [*self._waiting()]
        if names:
            waiting += self._staying()
        return self._each(waiting, names, self._do_again)

    def accept(self, names: Sequence[str]) -> Told:
        """Put results under review, those named or all, in place as they are."""
        waiting = [pending for pending in self._waiting() if names or not pending.failed]
        waiting.sort(key=lambda pending: pending.known[0] if pending.known else 0)  # of two the later one is the newer
        return self._each(waiting, names, self._accept)

    def _each(self, waiting: list[Pending], names: Sequence[str], step: Callable[[Pending], str]) -> Told:
        told = Told()
        for name in names:
            if not any(pending.is_called(name) for pending in waiting):
                told.refused.append(f"{name}: nothing of that name has failed or is under review")
        for pending in waiting:
            if not names or any(pending.is_called(name) for name in names):
                try:
                    told.done.append(step(pending))
                except FolderError as error:
                    told.refused.append(str(error))
                except OSError as error:
                    told.refused.append(f"{error.filename}: {error.strerror}; check its disk and rights")
        return told

    def _waiting(self) -> Iterator[Pending]:
        seen = set[Path]()  # inboxes may share an outbox
        for where in (filing.where for filing, _ in self._folders):
            for top, reason in ((where.failed, reason_of_failure), (where.review, reason_of_doubt)):
                for file in _files(top):
                    found = self._ledger.at(file)
                    others = file in seen or (found is not None and found[1].inbox != where.inbox)
                    result = found is not None or is_series(file) or not file.is_dir()  # and no mirrored folder
                    if result and not others and reason(file) != file and os.path.lexists(reason(file)):
                        seen.add(file)
                        yield Pending(where, file, found[1].original if found else file.relative_to(top), found)

    def _staying(self) -> Iterator[Pending]:
        for where in (filing.where for filing, _ in self._folders):
            for original in self._ledger.staying(where.inbox):
                yield Pending(where, where.inbox / original, original)

    def _do_again(self, pending: Pending) -> str:
        where, file = pending.where, pending.file
        target = where.inbox / pending.original
        if file == target:
            self._ledger.forget(where.inbox, pending.original)
        elif pending.failed:
            _back(file, target)
            reason_of_failure(file).unlink(missing_ok=True)
        elif not replaceable(file):
            raise FolderError(f"{file}: has other files in it than results; take them out, or accept it")
        else:
            self._bring_original(pending, target)
            found = identity_of(file, series=True)
            # and not one that a person has put there since
            if found and pending.known and found.inode == pending.known[1].inode:
                self._filing_of(pending)[0].take_out_of_review(file)
        return f"to be done again: {pending.original}"

    def _bring_original(self, pending: Pending, target: Path) -> None:
        if pending.known is None:
            raise FolderError(f"{pending.file}: its original is not known; put it into {pending.where.inbox} yourself")
        _, attempt, put = pending.known
        put = put or _put_away(pending.where, attempt)
        found = identity_of(put) if put else None
        if put is None or found is None or not _is_as_read(found, attempt):
            said = f"is not at {put} any more" if put else "was deleted (done: delete)"
            raise FolderError(f"{pending.file}: its original {said}; accept the result or put the picture in again")
        if put == target:
            self._ledger.forget(pending.where.inbox, pending.original)
        else:
            _back(put, target)

    def _filing_of(self, pending: Pending) -> tuple[Filing, str]:
        """Give the places that a file belongs to, and what happens to names that are taken there."""
        return next((filing, choice) for filing, choice in self._folders if filing.where == pending.where)

    def _accept(self, pending: Pending) -> str:
        if pending.failed:
            raise FolderError(f"{pending.file}: has failed, and there is no result to accept; have it done again")
        file = pending.file
        place, replace = self._accepted_place(pending)
        try:
            move(file, place, self._filing_of(pending)[0].temporary(), replace)
        except FileExistsError:
            raise FolderError(f"{place}: has been taken by another file; try again") from None
        reason_of_doubt(file).unlink(missing_ok=True)
        if pending.known:
            self._ledger.accept(pending.known[0], place)
        return f"accepted: {place}"

    def _accepted_place(self, pending: Pending) -> tuple[Path, bool]:
        """Find the place of a result that is accepted, as on_conflict says, and whether what is there is replaced."""
        where, file = pending.where, pending.file
        filing, on_conflict = self._filing_of(pending)
        if on_conflict == "number":  # with the number that it has under review
            return filing.accepted_place(file), False
        if on_conflict == "skip":
            if standing := filing.standing(pending.original):
                raise FolderError(
                    f"{file}: {standing} is there already, and on_conflict is skip; move one of them away"
                )
            return filing.result_place(pending.original, review=False, series=file.is_dir()), False

        def ours(place: Path) -> bool:
            return replaceable(place) and not self._ledger.is_of_another(place, where.inbox, pending.original)

        place = filing.result_place(pending.original, review=False, series=file.is_dir(), ours=ours)
        replaced = os.path.lexists(place)
        newest = self._ledger.at(place) if replaced else None
        if newest and pending.known and newest[0] > pending.known[0]:
            raise FolderError(f"{file}: {place} is a newer result of the same picture; delete the one you do not want")
        return place, replaced


def _put_away(where: Places, attempt: Attempt) -> Path | None:
    """Find an original that a daemon put away just before it was killed, and could not note where."""
    if where.done is None:
        return None
    wished = where.done / attempt.original
    for place in map(wished.with_name, place_names(wished.name)):
        found = identity_of(place)
        if found is None:
            return None
        if _is_as_read(found, attempt):
            return place
    raise AssertionError("counting never ends")


def _is_as_read(found: Identity, attempt: Attempt) -> bool:
    read = attempt.identity
    return found.size == read.size and abs(found.mtime_ns - read.mtime_ns) < COARSEST_TIME


def _back(file: Path, target: Path) -> None:
    """Move an original back into the inbox."""
    make_folder(target.parent)
    try:
        move(file, target, temporary_in(target.parent))
    except FileExistsError:
        raise FolderError(f"{target}: another picture of that name is there; wait until it is done") from None


def _files(top: Path) -> Iterator[Path]:
    """Yield all files, and folders that are the result of one picture."""
    for name, folders, files in os.walk(top):
        folders.sort()
        series = [folder for folder in folders if folder.endswith(SERIES)]
        for file in sorted([*files, *series]):
            if not file.startswith("."):
                yield Path(name, file)
