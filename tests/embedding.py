"""Profiles, EXIF and XMP put into GIF, BMP and JPEG 2000, which Pillow's encoders leave out."""

import struct
from collections.abc import Iterable

import numpy as np
from PIL import Image

EXIF_UUID = b"JpgTiffExif->JP2"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
CALIBRATED, LINKED, EMBEDDED = b"\0\0\0\0", b"KNIL", b"DEBM"


def gif_extension(name: bytes, data: bytes) -> bytes:
    """An application extension, whose data is in parts of 255 bytes."""
    parts = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"!\xff\x0b" + name + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def gif_profile(profile: bytes) -> bytes:
    """A colour profile as a block of a GIF."""
    return gif_extension(b"ICCRGBG1012", profile)


def gif_xmp(xmp: bytes) -> bytes:
    """XMP as a block of a GIF: as it is, and behind it what makes lengths of all its bytes lead to the end."""
    return b"!\xff\x0bXMP DataXMP" + xmp + b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def gif_with(file: bytes, *blocks: bytes, last: bool = False) -> bytes:
    """Put blocks before the first image of a GIF, or after the last one."""
    place = len(file) - 1 if last else 13 + (3 << ((file[10] & 7) + 1) if file[10] & 0x80 else 0)
    return file[:place] + b"".join(blocks) + file[place:]


def bmp_v5(
    image: Image.Image, profile: bytes, kind: bytes = EMBEDDED, start: int | None = None, size: int | None = None
) -> bytes:
    """A BMP of 24 bits, or of a grey palette, with a BITMAPV5HEADER and the profile before its pixels."""
    grey = image.mode == "L"
    samples = np.asarray(image)[::-1] if grey else np.asarray(image)[::-1, :, ::-1]
    row = samples.reshape(image.height, -1)
    pixels = np.pad(row, ((0, 0), (0, -row.shape[1] % 4))).tobytes()
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256)) if grey else b""
    before = 124 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 124, *image.size, 1, 8 if grey else 24, 0, len(pixels), 11811, 11811, 0, 0)
    head += bytes(16) + kind + bytes(48) + struct.pack("<I", 4)
    head += struct.pack("<III", before if start is None else start, len(profile) if size is None else size, 0)
    content = head + palette + profile
    return struct.pack("<2sIHHI", b"BM", 14 + len(content) + len(pixels), 0, 0, 14 + len(content)) + content + pixels


def box(kind: bytes, data: bytes, wide: bool = False) -> bytes:
    """A box of a JPEG 2000, whose length has four bytes or eight."""
    if wide:
        return struct.pack(">I4sQ", 1, kind, 16 + len(data)) + data
    return struct.pack(">I4s", 8 + len(data), kind) + data


def jp2_profile(profile: bytes, method: int = 2, wide: bool = False) -> bytes:
    """A profile as a box, restricted (2) or of any kind (3)."""
    return box(b"colr", bytes([method, 0, 0]) + profile, wide)


def jp2_resolution(dpi: int) -> bytes:
    """The resolution of the capture, in dots a metre."""
    metre = round(dpi / 0.0254)
    return box(b"res ", box(b"resc", struct.pack(">HHHHBB", metre, 1, metre, 1, 0, 0)))


def jp2_with(file: bytes, header: Iterable[bytes] = (), top: Iterable[bytes] = (), last: bool = False) -> bytes:
    """Put boxes into the header of a JPEG 2000 (a ``colr`` in place of its own), and before or after its pixels."""
    inner = b"".join(header)
    at = file.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", file, at)
    old = file[at + 8 : at + size]
    colours = old.index(b"colr") - 4
    kept = old[:colours] if b"colr" in inner else old
    behind = old[colours + struct.unpack_from(">I", old, colours)[0] :] if b"colr" in inner else b""
    outer, pixels = b"".join(top), file[at + size :]
    if last:  # the pixels' box may say that it goes to the end of the file
        pixels = struct.pack(">I", len(pixels)) + pixels[4:]
        return file[:at] + box(b"jp2h", kept + inner + behind) + pixels + outer
    return file[:at] + box(b"jp2h", kept + inner + behind) + outer + pixels
