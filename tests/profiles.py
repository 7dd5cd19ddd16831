"""Colour profiles, written from scratch: "Specification ICC.1:2004-10 (Profile version 4.2.0.0)"."""

import struct
from collections.abc import Callable, Mapping

import numpy as np

PERCEPTUAL, RELATIVE, SATURATION, ABSOLUTE = range(4)
D50 = (0.9642, 1.0, 0.8249)
D65 = (0.9504, 1.0, 1.0889)
PRIMARIES = {
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
GRID = 5


def gamma(value: float) -> bytes:
    """A power."""
    return b"curv" + struct.pack(">IIH", 0, 1, round(value * 256))


def table(values: list[float]) -> bytes:
    """A curve by its values in [0, 1]; none of them is a straight line."""
    return b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *(round(value * 65535) for value in values))


def parametric(kind: int, *numbers: float) -> bytes:
    """A power above a limit and a line below it."""
    return b"para" + struct.pack(f">IHH{len(numbers)}i", 0, kind, 0, *map(_fixed, numbers))


def adobe_rgb() -> bytes:
    """Adobe RGB (1998): its gamma is 563 / 256."""
    return rgb_profile("Adobe RGB", gamma(563 / 256))


def display_p3() -> bytes:
    """Display P3: the curve is sRGB's."""
    return rgb_profile("Display P3", parametric(3, *SRGB_CURVE))


def rgb_profile(name: str, curve: bytes) -> bytes:
    """A display of some primaries under D65."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[name]]).T
    columns = columns * np.linalg.solve(columns, D65)
    cones = BRADFORD @ np.array([D50, D65]).T
    columns = np.linalg.inv(BRADFORD) @ np.diag(cones[:, 0] / cones[:, 1]) @ BRADFORD @ columns
    tags = {channel + b"XYZ": _xyz(*columns[:, number]) for number, channel in enumerate((b"r", b"g", b"b"))}
    tags |= {channel + b"TRC": curve for channel in (b"r", b"g", b"b")}
    return profile(b"RGB ", b"XYZ ", {**tags, b"wtpt": _xyz(*D50)})


def grey_profile(curve: bytes) -> bytes:
    """A grey display."""
    return profile(b"GRAY", b"XYZ ", {b"kTRC": curve, b"wtpt": _xyz(*D50)})


def inks(tables: Mapping[bytes, Callable[[np.ndarray], np.ndarray]], intent: int) -> bytes:
    """CMYK without colours; each table (A2B0 is perceptual, A2B1 relative) gives L / 100 for inks (n, 4) in [0, 1]."""
    return _by_tables(b"CMYK", 4, tables, intent, b"prtr")


def rgb_by_tables() -> bytes:
    """A display that shows grey alone, half as light as its lightest channel, and tells so by tables."""
    return _by_tables(b"RGB ", 3, {b"A2B0": lambda rgb: rgb.max(axis=1) / 2}, PERCEPTUAL, b"mntr")


def _by_tables(
    space: bytes, count: int, tables: Mapping[bytes, Callable[[np.ndarray], np.ndarray]], intent: int, kind: bytes
) -> bytes:
    steps = np.linspace(0, 1, GRID)
    grid = np.stack(np.meshgrid(*[steps] * count, indexing="ij"), axis=-1).reshape(-1, count)
    line = bytes(range(256))
    identity = struct.pack(">9i", *(_fixed(float(row == column)) for row in range(3) for column in range(3)))
    head = b"mft1" + bytes(4) + struct.pack(">4B", count, 3, GRID, 0) + identity
    tags = {b"wtpt": _xyz(*D50)}
    for name, lightness in tables.items():
        lab = np.column_stack([lightness(grid) * 255, np.full((len(grid), 2), 128.0)]).round().astype(np.uint8)
        tags[name] = head + count * line + lab.tobytes() + 3 * line
    return profile(space, b"Lab ", tags, intent, kind)


def profile(
    space: bytes, connection: bytes, tags: Mapping[bytes, bytes], intent: int = PERCEPTUAL, kind: bytes = b"mntr"
) -> bytes:
    """Put tags into a profile."""
    tags = {b"desc": _text("made by bgwatch"), b"cprt": _text("none"), **tags}
    place, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    # size, maker, version, class, space, connection space, date; signature, platform and device; intent, white, creator
    head = struct.pack(">I4xI4s4s4s12x", place + len(data), 0x04200000, kind, space, connection)
    head += b"acsp" + bytes(24) + struct.pack(">I", intent) + _xyz(*D50)[8:] + bytes(48)
    return head + table + data


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *map(_fixed, values))


def _fixed(value: float) -> int:
    return round(value * 65536)


def _text(words: str) -> bytes:
    data = words.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
