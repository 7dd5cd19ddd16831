"""How many pictures a file holds, counted up to a limit and without decoding them, and which is the main one."""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from PIL import Image

from bgwatch.reading import gif

NEW_SUBFILE_TYPE = 254
REDUCED, MASK = 1, 4


def pages(image: Image.Image, file: BinaryIO, most: int) -> list[int]:
    """Give the numbers of the frames or pages of a picture, as `seek` counts them.

    Thumbnails and masks of a TIFF are none, nor are the further pictures that phones and stereo cameras put behind
    a JPEG.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture, opened.
    file : file
        What it was opened from; its position is kept.
    most : int
        Counting ends after one more than this.

    Returns
    -------
    list of int
        At least one, in the order of the file.
    """
    if image.format == "MPO":
        return [0]
    count = getattr(image, "n_frames", 1) if image.format not in ("GIF", "TIFF") else 1
    place = file.tell()
    try:
        if image.format == "GIF":
            images = (kind for kind in gif.blocks(file) if kind == gif.IMAGE)
            count = sum(1 for _ in islice(images, most + 1))
        elif image.format == "TIFF":
            whole = [number for number, kind in enumerate(_subfiles(file, most)) if not kind & (REDUCED | MASK)]
            return whole[: most + 1] or [0]
    finally:
        file.seek(place)
    return list(range(max(1, min(count, most + 1))))


def _subfiles(file: BinaryIO, most: int) -> Iterator[int]:
    """Yield NewSubfileType for each directory of a TIFF, for thumbnails too; a loop of directories ends.

    One that is cut short is the last, and a page.
    """
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    big = struct.unpack(order + "H", file.read(2)) == (43,)
    count_of, offset_of, entry_of = ("Q", "Q", "HHQ4s4x") if big else ("H", "I", "HHI4s")
    file.seek(8 if big else 4)
    seen: set[int] = set()
    try:
        (place,) = _unpacked(file, order + offset_of)
        while place and place not in seen and len(seen) <= 3 * most + 3:  # each may have a thumbnail and a mask
            seen.add(place)
            file.seek(place)
            (entries,) = _unpacked(file, order + count_of)
            table = file.read(min(entries, 65535) * struct.calcsize(order + entry_of))
            found = {tag: value for tag, _, _, value in struct.iter_unpack(order + entry_of, table)}
            kind = struct.unpack(order + "I", found.get(NEW_SUBFILE_TYPE, bytes(4)))[0]
            (place,) = _unpacked(file, order + offset_of)
            yield kind
    except struct.error:
        yield 0


def _unpacked(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))
