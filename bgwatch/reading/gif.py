"""The blocks of a GIF: "Graphics Interchange Format, Version 89a", CompuServe, 1990."""

from collections.abc import Iterator
from typing import BinaryIO

IMAGE, EXTENSION, APPLICATION = b",", b"!", b"\xff"


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield ``,`` for each image of a GIF and the label of each extension, the file standing at its data.

    The data is left unread, and may be read before the next is asked for.
    """
    file.seek(10)
    flags = file.read(3)[:1]
    file.seek(13 + _table(flags))
    while (kind := file.read(1)) in (IMAGE, EXTENSION):
        if kind == IMAGE:
            file.seek(_table(file.read(9)[8:]) + 1, 1)
        else:
            kind = file.read(1)
        place = file.tell()
        yield kind
        file.seek(place)
        for size in sizes(file):
            file.seek(size, 1)


def sizes(file: BinaryIO) -> Iterator[int]:
    """Yield the length of each part of a block's data, the file standing at it; whoever asks goes past it."""
    while (size := file.read(1)) not in (b"", b"\0"):
        yield size[0]


def _table(flags: bytes) -> int:
    """Size of the colour table that a byte of flags announces."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0
