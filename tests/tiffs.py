"""TIFFs of every layout, written by the specification: TIFF 6.0, Adobe, 1992."""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DEFLATE = 8
LONG, BYTES = 4, 7


def tiff(
    samples: np.ndarray,
    photometric: int,
    order: str = "<",
    extra: int | None = None,
    compression: int = 1,
    predictor: int = 1,
    planar: bool = False,
    rows: int | None = None,
    tile: int | None = None,
    tags: Mapping[int, Sequence[int] | bytes] = {},
) -> bytes:
    """Encode samples of the shape (H, W, C), unsigned; ``rows`` a strip, or square tiles; the directory comes first."""
    height, width, count = samples.shape
    planes = np.split(samples, count, axis=2) if planar else [samples]
    side = tile or 0
    parts = [
        part
        for plane in planes
        for part in (_tiles(plane, side) if tile else np.split(plane, range(rows or height, height, rows or height)))
    ]
    encoded = [_encoded(part, order, compression, predictor) for part in parts]
    places = np.cumsum([0, *map(len, encoded)])[:-1].tolist()
    entries: dict[int, Sequence[int] | bytes] = {
        256: [width],
        257: [height],
        258: [8 * samples.itemsize] * count,
        259: [compression],
        262: [photometric],
        277: [count],
        284: [2 if planar else 1],
        317: [predictor],
        (324 if tile else 273): places,
        (325 if tile else 279): [len(part) for part in encoded],
        **({322: [side], 323: [side]} if tile else {278: [rows or height]}),
        **({338: [extra]} if extra is not None else {}),
        **tags,
    }
    before = len(directory(order, 8, entries)) + 8
    if (place_tag := 324 if tile else 273) not in tags:
        entries[place_tag] = [before + place for place in places]
    header = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return header + directory(order, 8, entries) + b"".join(encoded)


def directory(order: str, place: int, entries: Mapping[int, Any], following: int = 0) -> bytes:
    """Write a directory that lies at a place of the file; bytes become UNDEFINED, numbers LONG."""
    behind = place + 2 + 12 * len(entries) + 4
    table, values = struct.pack(order + "H", len(entries)), b""
    for tag, value in sorted(entries.items()):
        kind = BYTES if isinstance(value, bytes) else LONG
        packed = value if isinstance(value, bytes) else struct.pack(f"{order}{len(value)}I", *value)
        where = struct.pack(order + "I", behind + len(values)) if len(packed) > 4 else packed.ljust(4, b"\0")
        table += struct.pack(order + "HHI", tag, kind, len(value)) + where
        values += packed + bytes(len(packed) % 2) if len(packed) > 4 else b""
    return table + struct.pack(order + "I", following) + values


def _tiles(plane: np.ndarray, side: int) -> list[np.ndarray]:
    height, width = plane.shape[:2]
    padded = np.pad(plane, ((0, -height % side), (0, -width % side), (0, 0)))
    return [
        padded[y : y + side, x : x + side]
        for y in range(0, padded.shape[0], side)
        for x in range(0, padded.shape[1], side)
    ]


def _encoded(part: np.ndarray, order: str, compression: int, predictor: int) -> bytes:
    if predictor == 2:
        part = np.diff(part, axis=1, prepend=part[:, :1] * 0)
    data = part.astype(part.dtype.newbyteorder(order)).tobytes()
    return zlib.compress(data) if compression == DEFLATE else data
