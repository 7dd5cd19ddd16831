"""Files and folders that are written whole and brought to the disk, and taken away again."""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from bgwatch.errors import FolderError
from bgwatch.series import is_series

TEMPORARY = ".tmp"
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # of file systems that sync no folders


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
    if not is_folder(path):
        path.unlink()
    elif path.suffix == TEMPORARY:
        shutil.rmtree(path)
    elif is_series(path):
        vanish(path, aside)
    else:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def vanish(path: Path, aside: Path | None = None) -> None:
    """Take away at once: a folder goes by one renaming before its files do."""
    if is_folder(path):
        aside = aside or temporary_in(path.parent)
        path.rename(aside)
        discard(aside)
    else:
        path.unlink()


def discard(temporary: Path) -> None:
    """Take away what is unfinished, if it is there and its folder too."""
    with contextlib.suppress(OSError):
        take_away(temporary)


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


def is_folder(path: Path) -> bool:
    """Tell whether something is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()
