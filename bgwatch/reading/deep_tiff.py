"""TIFFs of 16 bits a channel, by a twin of 8 bits.

A strip or a tile is a stream of bytes whatever they mean. So a row of W pixels with C samples of 16 bits is one of
2 W C grey pixels of 8 if the directory says so: Pillow undoes the compression, and byte order and predictor are undone
here.
Why not another library is told in `bgwatch.reading.deep`.
"""

import contextlib
import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import OPEN_INFO

Deep = NDArray[np.uint16]

FULL = 65535
STREAMS = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, deflate, PackBits, deflate, LZMA, Zstandard
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = range(3)
LAB, ICC_LAB = 8, 9
ASSOCIATED, UNASSOCIATED = 1, 2
HORIZONTAL = 2
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, STRIP_SIZES, TILES, TILE_SIZES = 273, 279, 324, 325
SAMPLES, ROWS_PER_STRIP, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT = 277, 278, 284, 317, 322, 323
EXTRA_SAMPLES, SAMPLE_FORMAT = 338, 339
LONG = 4
ROWS = 64  # at a time, where an intermediate result is wider than the picture


@contextlib.contextmanager
def known_to_pillow() -> Iterator[None]:
    """Let Pillow open TIFFs of 16-bit grey and alpha, and of further kinds of Lab, which it has no mode to load."""
    kinds: list[tuple[int, tuple[int, ...], tuple[int, ...], str]] = [
        *((grey, (16, 16), (extra,), "LA") for grey in (WHITE_IS_ZERO, BLACK_IS_ZERO) for extra in range(3)),
        *((lab, (bits,) * 3, (), "LAB") for lab in (LAB, ICC_LAB) for bits in (8, 16)),
    ]
    added: dict[Any, tuple[str, str]] = {
        key: (mode, mode)
        for prefix in (b"II", b"MM")
        for photometric, bits, extra, mode in kinds
        if (key := (prefix, photometric, (1,), 1, bits, extra)) not in OPEN_INFO
    }
    OPEN_INFO.update(added)
    try:
        yield
    finally:
        for key in added:
            OPEN_INFO.pop(key, None)


def is_deep(tags: Mapping[int, Any]) -> bool:
    """Tell whether a directory is of pixels that `deep_tiff` reads."""
    kinds = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
    return set(tags.get(BITS, ())) == {16} and tags.get(PHOTOMETRIC, 0) in kinds and _is_stream(tags)


def _is_stream(tags: Mapping[int, Any]) -> bool:
    """Tell whether strips are streams of unsigned samples."""
    return (
        set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
        and tags.get(COMPRESSION, 1) in STREAMS
        and tags.get(PREDICTOR, 1) in (1, HORIZONTAL)
    )


def odd_lab(tags: Any, file: BinaryIO) -> NDArray[np.uint8] | None:
    """Decode Lab that Pillow cannot: of 16 bits, and ICC's, whose a and b are not signed.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), or None
        As it lies in the file, with 128 where a and b are 0, as Pillow's mode LAB has it; None where Pillow can, or
        nobody.

    References
    ----------
    "Adobe PageMaker 6.0 TIFF Technical Notes", 1995, for ICC's Lab; TIFF 6.0, section 23, for CIE's.
    """
    deep = set(tags.get(BITS, ())) == {16}
    kind = tags.get(PHOTOMETRIC)
    if kind not in (LAB, ICC_LAB) or (kind == LAB and not deep) or not _is_stream(tags):
        return None
    samples = _samples(tags, file)[..., :3]
    eight = np.asarray(samples >> 8 if deep else samples).astype(np.uint8)
    if kind == LAB:
        eight[..., 1:] ^= 128
    return eight


def deep_tiff(tags: Any, file: BinaryIO) -> Deep:
    """Decode a page of 16 bits a channel, as it lies in the file.

    Parameters
    ----------
    tags : PIL.TiffImagePlugin.ImageFileDirectory_v2
        Its directory.
    file : file
        What it lies in.

    Returns
    -------
    ndarray of uint16, shape (H, W), (H, W, 3) or (H, W, 4)
        Alpha is straight; grey with alpha is spread over three channels.
    """
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
        divide_by_alpha(samples)
    return spread(samples) if colours == 1 else np.ascontiguousarray(samples)


def spread(grey_alpha: Deep) -> Deep:
    """Bring grey and alpha, shape (H, W, 2), to four channels."""
    return np.ascontiguousarray(grey_alpha[..., [0, 0, 0, 1]])


def divide_by_alpha(samples: Deep) -> None:
    """Make associated alpha, the last channel, straight, in place."""
    for start in range(0, len(samples), ROWS):
        some = samples[start : start + ROWS]
        alpha = some[..., -1:].astype(np.uint32)
        straight = (some[..., :-1] * np.uint32(FULL) + alpha // 2) // np.maximum(alpha, 1)
        some[..., :-1] = np.minimum(straight, FULL)


def _samples(tags: Any, file: BinaryIO) -> Any:
    """Read the samples of a TIFF, shape (H, W, C), of 8 or 16 bits."""
    width, count, size = tags[WIDTH], tags.get(SAMPLES, 1), tags[BITS][0] // 8
    planes = count if tags.get(PLANAR, 1) == 2 else 1
    across = count // planes
    samples = np.empty((tags[HEIGHT], width, count), f"u{size}")
    for plane in range(planes):
        read = _as_bytes(tags, file, plane, planes, across * size)
        stored = read.view(("<" if tags.prefix == b"II" else ">") + f"u{size}")
        samples[..., plane * across : (plane + 1) * across] = stored.reshape(len(read), width, across)
    if tags.get(PREDICTOR, 1) == HORIZONTAL:
        step = tags.get(TILE_WIDTH, width) if TILES in tags else width
        for start in range(0, width, step):
            part = samples[:, start : start + step]
            np.cumsum(part, axis=1, dtype=samples.dtype, out=part)
    return samples


def _as_bytes(tags: Any, file: BinaryIO, plane: int, planes: int, across: int) -> NDArray[np.uint8]:
    """Read one plane of a TIFF, ``across`` bytes a pixel, as grey pixels of 8 bits, shape (H, W across)."""
    entries: dict[int, Sequence[int]] = {BITS: (8,), PHOTOMETRIC: (BLACK_IS_ZERO,), SAMPLES: (1,)}
    for tag in (HEIGHT, COMPRESSION, FILL_ORDER, ROWS_PER_STRIP, TILE_HEIGHT):
        if tag in tags:
            entries[tag] = (tags[tag],)
    for tag in (WIDTH, TILE_WIDTH):
        if tag in tags:
            entries[tag] = (across * tags[tag],)
    place_tag, size_tag = (TILES, TILE_SIZES) if TILES in tags else (STRIPS, STRIP_SIZES)
    each = len(tags[place_tag]) // planes
    here = slice(plane * each, (plane + 1) * each)
    sizes = _plain_sizes(entries, each) if tags.get(COMPRESSION, 1) == 1 else tags[size_tag][here]
    parts = _parts(file, tags[place_tag][here], sizes)
    order = "<" if tags.prefix == b"II" else ">"
    twin = _twin(order, entries, place_tag, size_tag, parts)
    del parts
    with Image.open(io.BytesIO(twin), formats=("TIFF",)) as image:
        return np.asarray(image)


def _plain_sizes(entries: Mapping[int, Sequence[int]], count: int) -> list[int]:
    """Compute how many bytes each strip or tile has that is not compressed, whatever the directory says."""
    if TILE_WIDTH in entries:
        return [entries[TILE_WIDTH][0] * entries[TILE_HEIGHT][0]] * count
    height = entries[HEIGHT][0]
    rows = min(height, *entries.get(ROWS_PER_STRIP, (height,)))
    return [entries[WIDTH][0] * max(0, min(rows, height - start * rows)) for start in range(count)]


def _parts(file: BinaryIO, places: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
    if sum(sizes) > file.seek(0, io.SEEK_END):  # cut short, or the same bytes named time and again
        raise OSError("image file is truncated")
    parts = []
    for place, size in zip(places, sizes, strict=True):
        file.seek(place)
        parts.append(file.read(size))
        if len(parts[-1]) < size:
            raise OSError("image file is truncated")
    return parts


def _twin(
    order: str, entries: Mapping[int, Sequence[int]], place_tag: int, size_tag: int, parts: Sequence[bytes]
) -> bytes:
    """Write a TIFF of these strips or tiles, its directory first."""
    sizes = [len(part) for part in parts]
    whole = {**entries, place_tag: sizes, size_tag: sizes}
    before = 8 + len(_directory(order, 8, whole))
    whole[place_tag] = [before + sum_before for sum_before in accumulate(sizes, initial=0)][:-1]
    header = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return b"".join([header, _directory(order, 8, whole), *parts])


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
