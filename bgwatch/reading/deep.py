"""16 bits a channel, for which Pillow has no modes but grey.

Pillow's decoders do read every byte; they are only asked differently:

- PNG, colours: the unpackers take the upper byte of each sample, and told the other byte order, the lower.
- PNG, grey and alpha: two samples of 16 bits are four of 8, if the header says so.
- HEIC: pillow-heif gives the upper bits of 16; the lower ones repeat them, so that white is 65535.
- TIFF: see `bgwatch.reading.deep_tiff`.

Another library would meet hostile files with a second set of decoders. Those tried have faults of their own: OpenCV
5.0 scrambles planar TIFF without a word, reads grey and alpha as 8 bits, and lets libpng and libtiff write to standard
error; tifffile reads LZW only with imagecodecs (80 MB); pyvips brings 40 MB under the LGPL.
"""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.reading.deep_tiff import BITS, FULL, PHOTOMETRIC, RGB, Deep, deep_tiff, divide_by_alpha, is_deep, spread

CODESTREAM = b"\xff\x4f\xff\x51"  # how JPEG 2000's begins
HEAD = 2**16  # bytes, in which AVIF and JPEG 2000 say how many bits they have


def deep_pixels(image: Image.Image, file: BinaryIO) -> tuple[Deep, bool] | None:
    """Decode a picture of 16 bits a channel; None where Pillow's own modes hold all there is.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture, opened and not loaded.
    file : file
        What it was opened from.

    Returns
    -------
    ndarray of uint16, shape (H, W), (H, W, 3) or (H, W, 4)
        As it lies in the file, so not turned upright; alpha is straight. Grey with alpha has four channels, of which
        the first three are equal.
    bool
        Whether it is grey.

    Raises
    ------
    OSError, SyntaxError, ValueError
        When it is broken; in short, what Pillow's decoders raise.
    """
    if image.format == "PNG" and any(";16" in str(tile) for tile in image.tile):  # type: ignore[attr-defined]
        return _png(image, file)
    if image.format == "TIFF" and is_deep(image.tag_v2):  # type: ignore[attr-defined]
        return deep_tiff(image.tag_v2, file), image.tag_v2.get(PHOTOMETRIC) != RGB  # type: ignore[attr-defined]
    if image.format == "HEIF" and (bits := bits_of(image, file)) > 8:
        return _heif(image, file, bits)
    if image.mode.startswith("I;16") and image.format != "TIFF":
        return _with_key(np.asarray(image).astype(np.uint16), image.info.get("transparency")), True
    return None


def bits_of(image: Image.Image, file: BinaryIO) -> int:
    """Tell how many bits a channel has in the file, where that may be more than 8; 8 where nothing says so."""
    if image.format == "TIFF":
        return int(max(image.tag_v2.get(BITS, (8,))))  # type: ignore[attr-defined]
    if "bit_depth" in image.info:  # of a HEIC
        return int(image.info["bit_depth"])
    return _bits_by(_head(file))


def _bits_by(head: bytes) -> int:
    """Tell how many bits a channel has by the first bytes of a file: those of a frame tell no format."""
    if head.startswith(b"\x89PNG"):
        return head[24] if len(head) > 24 else 8
    if head[4:8] == b"ftyp":
        flags = head[head.find(b"av1C") + 6 :][:1] if b"av1C" in head else b""
        return (12 if flags[0] & 0x20 else 10) if flags and flags[0] & 0x40 else 8
    if head[4:8] == b"jP  " or head.startswith(CODESTREAM):
        size = head[head.find(CODESTREAM) + 42 :][:1] if CODESTREAM in head else b""
        return (size[0] & 0x7F) + 1 if size else 8
    return 8


def _head(file: BinaryIO) -> bytes:
    """Read the first bytes; the position is kept, at which Pillow reads the next frame."""
    place = file.tell()
    file.seek(0)
    head = file.read(HEAD)
    file.seek(place)
    return head


def turned(pixels: Any, orientation: int) -> Any:
    """Turn pixels upright.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
        As they lie in the file.
    orientation : int
        EXIF's, in 1 to 8; anything else turns nothing.
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _heif(image: Image.Image, file: BinaryIO, bits: int) -> tuple[Deep, bool]:
    from pillow_heif import open_heif

    file.seek(0)
    found = open_heif(file, convert_hdr_to_8bit=False)[image.tell()]
    pixels = np.asarray(found).astype(np.uint16)
    pixels |= pixels >> bits
    if found.mode == "RGBa;16":
        divide_by_alpha(pixels)
    return pixels, pixels.ndim == 2


def _png(image: Any, file: BinaryIO) -> tuple[Deep, bool]:
    if any(tile.args == "LA;16B" for tile in image.tile):
        return spread(_png_bytes(file).view(">u2").astype(np.uint16)), True
    grey = image.mode.startswith("I;16")
    pixels = np.asarray(image).astype(np.uint16) if grey else _png_colours(image, file)
    return _with_key(pixels, image.info.get("transparency")), grey


def _png_colours(image: Image.Image, file: BinaryIO) -> Deep:
    upper = np.asarray(image)
    pixels = np.empty(upper.shape, "<u2")
    halves = pixels.view(np.uint8).reshape(*upper.shape, 2)
    halves[..., 1] = upper
    file.seek(0)
    with Image.open(file, formats=("PNG",)) as again:
        again.tile = [tile._replace(args=str(tile.args).replace("16B", "16L")) for tile in again.tile]
        halves[..., 0] = np.asarray(again)
    return pixels.astype(np.uint16, copy=False)


def _png_bytes(file: BinaryIO) -> NDArray[np.uint8]:
    """Read grey and alpha as four bytes a pixel, shape (H, W, 4)."""
    file.seek(0)
    data = bytearray(file.read())
    data[24:26] = 8, 6  # bits, and the colour type RGBA
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        return np.asarray(image)


def _with_key(pixels: Deep, key: int | Sequence[int] | None) -> Deep:
    """Make a key colour's pixels transparent."""
    if key is None or (pixels.ndim == 3 and pixels.shape[2] == 4) or isinstance(key, bytes):
        return pixels
    hit = pixels == np.asarray(key)
    hit = hit if pixels.ndim == 2 else hit.all(axis=2)
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return np.dstack([colours, np.where(hit, 0, FULL).astype(np.uint16)])
