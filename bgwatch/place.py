"""Files into their places, and folders of numbered results: whole, durable, and never over another unasked."""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bgwatch.errors import FolderError
from bgwatch.series import SUFFIX as SERIES
from bgwatch.series import is_series

TEMPORARY = ".tmp"
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # of file systems that sync no folders


def refuse_outside(path: Path, folder: Path) -> None:
    """Raise FolderError for a path below a folder that leads out of it, as through a link."""
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise FolderError(f"{path}: leads out of {folder} through a link; take the link away or choose another name")


def temporary_in(folder: Path, owner: str = "") -> Path:
    """Name a hidden temporary file; ``owner`` tells whose it is when leftovers are swept."""
    return folder / f".bgwatch-{owner}{uuid.uuid4().hex}{TEMPORARY}"


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if they are missing.

    Raises
    ------
    FolderError
        When it cannot be made, or a file is in its way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file has its name" if isinstance(error, FileExistsError) else error.strerror
        raise FolderError(f"{folder}: cannot be made ({reason}); name another folder") from None


def write_durably(data: bytes | Iterable[bytes], path: Path, known: Path | None = None) -> None:
    """Create a file that was not there, of one piece or more, and bring it to the disk.

    Parameters
    ----------
    data : bytes or iterable of bytes
        Its content, or the pieces of it.
    path : Path
        The file.
    known : Path, optional
        The folder that an error names, where the file's own is a hidden one.

    Raises
    ------
    FolderError
        When the folder cannot be written or is full; nothing is left behind.
    """
    known = known or path.parent
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        said = f"{known}: cannot be written ({error.strerror}); check its rights and its disk"
        raise FolderError(said) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise FolderError(f"{known}: writing failed ({error.strerror}); make room and try again") from None


def write_series(pieces: Iterable[tuple[str, bytes]], folder: Path) -> int:
    """Make a folder of files, one after another, and bring all to the disk.

    Parameters
    ----------
    pieces : iterable of (str, bytes)
        The name of each file and what is in it.
    folder : Path
        The folder, which is not there yet.

    Returns
    -------
    int
        How many they are.

    Raises
    ------
    FolderError
        When the folder cannot be made or written, or is full; it is left for `discard`.
    """
    try:
        folder.mkdir()
    except OSError as error:
        said = f"{folder.parent}: cannot be written ({error.strerror}); check its rights and its disk"
        raise FolderError(said) from None
    count = 0
    for name, data in pieces:
        write_durably(data, folder / name, known=folder.parent)
        count += 1
    sync_folder(folder)
    return count


def take_away(path: Path, aside: Path | None = None) -> None:
    """Delete a file or, of folders, a temporary or a series alone; no part of a series is seen meanwhile.

    Parameters
    ----------
    path : Path
        What is deleted.
    aside : Path, optional
        The temporary name of a series whose files go; without it one beside it.

    Raises
    ------
    OSError
        When it is another folder, or the system refuses it.
    """
    if not _is_folder(path):
        path.unlink()
    elif path.suffix == TEMPORARY:
        shutil.rmtree(path)
    elif is_series(path):
        _vanish(path, aside)
    else:
        raise _is_a_folder(path)


def discard(temporary: Path) -> None:
    """Take away what is unfinished, if it is there and its folder too."""
    with contextlib.suppress(OSError):
        take_away(temporary)


def replaceable(path: Path) -> bool:
    """Tell whether what lies in a place may be replaced by a result: a file by a file, and a series by a series."""
    return is_series(path) if path.is_dir() or path.suffix == SERIES else True


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


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one may write to it and not read it
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


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
        raise _is_a_folder(target)
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
        _vanish(path)
    except OSError:
        take_away(target)  # one of the two has to go, and the first one does not
        raise


def _vanish(path: Path, aside: Path | None = None) -> None:
    """Take away at once: a folder goes by one renaming before its files do."""
    if _is_folder(path):
        aside = aside or temporary_in(path.parent)
        path.rename(aside)
        discard(aside)
    else:
        path.unlink()


def _is_a_folder(path: Path) -> IsADirectoryError:
    return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _state(path: Path) -> list[tuple[int, ...]]:
    """Give what changes with a file, or with one in a folder."""
    states = (one.lstat() for one in (path, *(sorted(path.iterdir()) if _is_folder(path) else ())))
    return [(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) for state in states]


def _copy_durably(path: Path, copy: Path) -> None:
    if not _is_folder(path):
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
