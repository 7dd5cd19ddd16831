"""16 bits a channel, for which Pillow has no modes but grey.

Pillow's decoders do read every byte; they are only asked differently:

- PNG, colours: the unpackers take the upper byte of each sample, and told the other byte order, the lower.
- PNG, grey and alpha: two samples of 16 bits are four of 8, if the header says so.
- HEIC: pillow-heif gives the upper bits of 16; the lower ones repeat them, so that white is 65535.
- TIFF: a strip or a tile is a stream of bytes, so a row of W pixels with C samples is one of 2 W C grey pixels if the
  directory says so. Byte order and predictor are undone here.

Another library would meet hostile files with a second set of decoders. Those tried have faults of their own: OpenCV
5.0 scrambles planar TIFF without a word, reads grey and alpha as 8 bits, and lets libpng and libtiff write to standard
error; tifffile reads LZW only with imagecodecs (80 MB); pyvips brings 40 MB under the LGPL.
"""

import contextlib
import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import OPEN_INFO

Deep = NDArray[np.uint16]

FULL = 65535
STREAMS = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, deflate, PackBits, deflate, LZMA, Zstandard
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = range(3)
ASSOCIATED, UNASSOCIATED = 1, 2
HORIZONTAL = 2
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, STRIP_SIZES, TILES, TILE_SIZES = 273, 279, 324, 325
SAMPLES, ROWS_PER_STRIP, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT = 277, 278, 284, 317, 322, 323
EXTRA_SAMPLES, SAMPLE_FORMAT = 338, 339
LONG = 4
HEAD = 2**16  # bytes, in which AVIF and JPEG 2000 say how many bits they have
ROWS = 64  # at a time, where an intermediate result is wider than the picture


@contextlib.contextmanager
def known_to_pillow() -> Iterator[None]:
    """Let Pillow open TIFFs of 16-bit grey and alpha, which it has no mode to load."""
    keys = [
        (prefix, photometric, (1,), 1, (16, 16), (extra,))
        for prefix in (b"II", b"MM")
        for photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)
        for extra in (0, ASSOCIATED, UNASSOCIATED)
    ]
    added: dict[Any, tuple[str, str]] = {key: ("LA", "LA;16B") for key in keys if key not in OPEN_INFO}
    OPEN_INFO.update(added)
    try:
        yield
    finally:
        for key in added:
            OPEN_INFO.pop(key, None)


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
    if image.format == "TIFF" and _is_deep_tiff(image.tag_v2):  # type: ignore[attr-defined]
        return _tiff(image.tag_v2, file), image.tag_v2.get(PHOTOMETRIC) != RGB  # type: ignore[attr-defined]
    if image.format == "HEIF" and (bits := bits_of(image, file)) > 8:
        return _heif(image, file, bits)
    if image.mode.startswith("I;16") and image.format != "TIFF":
        return np.asarray(image).astype(np.uint16), True
    return None


def bits_of(image: Image.Image, file: BinaryIO) -> int:
    """Tell how many bits a channel has in the file, where that may be more than 8; 8 where nothing says so."""
    if image.format == "TIFF":
        return max(image.tag_v2.get(BITS, (8,)))  # type: ignore[attr-defined, no-any-return]
    if image.format == "HEIF":
        return int(image.info.get("bit_depth", 8))
    if image.format not in ("AVIF", "JPEG2000"):
        return 8
    file.seek(0)
    head = file.read(HEAD)
    if image.format == "AVIF":
        flags = head[head.find(b"av1C") + 6 :][:1] if b"av1C" in head else b""
        return (12 if flags[0] & 0x20 else 10) if flags and flags[0] & 0x40 else 8
    size = head[head.find(b"\xff\x4f\xff\x51") + 42 :][:1] if b"\xff\x4f\xff\x51" in head else b""
    return (size[0] & 0x7F) + 1 if size else 8


def turned(pixels: Deep, orientation: int) -> Deep:
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
        _divide_by_alpha(pixels)
    return pixels, pixels.ndim == 2


def _png(image: Any, file: BinaryIO) -> tuple[Deep, bool]:
    if any(tile.args == "LA;16B" for tile in image.tile):
        return _spread(_png_bytes(file).view(">u2").astype(np.uint16)), True
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


def _spread(grey_alpha: Deep) -> Deep:
    return np.ascontiguousarray(grey_alpha[..., [0, 0, 0, 1]])


def _is_deep_tiff(tags: Mapping[int, Any]) -> bool:
    return (
        set(tags.get(BITS, ())) == {16}
        and set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
        and tags.get(PHOTOMETRIC, 0) in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
        and tags.get(COMPRESSION, 1) in STREAMS
        and tags.get(PREDICTOR, 1) in (1, HORIZONTAL)
    )


def _tiff(tags: Any, file: BinaryIO) -> Deep:
    colours = 3 if tags.get(PHOTOMETRIC, 0) == RGB else 1
    samples = _samples(tags, file)
    extra = tags.get(EXTRA_SAMPLES, (UNASSOCIATED,))
    alpha = samples.shape[2] > colours and extra[0] in (ASSOCIATED, UNASSOCIATED)
    if tags.get(PHOTOMETRIC, 0) == WHITE_IS_ZERO:
        samples[..., 0] = FULL - samples[..., 0]
    if not alpha:
        return samples[..., 0] if colours == 1 else np.ascontiguousarray(samples[..., :3])
    samples = samples[..., : colours + 1]
    if extra[0] == ASSOCIATED:
        _divide_by_alpha(samples)
    return _spread(samples) if colours == 1 else np.ascontiguousarray(samples)


def _divide_by_alpha(samples: Deep) -> None:
    for start in range(0, len(samples), ROWS):
        some = samples[start : start + ROWS]
        alpha = some[..., -1:].astype(np.uint32)
        straight = (some[..., :-1] * np.uint32(FULL) + alpha // 2) // np.maximum(alpha, 1)
        some[..., :-1] = np.minimum(straight, FULL)


def _samples(tags: Any, file: BinaryIO) -> Deep:
    """Read the samples of a TIFF, shape (H, W, C)."""
    width, count = tags[WIDTH], tags.get(SAMPLES, 1)
    planes = count if tags.get(PLANAR, 1) == 2 else 1
    across = count // planes
    samples = np.empty((tags[HEIGHT], width, count), np.uint16)
    file.seek(0)
    data = file.read()
    for plane in range(planes):
        read = _as_bytes(tags, data, plane, planes, across).view("<u2" if tags.prefix == b"II" else ">u2")
        samples[..., plane * across : (plane + 1) * across] = read.reshape(len(read), width, across)
    if tags.get(PREDICTOR, 1) == HORIZONTAL:
        step = tags.get(TILE_WIDTH, width) if TILES in tags else width
        for start in range(0, width, step):
            part = samples[:, start : start + step]
            np.cumsum(part, axis=1, dtype=np.uint16, out=part)
    return samples


def _as_bytes(tags: Any, data: bytes, plane: int, planes: int, across: int) -> NDArray[np.uint8]:
    """Read one plane of a TIFF as grey pixels of 8 bits, shape (H, 2 W across)."""
    entries = {BITS: (8,), PHOTOMETRIC: (BLACK_IS_ZERO,), SAMPLES: (1,)}
    for tag in (HEIGHT, COMPRESSION, FILL_ORDER, ROWS_PER_STRIP, TILE_HEIGHT):
        if tag in tags:
            entries[tag] = (tags[tag],)
    for tag in (WIDTH, TILE_WIDTH):
        if tag in tags:
            entries[tag] = (2 * across * tags[tag],)
    for tag in (STRIPS, STRIP_SIZES, TILES, TILE_SIZES):
        if tag in tags:
            values = tags[tag]
            each = len(values) // planes
            entries[tag] = values[plane * each : (plane + 1) * each]
    _check_whole(entries, len(data))
    order = "<" if tags.prefix == b"II" else ">"
    place = len(data) + len(data) % 2
    header = struct.pack(order + "2sHI", tags.prefix, 42, place)
    twin = b"".join([header, memoryview(data)[8:], bytes(len(data) % 2), _directory(order, place, entries)])
    with Image.open(io.BytesIO(twin), formats=("TIFF",)) as image:
        return np.asarray(image)


def _check_whole(entries: Mapping[int, Any], size: int) -> None:
    """See that no strip or tile reaches beyond the file, where the twin's directory is."""
    if TILES in entries:
        bytes_of: Iterable[int] = repeat(entries[TILE_WIDTH][0] * entries[TILE_HEIGHT][0])
    else:
        height, rows = entries[HEIGHT][0], entries.get(ROWS_PER_STRIP, entries[HEIGHT])[0]
        bytes_of = (entries[WIDTH][0] * min(rows, height - start) for start in range(0, height, max(1, rows)))
    if entries.get(COMPRESSION, (1,))[0] != 1:
        bytes_of = iter(entries.get(TILE_SIZES, entries.get(STRIP_SIZES, ())))
    places = entries.get(TILES, entries.get(STRIPS, ()))
    if any(place + length > size for place, length in zip(places, bytes_of, strict=False)):
        raise OSError("image file is truncated")


def _directory(order: str, place: int, entries: Mapping[int, Sequence[int]]) -> bytes:
    """Write a TIFF directory that lies at an offset of the file."""
    behind = place + 2 + 12 * len(entries) + 4
    table, values = [struct.pack(order + "H", len(entries))], b""
    for tag, numbers in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        where = packed if len(packed) == 4 else struct.pack(order + "I", behind + len(values))
        table.append(struct.pack(order + "HHI", tag, LONG, len(numbers)) + where)
        values += b"" if len(packed) == 4 else packed
    return b"".join([*table, bytes(4), values])
