"""Pixels to TIFF, one page or several, each with all that belongs to it.

tifffile writes a page: Pillow cannot write 16-bit colours, and OpenCV flags no alpha and keeps nothing. EXIF, which
tifffile cannot write, is added by Pillow, which replaces the page's directory of tags by one that holds both.
"""

import io
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray
from PIL import ExifTags, Image, TiffTags
from PIL.TiffImagePlugin import STRIPOFFSETS, ImageFileDirectory_v2

from bgwatch.errors import PictureError

LARGEST = 2**32 - 2**25  # bytes of pixels
STRIP, LEVEL = 64, 3  # rows that are deflated together, and how hard
POINTERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
INCH = 2
HEAD = b"II*\0" + bytes(4)
ENTRY = 12  # bytes of a tag in a directory


def encode(pages: Iterable[tuple[NDArray[Any], Mapping[str, Any]]]) -> bytes:
    """Encode pages, without loss; they may differ in all.

    Parameters
    ----------
    pages : iterable of (ndarray, mapping)
        Pixels and what is kept, as `bgwatch.writing.encode.encode` takes them; asked for one at a time.

    Raises
    ------
    PictureError
        When they are larger than the format can hold.

    References
    ----------
    "TIFF, Revision 6.0", Adobe, 1992, section 2.
    """
    file, link = bytearray(HEAD), 4
    for pixels, kept in pages:
        page = _page(pixels, kept)
        if len(file) + len(page) > LARGEST:
            raise PictureError("its frames or pages are more than tiff can hold; take frames: each")
        file += bytes(len(file) % 2)
        place = len(file)
        struct.pack_into("<I", file, link, place)
        directory, begin = _directory(page, kept.get("exif", b""))
        file += directory.tobytes(place)
        file += memoryview(page)[begin:]
        link = place + 2 + ENTRY * struct.unpack_from("<H", file, place)[0]
    return bytes(file)


def _page(pixels: NDArray[Any], kept: Mapping[str, Any]) -> bytes:
    """Write a TIFF of one page, without EXIF."""
    import tifffile

    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        pixels,
        bigtiff=False,
        byteorder="<",
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="zlib",
        compressionargs={"level": LEVEL},
        predictor=True,
        rowsperstrip=STRIP,
        resolution=kept.get("dpi"),
        resolutionunit=INCH if "dpi" in kept else None,
        iccprofile=kept.get("icc_profile"),
        extratags=[(ExifTags.Base.XMLPacket, TiffTags.BYTE, None, kept["xmp"], True)] if "xmp" in kept else (),
        metadata=None,
        software=False,
        maxworkers=1,
    )
    return file.getvalue()


def _directory(page: bytes, given: bytes) -> tuple[ImageFileDirectory_v2, int]:
    """Give the directory of a TIFF with EXIF added, for strips right behind it, and where those are now."""
    exif = Image.Exif()
    exif.load(given)
    directory = ImageFileDirectory_v2(page[:8])
    file = io.BytesIO(page)
    file.seek(directory.next)
    directory.load(file)
    there = dict(directory)  # which also decodes the values: Pillow writes no others
    for tag, value in exif.items():
        if tag not in there and tag not in POINTERS:
            directory[tag] = value
    for pointer in POINTERS:
        if details := dict(exif.get_ifd(pointer)):
            if ExifTags.IFD.Interop in details:
                details[ExifTags.IFD.Interop] = dict(exif.get_ifd(ExifTags.IFD.Interop))
            directory[pointer] = details
    begin = min(there[STRIPOFFSETS])
    directory[STRIPOFFSETS] = tuple(place - begin for place in there[STRIPOFFSETS])  # from the directory's end on
    return directory, begin
