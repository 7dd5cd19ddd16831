"""Files from folder to folder, each in one place in the end, also where a daemon was killed in the middle of it."""

import filecmp
import os
from pathlib import Path

from bgwatch.durable import sync_folder
from bgwatch.errors import FolderError
from bgwatch.numbering import names, numbered
from bgwatch.place import move


def on_one_disk(path: Path, other: Path) -> bool:
    """Tell whether one could be renamed to the other; raise FolderError where that cannot be looked at."""
    try:
        return path.stat().st_dev == other.stat().st_dev
    except OSError as error:
        raise FolderError(f"{other}: cannot be looked at ({error.strerror}); check its disk and rights") from None


def move_numbered(path: Path, wished: Path, temporary: Path) -> Path:
    """Move a file to the first free name, or end a move in whose middle an earlier daemon was killed."""
    if second := _second_name(path, wished):
        delete(path)
        return second
    while True:
        place = numbered(wished.parent, wished.name)
        try:
            move(path, place, temporary)
            return place
        except FileExistsError:
            continue


def _second_name(path: Path, wished: Path) -> Path | None:
    """Find the one of the names that `numbered` gives under which a file lies too, since a move was killed midway."""
    for name in map(wished.with_name, names(wished.name)):
        if not os.path.lexists(name):
            return None
        if is_moved(path, name):
            return name
    raise AssertionError("counting never ends")


def is_moved(path: Path, place: Path) -> bool:
    """Tell whether a move from one place to another was killed before the first name was taken away.

    On one disk both are names of one file; on another disk the copy has the time and the content of the original.
    """
    try:
        here, there = path.lstat(), place.lstat()
        if os.path.samestat(here, there):
            return True
        copied = here.st_dev != there.st_dev and (here.st_size, here.st_mtime_ns) == (there.st_size, there.st_mtime_ns)
        return copied and filecmp.cmp(path, place, shallow=False)
    except OSError:
        return False


def delete(path: Path) -> None:
    """Delete an original for good; raise FolderError where the system refuses it."""
    try:
        path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise FolderError(f"{path}: cannot be deleted ({error.strerror}); check the folder's rights") from None
