"""What Pillow leaves in a file: profiles, EXIF and XMP of GIF, BMP and JPEG 2000, and how a PNG tells its colours.

No length is believed: each file is read to its end at most, and of one thing no more than `LONGEST`.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO
from weakref import WeakKeyDictionary

from bgwatch.reading import gif

LONGEST = 16 * 2**20  # bytes
MOST_BOXES = MOST_CHUNKS = 10_000
GIF_PROFILE, GIF_XMP = b"ICCRGBG1012", b"XMP DataXMP"
GIF_XMP_ENDS = b"\x01\xff\xfe"  # what makes lengths of all bytes before it lead to the end of the block
BMP_V5 = 124  # bytes of its header
BMP_EMBEDDED, BMP_LINKED = b"DEBM", b"KNIL"
ANY_PROFILE = (b"\2", b"\3")  # how a JPEG 2000 says that its colours have a profile, restricted or not
UUIDS = {
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
}


@dataclass(frozen=True)
class Embedded:
    """What was found in a file.

    Attributes
    ----------
    tags : dict
        Of ``icc_profile``, ``exif``, ``xmp`` and ``cicp`` what is there, unchecked.
    notes : tuple of str
        What could not be read, in words.
    coloured : bool
        Whether the format has colours only, so that its profile is RGB where all of them are grey, too.
    """

    tags: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    coloured: bool = False


_FOUND: "WeakKeyDictionary[BinaryIO, Embedded]" = WeakKeyDictionary()  # an animation asks once a frame


def embedded(file: BinaryIO) -> Embedded:
    """Read what Pillow leaves in a file; its position is kept, at which Pillow reads the next frame."""
    if file not in _FOUND:
        place = file.tell()
        file.seek(0)
        head = file.read(8)
        found = next((read(file) for begin, read in READERS.items() if head.startswith(begin)), Embedded())
        if found.tags.get("icc_profile") == b"":
            found = Embedded({}, ("its colour profile is broken and was left out",), found.coloured)
        _FOUND[file] = found
        file.seek(place)
    return _FOUND[file]


def _of_gif(file: BinaryIO) -> Embedded:
    """Read application extensions: "Specification ICC.1:2004-10", B.6, and "XMP Specification, Part 3", on GIF."""
    tags: dict[str, bytes] = {}
    for kind in gif.blocks(file):
        name = file.read(12)[1:] if kind == gif.APPLICATION else b""
        if name == GIF_PROFILE and "icc_profile" not in tags:
            tags["icc_profile"] = _joined(file)
        elif name == GIF_XMP and "xmp" not in tags:
            xmp, ended, _ = file.read(LONGEST).partition(GIF_XMP_ENDS)
            tags["xmp"] = xmp if ended else b""
    return Embedded(tags, coloured=True)


def _joined(file: BinaryIO) -> bytes:
    parts = islice(gif.sizes(file), LONGEST // 255)
    return b"".join(file.read(size) for size in parts)


def _of_bmp(file: BinaryIO) -> Embedded:
    """Read what the fifth header says: BITMAPV5HEADER of "Windows GDI", Microsoft."""
    file.seek(14)
    header = file.read(BMP_V5)
    if len(header) < BMP_V5 or header[:4] != struct.pack("<I", BMP_V5):
        return Embedded()
    kind = header[56:60]
    if kind == BMP_LINKED:
        return Embedded(notes=("its colour profile is in another file, which is not looked for",))
    if kind != BMP_EMBEDDED:
        return Embedded()
    start, size = struct.unpack_from("<II", header, 112)
    profile = _part(file, 14 + start, size)
    return Embedded({"icc_profile": profile if len(profile) == size else b""}, coloured=True)


def _of_jpeg_2000(file: BinaryIO) -> Embedded:
    """Read boxes: ISO/IEC 15444-1, annex I; those of EXIF and XMP are Adobe's."""
    tags: dict[str, bytes] = {}
    for kind, start, stop in islice(_boxes(file), MOST_BOXES):
        if kind == b"colr" and _part(file, start, 1) in ANY_PROFILE:
            tags.setdefault("icc_profile", _part(file, start + 3, stop - start - 3))
        elif kind == b"uuid" and (name := UUIDS.get(_part(file, start, 16))):
            tags.setdefault(name, _part(file, start + 16, stop - start - 16))
    return Embedded(tags)


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box, and where its content starts and stops."""
    place, end = 0, file.seek(0, io.SEEK_END)
    while len(head := _part(file, place, 16)) >= 8:
        length, kind = struct.unpack_from(">I4s", head)
        start = place + 8
        if length == 1:  # the length has eight bytes
            length, start = int.from_bytes(head[8:]), place + 16
        stop = min(place + length, end) if length else end
        if stop < start:
            return
        yield kind, start, stop
        place = start if kind == b"jp2h" else stop  # the header's boxes lie in it


def _of_png(file: BinaryIO) -> Embedded:
    """Read the chunk cICP, which comes before the pixels: "PNG Specification (Third Edition)", W3C, 2025, 11.3.2.6."""
    place = 8
    for _ in range(MOST_CHUNKS):
        head = _part(file, place, 8)
        if len(head) < 8 or head[4:] == b"IDAT":
            break
        if head[4:] == b"cICP":
            return Embedded({"cicp": _part(file, place + 8, 4)})
        place += 12 + int.from_bytes(head[:4])
    return Embedded()


def _part(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(max(0, min(size, LONGEST)))


READERS: dict[bytes, Callable[[BinaryIO], Embedded]] = {
    b"GIF8": _of_gif,
    b"BM": _of_bmp,
    b"\x89PNG": _of_png,
    b"\0\0\0\x0cjP  ": _of_jpeg_2000,
}
