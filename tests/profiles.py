"""ICC profiles by the specification (ICC.1:2001-04): three primaries and a curve, or grey."""

import struct

import numpy as np

D50 = (0.96422, 1.0, 0.82491)
D65 = (0.95047, 1.0, 1.08883)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
PRIMARIES = {
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def gamma(value: float) -> bytes:
    """A power."""
    return b"curv" + struct.pack(">IIH", 0, 1, round(value * 256))


def table(values: list[float]) -> bytes:
    """A curve by its values in [0, 1]; none of them is a straight line."""
    return b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *(round(value * 65535) for value in values))


def parametric(kind: int, *numbers: float) -> bytes:
    """A power above a limit and a line below it."""
    return b"para" + struct.pack(f">IHH{len(numbers)}i", 0, kind, 0, *(round(number * 65536) for number in numbers))


def rgb_profile(name: str, curve: bytes) -> bytes:
    """A display of some primaries under D65."""
    corners = np.array([(x / y, 1, (1 - x - y) / y) for x, y in PRIMARIES[name]]).T
    colorants = corners * np.linalg.solve(corners, D65)
    adapted = np.linalg.solve(BRADFORD, np.diag(BRADFORD @ D50 / (BRADFORD @ D65)) @ BRADFORD) @ colorants
    tags = {f"{channel}XYZ".encode(): xyz(*adapted[:, place]) for place, channel in enumerate("rgb")}
    return icc(b"RGB ", {**tags, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)})


def grey_profile(curve: bytes) -> bytes:
    """A grey display."""
    return icc(b"GRAY", {b"kTRC": curve})


def xyz(*values: float) -> bytes:
    """A tag of one colour."""
    return b"XYZ " + struct.pack(">I3i", 0, *(round(value * 65536) for value in values))


def icc(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of a display."""
    text = b"drawn\0"
    tags = {b"desc": b"desc" + struct.pack(">II", 0, len(text)) + text + bytes(78), b"wtpt": xyz(*D50), **tags}
    place, entries, body = 132 + 12 * len(tags), [], b""
    for name, data in tags.items():
        entries.append(struct.pack(">4sII", name, place + len(body), len(data)))
        body += data + bytes(-len(data) % 4)
    rest = struct.pack(">I", len(tags)) + b"".join(entries) + body
    header = struct.pack(">I4sI4s4s4s", 128 + len(rest), b"", 0x02400000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + xyz(*D50)[8:] + bytes(48)
    return header + rest
