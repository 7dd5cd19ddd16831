"""Originals and results to their folders, with the reasons beside failures and doubts."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bgwatch.config import located
from bgwatch.errors import FolderError, SettingsError
from bgwatch.imagefile import sync_folder, write_atomically
from bgwatch.job import fitting, numbered, temporary_in
from bgwatch.settings import Folder


@dataclass(frozen=True)
class Places:
    """Where the files of one watched folder are.

    Attributes
    ----------
    inbox, outbox, failed, review : Path
        Absolute, symbolic links resolved.
    done : Path or None
        None where originals stay or are deleted.
    keep : bool
        Whether originals stay where they are.
    """

    inbox: Path
    outbox: Path
    failed: Path
    review: Path
    done: Path | None
    keep: bool

    @property
    def written(self) -> list[Path]:
        """The folders that bgwatch writes to."""
        return [place for place in (self.outbox, self.done, self.failed, self.review) if place]


def places(folder: Folder) -> Places:
    """Resolve the folders of one entry of the settings."""
    outbox = _real(Path(folder.outbox))

    def inside(text: str) -> Path:
        return _real(Path(located(text, outbox)))

    done = None if folder.done in ("keep", "delete") else inside(folder.done)
    return Places(
        inbox=_real(Path(folder.inbox)),
        outbox=outbox,
        failed=inside(folder.failed),
        review=inside(folder.review),
        done=done,
        keep=folder.done == "keep",
    )


def refuse_loops(all_places: Iterable[Places], state: Path) -> None:
    """Refuse folders whose results would be taken for originals.

    Raises
    ------
    SettingsError
        Naming the two folders.
    """
    all_places = list(all_places)
    inboxes = [place.inbox for place in all_places]
    for inbox in inboxes:
        if inboxes.count(inbox) > 1:
            raise SettingsError(f"{inbox}: is named as inbox twice; give each inbox one entry")
        if state.resolve().is_relative_to(inbox):
            raise SettingsError(f"{state}: the state folder lies inside the inbox {inbox}; name another with --state")
        for written in (written for place in all_places for written in place.written):
            if written.is_relative_to(inbox):
                raise SettingsError(f"{written}: lies inside the inbox {inbox}; name a folder outside it")
            if inbox.is_relative_to(written):
                said = f"{inbox}: the inbox lies inside {written}, which is written to; name one outside it"
                raise SettingsError(said)


class Filing:
    """Puts the files of one watched folder where they belong.

    Parameters
    ----------
    where : Places
        The folders.
    """

    def __init__(self, where: Places) -> None:
        self.where = where
        # names of ours in the outbox, with which no mirrored subfolder may get mixed up
        self._reserved = {place.name.casefold() for place in where.written if place.parent == where.outbox}
        self._owner = hashlib.sha256(os.fsencode(where.inbox)).hexdigest()[:12] + "-"

    def prepare(self, created: Callable[[Path], None]) -> None:
        """Make the folders that are missing and make sure that results can be written.

        Raises
        ------
        FolderError
            When a folder cannot be made, is none, or cannot be written.
        """
        for place in (self.where.inbox, *self.where.written):
            if not place.is_dir():
                _make(place)
                created(place)
        for place in self.where.written:
            if not os.access(place, os.W_OK | os.X_OK):
                raise FolderError(f"{place}: cannot be written; give this user the right to, or name another folder")
        if not os.access(self.where.inbox, os.R_OK | os.X_OK):
            said = "cannot be read; give this user the right to, or name another folder"
            raise FolderError(f"{self.where.inbox}: {said}")
        if not self.where.keep and not os.access(self.where.inbox, os.W_OK):
            said = "originals cannot be moved out of it; give this user the right to, or set done: keep"
            raise FolderError(f"{self.where.inbox}: {said}")

    def temporary(self) -> Path:
        """Name a hidden file in the outbox for a result in the making."""
        return temporary_in(self.where.outbox, self._owner)

    def sweep(self) -> int:
        """Take away the temporaries that an earlier daemon of this inbox left; the inbox's lock must be held."""
        count = 0
        for leftover in self.where.outbox.glob(f".bgwatch-{self._owner}*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                leftover.unlink()
                count += 1
        return count

    def result_name(self, original: Path) -> Path:
        """Name the result of an original (both relative); subfolders called like ours are renamed."""
        first, *rest = original.parts
        if rest and first.casefold() in self._reserved:
            first = f"{first}-2"
        return Path(first, *rest).with_name(fitting(original.stem, ".png"))

    def result_place(self, original: Path, review: bool) -> Path:
        """Find the free place for the result of an original, and make its folder."""
        wished = (self.where.review if review else self.where.outbox) / self.result_name(original)
        _make(wished.parent)
        return numbered(wished.parent, wished.name)

    def explain_doubt(self, result: Path, reason: str) -> None:
        """Write down beside a result under review why it is there."""
        _write_reason(result.with_name(fitting(result.stem, ".reason.txt")), reason)

    def put_away(self, original: Path) -> None:
        """Move or delete an original whose result is on the disk, or leave it, as the settings say."""
        path = self.where.inbox / original
        if self.where.done:
            _move(path, self.where.done / original)
        elif not self.where.keep:
            path.unlink()
            sync_folder(path.parent)

    def put_to_failed(self, original: Path, reason: str) -> Path:
        """Move an original to the failed ones, its reason beside it; give its new place."""
        wished = self.where.failed / original
        _make(wished.parent)
        # the reason goes first: a stop in between leaves the original to fail again, and the reason to be overwritten
        place = numbered(wished.parent, wished.name)
        _write_reason(place.with_name(fitting(place.name, ".reason.txt")), reason)
        _move(self.where.inbox / original, place)
        return place


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"{path}: is not a folder that can be used ({error}); name another") from None


def _write_reason(path: Path, reason: str) -> None:
    write_atomically((reason + "\n").encode("utf-8", "backslashreplace"), path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(f"{folder}: cannot be made ({error.strerror}); name another folder") from None


def _move(path: Path, wished: Path) -> None:
    """Move a file over nothing, to another disk if need be; its mtime stays."""
    _make(wished.parent)
    place = numbered(wished.parent, wished.name)
    try:
        try:
            path.rename(place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy_over(path, place)
        sync_folder(place.parent)
        sync_folder(path.parent)
    except OSError as error:
        said = f"{path}: cannot be moved to {wished.parent} ({error.strerror}); check both folders"
        raise FolderError(said) from None


def _copy_over(path: Path, place: Path) -> None:
    temporary = temporary_in(place.parent)
    try:
        shutil.copy2(path, temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.rename(place)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(place.parent)
    path.unlink()
