"""File to pixels: the door that pictures come in by, under limits."""

import contextlib
import errno
import io
import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from bgwatch.errors import FolderError, PictureError, UnfinishedError
from bgwatch.reading.decoders import NOISY, begins_like, formats, our_ways, silence
from bgwatch.reading.decoding import Decoded, decoded
from bgwatch.reading.metadata import BROKEN
from bgwatch.reading.pages import pages
from bgwatch.settings import PictureLimits

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"}
    | {".jp2", ".j2k", ".jpx", ".heic", ".heif"}
)
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
READS = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000"
PLAYED = ("GIF", "PNG", "WEBP", "AVIF")  # formats whose frames are an animation, and not pages
UNTOLD = 100.0  # milliseconds that players show a frame of which nothing is said
SMALL = 65536  # bytes
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


@dataclass(frozen=True)
class Identity:
    """What tells one state of a file from another.

    Attributes
    ----------
    device, inode, size, mtime_ns : int
        As `os.stat` gives them; size in bytes.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        """Take the identity out of a stat result."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def identity_of(path: Path, series: bool = False) -> Identity | None:
    """Take the identity of a regular file; None where there is none (links are not followed).

    Parameters
    ----------
    path : Path
        The file.
    series : bool, optional
        Whether a folder, of numbered results, is as good.

    Raises
    ------
    FolderError
        When the system cannot tell, as a network disk that does not answer.
    """
    try:
        status = path.lstat()
    except OSError as error:
        if error.errno in NOT_THERE:
            return None
        raise FolderError(f"{path}: cannot be looked at ({error.strerror}); check its disk and rights") from None
    fits = stat.S_ISREG(status.st_mode) or (series and stat.S_ISDIR(status.st_mode))
    return Identity.of(status) if fits else None


@dataclass(frozen=True)
class Picture(Decoded):
    """A decoded picture, with what is said there of `bgwatch.reading.decoding.Decoded`.

    Attributes
    ----------
    identity : Identity
        Of the file at the moment it was opened.
    frame : int
        Its number among the frames or pages of the file, from 0.
    frames : int
        How many there are.
    duration : float or None
        How long an animation shows it, in milliseconds; None for a page.
    loop : int or None
        How often the animation is played, 0 for ever; None where the file does not say.
    """

    identity: Identity
    frame: int = 0
    frames: int = 1
    duration: float | None = None
    loop: int | None = None

    @property
    def image(self) -> Image.Image:
        """The picture for the eye: 8 bits a channel, in one of the modes L, RGB, RGBA where an array was deep."""
        return self.pixels if isinstance(self.pixels, Image.Image) else Image.fromarray((self.pixels >> 8).astype("u1"))


@dataclass(frozen=True)
class Opened:
    """A file that is open, at its beginning, and has no path to name it by.

    Attributes
    ----------
    name : str
        What sentences call it.
    file : binary file
        Stays open.
    """

    name: str
    file: IO[bytes]

    def __str__(self) -> str:
        return self.name


def looks_like_picture(path: Path) -> bool:
    """Tell whether a file is named like a picture, or begins like one."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with _opened(path, follow=True) as file, our_ways(), Image.open(file, formats=formats()):
            return True
    except (PictureError, *BROKEN):
        return False


def decode(path: Path | Opened, limits: PictureLimits, follow_symlinks: bool = True) -> Picture:
    """Read a picture whole: of several frames or pages the first, or by ``limits.frames`` none.

    The format is decided by the content, never by the name. The file is opened once; what is decoded is what
    was checked.

    Parameters
    ----------
    path : Path or Opened
        The file.
    limits : PictureLimits
        What is refused before decoding, by the file's size and by what its header declares.
    follow_symlinks : bool
        False refuses a symbolic link.

    Raises
    ------
    PictureError
        When it is missing, not a regular file, empty, no picture, broken, cut short, or beyond the limits.
    """
    with our_ways(), contextlib.closing(_pictures(path, limits, follow_symlinks, every=False)) as found:
        picture = next(found)
    if picture.frames == 1:
        return picture
    return replace(picture, notes=(*picture.notes, f"only the first of {picture.frames} frames or pages was taken"))


def frames(path: Path | Opened, limits: PictureLimits, follow_symlinks: bool = True) -> Iterator[Picture]:
    """Read every frame or page of a file, one at a time: upright, and as an animation shows it, whole.

    Parameters and errors are those of `decode`; an error may come after some frames.

    Yields
    ------
    Picture
        At least one.
    """
    with contextlib.closing(_pictures(path, limits, follow_symlinks, every=True)) as found:
        while True:
            with our_ways():  # not while the caller works on a frame
                picture = next(found, None)
            if picture is None:
                return
            yield picture


def _pictures(path: Path | Opened, limits: PictureLimits, follow: bool, every: bool) -> Generator[Picture, None, None]:
    with _opened(path, follow) as file:
        identity = Identity.of(os.fstat(file.fileno()))
        if identity.size == 0:
            raise UnfinishedError(f"{path}: the file is empty (0 bytes); copy it here again")
        if identity.size > limits.max_bytes:
            said = f"{identity.size} bytes are more than max_bytes ({limits.max_bytes}); raise it or scale the picture"
            raise PictureError(f"{path}: {said}")
        try:
            with Image.open(file, formats=formats()) as image:
                for found, place in _each(image, file, limits, path, every):
                    yield Picture(**vars(found), identity=identity, **place)
        except UnidentifiedImageError:
            file.seek(0)
            raise _unidentified(file.read(16), path) from None
        except BROKEN as error:
            raise _broken(error, path) from None


def _each(
    image: Image.Image, file: BinaryIO, limits: PictureLimits, path: object, every: bool
) -> Iterator[tuple[Decoded, dict[str, Any]]]:
    """Decode page by page, the first alone unless ``every`` one is wanted."""
    numbers = pages(image, file, limits.max_frames)
    if len(numbers) > limits.max_frames:
        said = f"more than max_frames ({limits.max_frames}) frames or pages; raise it or take the one you want"
        raise PictureError(f"{path}: {said}")
    if len(numbers) > 1 and limits.frames == "refuse":
        raise PictureError(f"{path}: {len(numbers)} frames or pages; give one picture a file, or say frames: first")
    for frame, number in enumerate(numbers if every else numbers[:1]):
        with silence() if image.format in NOISY else contextlib.nullcontext():
            if number:
                image.seek(number)
            _within(limits, image, path)
            found = _apart(image, file, path) if every and len(numbers) > 1 else decoded(image, file, path)
        duration = image.info.get("duration", UNTOLD) if image.format in PLAYED else None
        yield found, {"frame": frame, "frames": len(numbers), "duration": duration, "loop": image.info.get("loop")}


def _apart(image: Image.Image, file: BinaryIO, path: object) -> Decoded:
    """Decode one of several pages so that the next, which is laid over it or read into its memory, leaves it alone."""
    if image.format == "TIFF":  # whose directory tells how it is decoded
        found = decoded(image, file, path)
        return replace(found, pixels=image.copy()) if found.pixels is image else found
    image.load()
    return decoded(image.copy(), file, path)


def _unidentified(head: bytes, path: object) -> PictureError:
    """Say what is wrong with a file that no decoder opens, by its first bytes."""
    if not head.strip(b"\0"):  # a file that was given its size before its content
        return UnfinishedError(f"{path}: begins with nothing but zeros; copy it here again")
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS and "HEIF" not in formats():
        return PictureError(f"{path}: a HEIC picture; install 'bgwatch[heif]' to read these, or convert it to JPEG")
    if begins_like(head):
        kind = "broken, cut short, or of a kind that bgwatch does not read"
        return UnfinishedError(f"{path}: the picture is {kind}; export or copy it again")
    return PictureError(f"{path}: not a picture bgwatch reads ({READS}); convert it to one of these")


class _Bounded(io.BufferedReader):
    """A file that is asked for no more bytes than it has, so that no memory is taken for a length that lies."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and 0 <= size <= SMALL:
            return super().read(size)
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))


@contextlib.contextmanager
def _opened(path: Path | Opened, follow: bool) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a fifo must not wait for its writer
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.dup(path.file.fileno()) if isinstance(path, Opened) else os.open(path, flags)
    except FileNotFoundError:
        raise PictureError(f"{path}: there is no such file; check the name") from None
    except OSError as error:
        raise UnfinishedError(f"{path}: cannot be opened ({error.strerror}); check its rights") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PictureError(f"{path}: not a regular file; give a picture file")
    with _Bounded(io.FileIO(descriptor, "rb")) as file:
        yield file


def _within(limits: PictureLimits, image: Image.Image, path: object) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        said = (
            f"{width} x {height} pixels are more than max_pixels ({limits.max_pixels}); raise it or scale the picture"
        )
        raise PictureError(f"{path}: {said}")


def _broken(error: BaseException, path: object) -> PictureError:
    """Put in a sentence what a decoder has said."""
    said = " ".join(str(error).split()) or type(error).__name__
    if "MAX_TEXT" in said:  # Pillow's words for a PNG whose texts or profile unpack to more than it was allowed
        return PictureError(f"{path}: its texts or its profile are too long ({said}); take its metadata out")
    return UnfinishedError(f"{path}: the picture is broken or cut short ({said}); export or copy it again")
