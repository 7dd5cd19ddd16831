"""What several tests share: small pictures, and how a command ended."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def disc(width: int = 120, height: int = 140, seed: int = 0) -> Image.Image:
    """Draw a red disc with a dark stripe on a noisy grey backdrop."""
    image = Image.new("RGB", (width * 4, height * 4), (188, 190, 192))
    pen = ImageDraw.Draw(image)
    pen.ellipse((width, height, width * 3, height * 3), (190, 40, 50))
    pen.rectangle((width * 1.5, height * 1.9, width * 2.5, height * 2.1), (40, 30, 35))
    small = np.asarray(image.resize((width, height), Image.Resampling.BOX)).astype(np.float32)
    noise = np.random.default_rng(seed).normal(0, 1.5, small.shape)
    return Image.fromarray((small + noise).clip(0, 255).astype(np.uint8))


def mask(*rows: str) -> NDArray[np.bool_]:
    """Write a mask as rows of dots and hashes."""
    return np.array([[letter == "#" for letter in row] for row in rows])


def opened(path: Path | str) -> Image.Image:
    """Read a picture whole and close its file."""
    with Image.open(path) as image:
        image.load()
        return image.copy()


def files() -> list[str]:
    """Name every file below the current folder."""
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def png_chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG: length, name, data and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header declares a size and whose data is a few bytes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"\0")) + png_chunk(b"IEND", b"")
