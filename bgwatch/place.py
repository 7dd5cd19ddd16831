"""Files into their places, and folders of numbered results: at once, and never over another unasked."""

import errno
import os
import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bgwatch.durable import discard, is_folder, make_folder, sync_folder, take_away, temporary_in, vanish, write_durably
from bgwatch.errors import FolderError
from bgwatch.series import SUFFIX as SERIES
from bgwatch.series import is_series


def refuse_outside(path: Path, folder: Path) -> None:
    """Raise FolderError for a path below a folder that leads out of it, as through a link."""
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise FolderError(f"{path}: leads out of {folder} through a link; take the link away or choose another name")


def replaceable(path: Path) -> bool:
    """Tell whether what lies in a place may be replaced by a result: a file by a file, and a series by a series."""
    return is_series(path) if os.path.isdir(path) or path.suffix == SERIES else True


def replace_with(data: bytes | Iterable[bytes], path: Path, mode: int | None = None) -> None:
    """Write a file that the user named, whole or not at all, in place of what was there.

    Parameters
    ----------
    data : bytes or iterable of bytes
        Its new content, or the pieces of it.
    path : Path
        The file; its folder is made if it is missing.
    mode : int, optional
        Its permissions; without it what the umask leaves.

    Raises
    ------
    FolderError
        When the folder cannot be written or is full.
    """
    make_folder(path.parent)
    temporary = temporary_in(path.parent)
    try:
        write_durably(data, temporary)
        if mode is not None:
            temporary.chmod(mode)
        publish(temporary, path, replace=True)
    finally:
        temporary.unlink(missing_ok=True)


def publish(temporary: Path, target: Path, replace: bool = False) -> None:
    """Put a finished temporary in place: whole, durable, and over nothing else unless asked.

    Raises
    ------
    FileExistsError
        When something has appeared there meanwhile; with ``replace`` only where another process replaced a folder too.
    FolderError
        When the folder refuses it.
    """
    try:
        if replace:
            _replace(temporary, target, temporary.with_suffix(".old.tmp"))
        else:
            _rename_new(temporary, target)
        sync_folder(target.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise FolderError(f"{target}: cannot be put in place ({error.strerror}); check the folder") from None


def move(path: Path, target: Path, temporary: Path, replace: bool = False) -> None:
    """Move a file or a series to a free place, or over what is there if asked, to another disk by way of a temporary.

    Its time of change stays.

    Raises
    ------
    FileExistsError
        When something has appeared there meanwhile; with ``replace`` only where another process replaced a folder too.
    FolderError
        When one of the folders refuses it; the file is where it was.
    """
    rename = partial(_replace, aside=temporary.with_suffix(".old.tmp")) if replace else _rename_new
    try:
        try:
            rename(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            path.rename(path)  # refused on a read-only disk, before a copy is made for nothing
            copied = _state(path)
            _copy_durably(path, temporary)
            rename(temporary, target)
            sync_folder(target.parent)
            if _state(path) != copied:
                take_away(target)
                raise OSError(errno.EBUSY, "it was changed while it was copied") from None
            _unlink_or_undo(path, target)
        sync_folder(target.parent)
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        said = f"{path}: cannot be moved to {target.parent} ({error.strerror}); check both folders"
        raise FolderError(said) from None
    finally:
        discard(temporary)


def _rename_new(path: Path, target: Path) -> None:
    """Rename without overwriting: a hard link fails where the target exists, and a rename does not."""
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.ENOENT, errno.ENOSPC):
            raise
        # a folder, a file system without hard links, or a file of another user's
        _rename_unlinked(path, target)
    else:
        _unlink_or_undo(path, target)


def _rename_unlinked(path: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(str(target))
    try:
        path.rename(target)
    except OSError:
        if os.path.lexists(target):  # since this moment: a folder goes over nothing but an empty one
            raise FileExistsError(str(target)) from None
        raise


def _replace(path: Path, target: Path, aside: Path) -> None:
    """Rename over what is there; a folder is put aside first, since no system replaces one that is not empty."""
    if os.path.lexists(target) and not replaceable(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not target.is_dir():
        path.replace(target)
        return
    target.rename(aside)
    try:
        path.rename(target)
    except OSError:
        if os.path.lexists(target):  # another process has replaced it meanwhile
            discard(aside)
            raise FileExistsError(str(target)) from None
        aside.rename(target)
        raise
    discard(aside)


def _unlink_or_undo(path: Path, target: Path) -> None:
    try:
        vanish(path)
    except OSError:
        take_away(target)  # one of the two has to go, and the first one does not
        raise


def _state(path: Path) -> list[tuple[int, ...]]:
    """Give what changes with a file, or with one in a folder."""
    states = (one.lstat() for one in (path, *(sorted(path.iterdir()) if is_folder(path) else ())))
    return [(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def _copy_durably(path: Path, copy: Path) -> None:
    if not is_folder(path):
        shutil.copy2(path, copy, follow_symlinks=False)
        _sync(copy)
        return
    copy.mkdir()
    for one in path.iterdir():
        _copy_durably(one, copy / one.name)
    shutil.copystat(path, copy)
    sync_folder(copy)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
