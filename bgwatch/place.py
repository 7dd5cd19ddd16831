"""Files into their places: whole, durable, numbered where a name is taken, and never over another."""

import contextlib
import errno
import itertools
import os
import shutil
import uuid
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from bgwatch.errors import FolderError

LONGEST_NAME = 255
LONGEST_NUMBERED = 240  # leaves room for ``.reason.txt``: cut off, two numbers would want the same file beside them
LONGEST_SUFFIX = 32
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # of file systems that sync no folders


def fitting(stem: str, tail: str, longest: int = LONGEST_NAME) -> str:
    """Shorten a stem, by whole characters, so that stem and tail together are a name of at most so many bytes."""
    while stem and len(os.fsencode(stem + tail)) > longest:
        stem = stem[:-1]
    return stem + tail


def names(wished: str) -> Iterator[str]:
    """Give a name, and then ``name-2``, ``name-3`` and so on, the number before the suffix."""
    yield wished
    path = Path(wished)
    stem, suffix = (path.stem, path.suffix) if len(os.fsencode(path.suffix)) <= LONGEST_SUFFIX else (wished, "")
    for number in itertools.count(2):
        yield fitting(stem, f"-{number}{suffix}", LONGEST_NUMBERED)


def numbered(
    folder: Path,
    name: str,
    taken: Container[str] = (),
    beside: Callable[[Path], Path] | None = None,
    ours: Callable[[Path], bool] = lambda path: False,
    tried: dict[str, Iterator[str]] | None = None,
) -> Path:
    """Find the first of ``name``, ``name-2``, ``name-3`` that is neither on the disk nor taken.

    Parameters
    ----------
    folder : Path
        Where it is to lie.
    name : str
        The wished file name; the number goes before its suffix.
    taken : container of str
        Whole paths, casefolded, that are promised to others.
    beside : callable, optional
        Gives the file that is to lie beside it, which must be free as well.
    ours : callable, optional
        Tells of a file on the disk whether it may be replaced; then its name is as good as free.
    tried : dict, optional
        Remembers between calls which names were given or not free, for a hundred thousand of one name.
    """
    untried = names(name) if tried is None else tried.setdefault(f"{folder}/{name}", names(name))
    for path in (folder / one for one in untried):
        if os.path.lexists(path) and ours(path):
            return path
        pair = (path, beside(path)) if beside else (path,)
        if len(set(pair)) < len(pair):  # a name so long that the two would be one
            continue
        if not any(str(one).casefold() in taken or os.path.lexists(one) for one in pair):
            return path
    raise AssertionError("counting never ends")


def refuse_outside(path: Path, folder: Path) -> None:
    """Raise FolderError for a path below a folder that leads out of it, as through a link."""
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise FolderError(f"{path}: leads out of {folder} through a link; take the link away or choose another name")


def temporary_in(folder: Path, owner: str = "") -> Path:
    """Name a hidden temporary file; ``owner`` tells whose it is when leftovers are swept."""
    return folder / f".bgwatch-{owner}{uuid.uuid4().hex}.tmp"


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


def write_durably(data: bytes | Iterable[bytes], path: Path) -> None:
    """Create a file that was not there, of one piece or more, and bring it to the disk.

    Raises
    ------
    FolderError
        When the folder cannot be written or is full; nothing is left behind.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        said = f"{path.parent}: cannot be written ({error.strerror}); check its rights and its disk"
        raise FolderError(said) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise FolderError(f"{path.parent}: writing failed ({error.strerror}); make room and try again") from None


def discard(temporary: Path) -> None:
    """Take an unfinished file away, if it is there and its folder too."""
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)


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
        When the target has appeared meanwhile and ``replace`` is False.
    FolderError
        When the folder refuses it.
    """
    try:
        if replace:
            temporary.replace(target)
        else:
            _rename_new(temporary, target)
        sync_folder(target.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise FolderError(f"{target}: cannot be put in place ({error.strerror}); check the folder") from None


def move(path: Path, target: Path, temporary: Path, replace: bool = False) -> None:
    """Move a file to a free place, or over what is there if asked, to another disk by way of a temporary; mtime stays.

    Raises
    ------
    FileExistsError
        When the target has appeared meanwhile and ``replace`` is False.
    FolderError
        When one of the folders refuses it; the file is where it was.
    """
    rename = Path.replace if replace else _rename_new
    try:
        try:
            rename(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            path.rename(path)  # refused on a read-only disk, before a copy is made for nothing
            copied = path.lstat()
            _copy_durably(path, temporary)
            rename(temporary, target)
            sync_folder(target.parent)
            if _changed(copied, path.lstat()):
                target.unlink()
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
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
        # a file system without hard links, or a file of another user's
        if os.path.lexists(target):
            raise FileExistsError(str(target)) from None
        path.rename(target)
    else:
        _unlink_or_undo(path, target)


def _unlink_or_undo(path: Path, target: Path) -> None:
    try:
        path.unlink()
    except OSError:
        target.unlink()  # one of the two has to go, and the first one does not
        raise


def _changed(before: os.stat_result, now: os.stat_result) -> bool:
    return not os.path.samestat(before, now) or (before.st_size, before.st_mtime_ns) != (now.st_size, now.st_mtime_ns)


def _copy_durably(path: Path, copy: Path) -> None:
    shutil.copy2(path, copy, follow_symlinks=False)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
