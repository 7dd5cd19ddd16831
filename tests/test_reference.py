"""Pixels are those that ImageMagick or libvips read from the same file."""

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zoo

from bgwatch.imagefile import decode
from bgwatch.settings import PictureLimits

ELSEWHERE = (
    "cmyk",
    "lab",
    "icc-lab",
    "fax",
    "codestream",
    "rgba.heic",
)  # colours by other profiles; kinds that one of the two leaves out
NAMES = [name for name in zoo.MAKERS if not name.startswith(ELSEWHERE)]
ROUNDED = ("multiplied.tif", "palette.tif")  # a division; a palette of 16 bits
LOSSY = ("jpg", "webp", "avif", "jp2", "heic")
Reader = Callable[[Path, int, int], np.ndarray]


@cache
def readers() -> dict[str, Reader]:
    """What is installed here."""
    found: dict[str, Reader] = {}
    for command in filter(shutil.which, ("convert", "magick")):
        if "ImageMagick" in subprocess.run([command, "-version"], capture_output=True, text=True).stdout:
            found["ImageMagick"] = partial(_magick, command)
    with contextlib.suppress(ImportError, OSError):
        import pyvips

        found["libvips"] = partial(_vips, pyvips)
    return found


def _magick(command: str, path: Path, height: int, width: int) -> np.ndarray:
    call = [command, f"{path}[0]", "-auto-orient", "-colorspace", "sRGB", "-depth", "16", "-endian", "LSB", "rgba:-"]
    data = subprocess.run(call, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(data, "<u2").reshape(height, width, 4) / 65535


def _vips(pyvips: Any, path: Path, height: int, width: int) -> np.ndarray:
    image = pyvips.Image.new_from_file(str(path)).autorot()
    pixels = image.numpy() / (65535 if image.format == "ushort" else 255)
    bands = np.atleast_3d(pixels)
    colours = np.repeat(bands[..., :1], 3, axis=2) if bands.shape[2] < 3 else bands[..., :3]
    alpha = bands[..., -1:] if bands.shape[2] in (2, 4) else np.ones_like(bands[..., :1])
    return np.dstack([colours, alpha]).reshape(height, width, 4)


@pytest.mark.slow
@pytest.mark.skipif(not readers(), reason="neither ImageMagick nor libvips with pyvips is installed")
@pytest.mark.parametrize("reader", readers())
@pytest.mark.parametrize("name", NAMES)
def test_pixels_are_those_of_another_reader(tmp_path: Path, name: str, reader: str) -> None:
    """To the level where nothing is lossy; decoders of lossy ones may differ where chroma is spread."""
    path = tmp_path / name
    path.write_bytes(zoo.made(name))
    picture = decode(path, PictureLimits())
    deep = isinstance(picture.pixels, np.ndarray)
    pixels = np.asarray(picture.pixels if deep else picture.image.convert("RGBA")) / (65535 if deep else 255)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    mine = pixels if pixels.shape[2] == 4 else np.dstack([pixels, np.ones(pixels.shape[:2])])
    try:
        other = readers()[reader](path, *mine.shape[:2])
    except Exception as error:  # noqa: BLE001 - each library has its own way to say so
        pytest.skip(f"{reader} does not read it here: {' '.join(str(error).split())[:100]}")
    seen = other[..., 3] > 0
    far = np.abs(mine - other)
    assert far[..., 3].max() * 255 <= (1 if name.endswith(LOSSY) else 0.01)
    far = far[seen][:, :3] * 255
    if name.endswith(LOSSY) or name == "jpeg.tif":
        assert far.mean() < 2.5
    else:
        assert far.max() <= (1.01 if name in ROUNDED else 0.01)
