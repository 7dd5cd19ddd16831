"""File to pixels: decoding under limits, orientation, colour profile."""

import contextlib
import errno
import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from bgwatch.errors import FolderError, PictureError, UnfinishedError
from bgwatch.settings import PictureLimits

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "HEIF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif"}
    | {".jp2", ".j2k", ".jpx", ".heic", ".heif"}
)
READS = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000"
# what Pillow's decoders are seen to raise on broken data
BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)
NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")


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


def identity_of(path: Path) -> Identity | None:
    """Take the identity of a regular file; None where there is none (links are not followed).

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
    return Identity.of(status) if stat.S_ISREG(status.st_mode) else None


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes
    ----------
    image : PIL.Image.Image
        Upright, in one of the modes L, LA, RGB, RGBA.
    identity : Identity
        Of the file at the moment it was opened.
    kept : dict
        What to hand to the encoder: ``icc_profile``, ``dpi``, ``exif``.
    notes : tuple of str
        What could not be kept, in words.
    """

    image: Image.Image
    identity: Identity
    kept: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def looks_like_picture(path: Path) -> bool:
    """Tell whether a file is named like a picture, or begins like one."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with _opened(path, follow=True) as file, _our_limits(), Image.open(file, formats=_formats()):
            return True
    except (PictureError, UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return False


def decode(path: Path, limits: PictureLimits, follow_symlinks: bool = True) -> Picture:
    """Read a picture whole.

    The format is decided by the content, never by the name. The file is opened once; what is decoded is what
    was checked.

    Parameters
    ----------
    path : Path
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
    with _opened(path, follow_symlinks) as file:
        status = os.fstat(file.fileno())
        if status.st_size == 0:
            raise UnfinishedError(f"{path}: the file is empty (0 bytes); copy it here again")
        if status.st_size > limits.max_bytes:
            said = f"{status.st_size} bytes are more than max_bytes ({limits.max_bytes}); raise it or scale the picture"
            raise PictureError(f"{path}: {said}")
        try:
            with _our_limits(), Image.open(file, formats=_formats()) as image:
                _within(limits, image, path)
                return _upright(image, Identity.of(status), path)
        except UnidentifiedImageError:
            file.seek(0)
            # a file that begins with zeros was given its size before its content
            kind = PictureError if file.read(16).strip(b"\0") else UnfinishedError
            raise kind(f"{path}: not a picture bgwatch reads ({READS}); convert it to one of these") from None
        except BROKEN as error:
            raise UnfinishedError(
                f"{path}: the picture is broken or cut short ({_one_line(error)}); export or copy it again"
            ) from None


@contextlib.contextmanager
def _opened(path: Path, follow: bool) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a fifo must not wait for its writer
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise PictureError(f"{path}: there is no such file; check the name") from None
    except OSError as error:
        raise UnfinishedError(f"{path}: cannot be opened ({error.strerror}); check its rights") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PictureError(f"{path}: not a regular file; give a picture file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


@contextlib.contextmanager
def _our_limits() -> Iterator[None]:
    """Lift Pillow's own pixel limit: ``max_pixels`` is checked before anything is decoded."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _formats() -> tuple[str, ...]:
    if "HEIF" not in Image.OPEN:
        with contextlib.suppress(ImportError):
            from pillow_heif import register_heif_opener

            register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN or name != "HEIF")


def _within(limits: PictureLimits, image: Image.Image, path: Path) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        said = (
            f"{width} x {height} pixels are more than max_pixels ({limits.max_pixels}); raise it or scale the picture"
        )
        raise PictureError(f"{path}: {said}")
    frames = getattr(image, "n_frames", 1)
    if frames > limits.max_frames:
        said = f"{frames} frames are more than max_frames ({limits.max_frames}); raise it or take the frame you want"
        raise PictureError(f"{path}: {said}")


def _upright(image: Image.Image, identity: Identity, path: Path) -> Picture:
    notes = []
    if getattr(image, "n_frames", 1) > 1:
        notes.append("only the first frame was taken")
    if any(
        ";16" in str(tile) for tile in getattr(image, "tile", ())
    ):  # Pillow drops the lower bytes of RGB and keeps those of grey
        notes.append("16 bits a channel were brought to 8")
    image.load()
    kept: dict[str, Any] = {}
    if dpi := _dpi(image):
        kept["dpi"] = dpi
    with contextlib.suppress(*BROKEN):  # a broken tag must not cost the picture
        ImageOps.exif_transpose(image, in_place=True)  # which copies only what it turns
    if exif := _exif(image):
        kept["exif"] = exif
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK":
        image, profile = _from_cmyk(image, profile), None
    if profile:
        kept["icc_profile"] = profile
    return Picture(_plain(image, path), identity, kept, tuple(notes))


def _plain(image: Image.Image, path: Path) -> Image.Image:
    """Bring any mode to L, LA, RGB or RGBA."""
    if image.mode in ("F", "I"):
        raise PictureError(
            f"{path}: its values ({'floating point' if image.mode == 'F' else '32-bit integers'}) have no fixed range;"
            " convert it to 8 or 16 bits"
        )
    if image.mode in DEEP_GREY:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    grey = image.mode in ("L", "LA", "1")
    mode = "L" if grey else "RGB"
    if image.has_transparency_data:  # also a palette's or a key colour's
        mode = "LA" if grey else "RGBA"
    return image if image.mode == mode else image.convert(mode)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2 and all(0 < float(part) < 1e5 for part in dpi):
        return float(dpi[0]), float(dpi[1])
    return None


def _exif(image: Image.Image) -> bytes:
    """Take over EXIF without what no longer holds: the orientation and the thumbnail."""
    try:
        exif = image.getexif()
        exif.pop(ExifTags.Base.Orientation, None)
        return exif.tobytes() if len(exif) else b""
    except BROKEN:
        return b""


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a broken profile: the plain conversion is left
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
    return image.convert("RGB")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
