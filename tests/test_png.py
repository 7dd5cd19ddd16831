"""PNG files hold every pixel and all metadata, whoever reads them."""

import io
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from bgwatch import remove_background
from bgwatch.writing.png import SIGNATURE, STRIP, encode

PORTRAIT = Path(__file__).parent / "pictures" / "portrait.jpg"
CHANNELS = {0: 1, 4: 2, 2: 3, 6: 4}
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)
)


def chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Take a PNG apart, and check the sum of each chunk."""
    assert file.startswith(SIGNATURE)
    found, place = [], len(SIGNATURE)
    while place < len(file):
        length, kind = struct.unpack_from(">I4s", file, place)
        data = file[place + 8 : place + 8 + length]
        (summed,) = struct.unpack_from(">I", file, place + 8 + length)
        assert summed == zlib.crc32(kind + data)
        found.append((kind, data))
        place += length + 12
    return found


def decoded(file: bytes) -> np.ndarray:
    """Decode as the specification says, filter by filter, since Pillow reads 16-bit colours as 8 bits."""
    parts = chunks(file)
    width, height, bits, colour, *rest = struct.unpack(">IIBBBBB", dict(parts)[b"IHDR"])
    assert rest == [0, 0, 0]
    channels = CHANNELS[colour]
    step = channels * bits // 8
    raw = zlib.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"))
    lines = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * step).astype(int)
    rows = np.zeros((height + 1, width * step), int)
    for row, (kind, line) in enumerate(zip(lines[:, 0], lines[:, 1:], strict=True), 1):
        for place, value in enumerate(line):
            left = rows[row, place - step] if place >= step else 0
            rows[row, place] = (value + (0, left, rows[row - 1, place])[kind]) % 256
    shape = (height, width, channels) if channels > 1 else (height, width)
    return rows[1:].astype(np.uint8).view(">u2" if bits == 16 else np.uint8).reshape(shape)


@given(st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: arrays(kind, SHAPES)))
def test_every_pixel_comes_back(pixels: np.ndarray) -> None:
    again = decoded(encode(pixels, {}))
    assert np.array_equal(again, pixels.reshape(again.shape))


@pytest.mark.parametrize("shape", [(3 * STRIP + 5, 40, 4), (STRIP, 40, 3), (STRIP + 1, 40, 2), (2 * STRIP, 40)])
def test_pillow_reads_pictures_of_several_strips(shape: tuple[int, ...]) -> None:
    """Smooth ones, of which each row asks for another filter."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    plane = (3 * y + 2 * x + (y % 7 == 0) * 40).astype(np.uint8)
    pixels = np.stack([np.roll(plane, channel) for channel in range(shape[2])], axis=-1) if len(shape) == 3 else plane
    file = encode(pixels, {})
    with Image.open(io.BytesIO(file)) as image:
        image.verify()
    with Image.open(io.BytesIO(file)) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_metadata_comes_before_the_pixels() -> None:
    """ICC, EXIF and DPI are what Pillow would have written."""
    exif = Image.Exif()
    exif[0x010E] = "a portrait"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = encode(
        np.zeros((3, 4, 4), np.uint8), {"icc_profile": profile, "dpi": (300.0, 300.0), "exif": exif.tobytes()}
    )
    kinds = [kind for kind, _ in chunks(file)]
    assert kinds[0] == b"IHDR"
    assert kinds[-2:] == [b"IDAT", b"IEND"]
    assert {b"iCCP", b"pHYs", b"eXIf"} < set(kinds)
    with Image.open(io.BytesIO(file)) as image:
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert image.getexif()[0x010E] == "a portrait"


def test_a_cut_out_is_no_larger_than_pillow_writes_it_at_level_1() -> None:
    with Image.open(PORTRAIT) as image:
        rgba = remove_background(image).rgba
    for pixels in (rgba, rgba[..., ::3], rgba[..., :3], rgba[..., 3]):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
        assert len(encode(pixels, {})) <= file.tell()


def test_a_texture_is_no_larger_than_pillow_writes_it_at_level_1() -> None:
    """Sand, say: here ISA-L deflates worse than zlib."""
    grains = np.random.default_rng(5).normal(128, 25, (400, 400, 1)) + np.zeros(3)
    sand = np.asarray(
        Image.fromarray(grains.clip(0, 255).astype(np.uint8)).resize((800, 600), Image.Resampling.BICUBIC)
    )
    file = io.BytesIO()
    Image.fromarray(sand).save(file, "PNG", compress_level=1)
    mine = encode(sand, {})
    assert np.array_equal(decoded(mine), sand)
    assert len(mine) <= 0.97 * file.tell()


def test_the_same_pixels_give_the_same_bytes() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (2 * STRIP + 3, 33, 4), np.uint8)
    files = [encode(pixels, {"dpi": (72.0, 72.0)}) for _ in range(3)]
    assert all(one == other for one, other in pairwise(files))
