"""Originals and results to their folders, with the reasons beside failures and doubts."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from bgwatch.durable import discard, make_folder, take_away, temporary_in, write_durably
from bgwatch.errors import FolderError
from bgwatch.naming import rendered
from bgwatch.numbering import fitting, numbered
from bgwatch.place import move, publish, refuse_outside
from bgwatch.series import series_of, standing_at
from bgwatch.settings import Folder
from bgwatch.watch.moves import delete, is_moved, move_numbered, on_one_disk
from bgwatch.watch.places import Places, places


class Filing:
    """Puts the files of one watched folder where they belong.

    Parameters
    ----------
    where : Places
        The folders.
    suffix : str
        How the names of results end.
    template : str or None
        What the names of results are made of; None keeps the stem.
    several : bool
        Whether a picture may become a series of numbered results.
    """

    def __init__(self, where: Places, suffix: str = ".png", template: str | None = None, several: bool = False) -> None:
        self.where, self._suffix, self._template, self._several = where, suffix, template, several
        # names of ours in the outbox, with which no mirrored subfolder may get mixed up
        self._reserved = {place.name.casefold() for place in where.written if place.parent == where.outbox}
        outside = [place for place in where.written if not place.is_relative_to(where.outbox)]
        self._tops = (where.outbox, *outside)
        self._owner = hashlib.sha256(os.fsencode(where.inbox)).hexdigest()[:12] + "-"

    @classmethod
    def of(cls, folder: Folder) -> "Filing":
        """Make it for one entry of the settings."""
        return cls(places(folder), folder.suffix, folder.name, folder.several)

    def missing(self) -> list[Path]:
        """Name the folders that are not there."""
        return [place for place in (self.where.inbox, *self.where.written) if not os.path.isdir(place)]

    def prepare(self, created: Callable[[Path], None]) -> None:
        """Make the folders that are missing and make sure that all can be used.

        Raises
        ------
        FolderError
            When a folder cannot be made, is none, or cannot be used.
        """
        for place in self.missing():
            make_folder(place)
            created(place)
        self.refuse_unusable()

    def refuse_unusable(self) -> None:
        """Raise FolderError for what is there, a folder or what is laid behind, and cannot be used as it must be."""
        may = "give this user the right to, or name another folder"
        for place in self.where.written:
            if os.path.lexists(place) and not os.access(place, os.W_OK | os.X_OK):
                raise FolderError(f"{place}: cannot be written; {may}")
        behind = self.where.behind
        if behind and not (os.access(behind, os.R_OK) and not os.path.isdir(behind)):
            raise FolderError(f"{behind}: is no picture that could be laid behind; name another one with fill")
        inbox = self.where.inbox
        if os.path.lexists(inbox) and not os.access(inbox, os.R_OK | os.X_OK):
            raise FolderError(f"{inbox}: cannot be read; {may}")
        if os.path.lexists(inbox) and not self.where.keep and not os.access(inbox, os.W_OK):
            raise FolderError(f"{inbox}: originals cannot be moved out of it; give the right to, or set done: keep")

    def gone(self) -> Path | None:
        """Name a folder that is not there, as when its disk is not mounted; those inside the outbox are made anew."""
        return next((place for place in (self.where.inbox, *self._tops) if not os.path.isdir(place)), None)

    def movable(self, original: Path) -> bool:
        """Tell whether an original could be moved out of the inbox."""
        return os.access((self.where.inbox / original).parent, os.W_OK | os.X_OK)

    def refuse_unplaceable(self, original: Path) -> None:
        """Raise FolderError for an original that could not be put away, or whose result could not be placed."""
        if not self.where.keep and not self.movable(original):
            folder = (self.where.inbox / original).parent
            raise FolderError(f"{folder}: originals cannot be moved out of it; give the right to, or set done: keep")
        result = self.result_name(original)
        wished = [self.where.outbox / result, self.where.review / result, self.where.failed / original]
        if self.where.done:
            wished.append(self.where.done / original)
        for place in wished:
            try:
                place.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise FolderError(f"{place}: cannot be made ({error.strerror}); give it a shorter name") from None
        if self._template:
            for top in (self.where.outbox, self.where.review):
                refuse_outside(top / result, top)

    def standing(self, original: Path) -> Path | None:
        """Give the result that stands under the name of an original's, finished by whomever; None if there is none."""
        return standing_at(self.where.outbox / self.result_name(original), self._several)

    def temporary(self) -> Path:
        """Name a hidden file in the outbox for a result in the making."""
        return temporary_in(self.where.outbox, self._owner)

    def sweep(self) -> int:
        """Take away the temporaries that an earlier daemon of this inbox left; the inbox's lock must be held."""
        count = 0
        for place in set(self.where.written):
            for leftover in place.glob(f".bgwatch-{self._owner}*.tmp"):
                discard(leftover)
                count += not os.path.lexists(leftover)  # one of another user's may have to stay
        return count

    def result_name(self, original: Path) -> Path:
        """Name the result of an original (both relative); subfolders called like ours are renamed."""
        first, *rest = (original.parent / self._name(original)).parts
        if rest and first.casefold() in self._reserved:
            first = f"{first}-2"
        return Path(first, *rest)

    def result_place(
        self, original: Path, review: bool, series: bool = False, ours: Callable[[Path], bool] = lambda path: False
    ) -> Path:
        """Find the place for the result of an original, and make its folder; one that is ``ours`` may be replaced."""
        name = series_of(self.result_name(original)) if series else self.result_name(original)
        if review:
            return self._free(self.where.review / name, reason_of_doubt, ours)
        return self._free(self.where.outbox / name, ours=ours)

    def accepted_place(self, result: Path) -> Path:
        """Find the free place for a result under review that was found good, and make its folder."""
        return self._free(self.where.outbox / result.relative_to(self.where.review))

    def failed_place(self, original: Path) -> Path:
        """Find the free place for an original that failed, and make its folder."""
        return self._free(self.where.failed / original, reason_of_failure)

    def put_away(self, original: Path) -> Path | None:
        """Move or delete an original whose result is on the disk, or leave it, as the settings say.

        Returns
        -------
        Path or None
            Where it is now; None when it was deleted.

        Raises
        ------
        FolderError
            When the system refuses it.
        """
        path = self.where.inbox / original
        if self.where.done:
            self._make((self.where.done / original).parent)
            return move_numbered(path, self.where.done / original, temporary_in(self.where.done, self._owner))
        if self.where.keep:
            return path
        self.take_out(original)
        return None

    def take_out(self, original: Path) -> None:
        """Delete an original from the inbox.

        Raises
        ------
        FolderError
            When the system refuses it.
        """
        delete(self.where.inbox / original)

    def brought(self, temporary: Path, place: Path) -> Path:
        """Bring a result in the making, if it is there, to the disk of the place that it is for; give where it is."""
        if not os.path.lexists(temporary) or on_one_disk(temporary, place.parent):
            return temporary
        top = next(top for top in self._tops if place.is_relative_to(top))
        folder = top if on_one_disk(top, place.parent) else place.parent
        here = temporary_in(folder, self._owner)
        move(temporary, here, temporary_in(folder, self._owner))
        return here

    def take_out_of_review(self, result: Path) -> None:
        """Delete a result under review; what a kill leaves of it is swept."""
        take_away(result, aside=temporary_in(self.where.review, self._owner))
        reason_of_doubt(result).unlink(missing_ok=True)

    def put_to_failed(self, original: Path, place: Path) -> None:
        """Move an original to the place found by `failed_place`.

        Raises
        ------
        FileExistsError
            When the place was taken meanwhile.
        FolderError
            When the system refuses it.
        """
        move(self.where.inbox / original, place, temporary_in(self.where.failed, self._owner))

    def _name(self, original: Path) -> str:
        if self._template is None:
            return fitting(original.stem, self._suffix)
        folder = (self.where.inbox / original).parent.name
        return rendered(self._template, self._suffix, original.stem, original.name, folder)

    def _free(
        self,
        wished: Path,
        beside: Callable[[Path], Path] | None = None,
        ours: Callable[[Path], bool] = lambda path: False,
    ) -> Path:
        self._make(wished.parent)
        return numbered(wished.parent, wished.name, beside=beside, ours=ours)

    def _make(self, folder: Path) -> None:
        """Make a folder below one of ours that is there: one that has vanished may be a disk that is not mounted."""
        top = next(top for top in self._tops if folder.is_relative_to(top))
        if not os.path.isdir(top):
            raise FolderError(f"{top}: is gone; make it again, or mount its disk")
        make_folder(folder)

    def is_moved(self, original: Path, place: Path) -> bool:
        """Tell whether an original is in its place already and in the inbox still, since a move was killed midway."""
        return is_moved(self.where.inbox / original, place)

    def explain(self, place: Path, reason: str, failure: bool) -> None:
        """Write down beside a result under review, or an original that failed, why it is there; safe to repeat."""
        top = self.where.failed if failure else self.where.review
        target = reason_of_failure(place) if failure else reason_of_doubt(place)
        content = (reason + "\n").encode("utf-8", "backslashreplace")
        if _holds(target, content):  # written before a kill
            return
        temporary = temporary_in(top, self._owner)
        write_durably(content, temporary)
        try:
            publish(temporary, target, replace=True)  # what lies there told of the result that this one replaces
        finally:
            discard(temporary)


def reason_of_doubt(result: Path) -> Path:
    """Name the file that says why a result is under review."""
    return result.with_name(fitting(result.stem, ".reason.txt"))


def reason_of_failure(original: Path) -> Path:
    """Name the file that says why an original failed."""
    return original.with_name(fitting(original.name, ".reason.txt"))


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
