"""Every kind of PNG that there is, interlaced or not, comes in to the level: PNG (Third Edition), W3C, table 12."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scenes import png_chunk

from bgwatch.imagefile import Picture, decode
from bgwatch.settings import PictureLimits
from bgwatch.writing.png import SIGNATURE

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
KINDS = [
    *((GREY, bits) for bits in (1, 2, 4, 8, 16)),
    *((PALETTE, bits) for bits in (1, 2, 4, 8)),
    *((kind, bits) for kind in (RGB, GREY_ALPHA, RGBA) for bits in (8, 16)),
]
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
COLOURS = np.random.default_rng(7).integers(0, 256, (256, 3)).astype(np.uint8)


def samples(kind: int, bits: int) -> np.ndarray:
    """Random samples, shape (H, W, C), of a size that fills no byte and no pass."""
    return np.random.default_rng(bits).integers(0, 2**bits, (21, 35, CHANNELS[kind])).astype(np.uint16)


def packed(row: np.ndarray, bits: int) -> bytes:
    if bits == 16:
        return row.astype(">u2").tobytes()
    wide = row.ravel()[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(wide.ravel().astype(np.uint8)).tobytes()


def png(pixels: np.ndarray, kind: int, bits: int, interlaced: bool, transparency: bytes = b"") -> bytes:
    height, width = pixels.shape[:2]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = [row for top, left, down, across in passes for row in pixels[top::down, left::across] if row.size]
    data = zlib.compress(b"".join(b"\0" + packed(row, bits) for row in rows))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced))]
    chunks += [(b"PLTE", COLOURS[: 2**bits].tobytes())] if kind == PALETTE else []
    chunks += [(b"tRNS", transparency)] if transparency else []
    return SIGNATURE + b"".join(png_chunk(*chunk) for chunk in [*chunks, (b"IDAT", data), (b"IEND", b"")])


def read(path: Path, content: bytes) -> Picture:
    path.write_bytes(content)
    picture = decode(path, PictureLimits())
    assert picture.notes == ()
    return picture


def levels(picture: Picture) -> np.ndarray:
    """Samples as decoded: grey with alpha as two channels, whatever it came as."""
    array = np.atleast_3d(np.asarray(picture.pixels))
    return array[..., [0, 3]] if picture.grey and array.shape[2] == 4 else array


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_each_kind_comes_in_to_the_level(tmp_path: Path, kind: int, bits: int, interlaced: bool) -> None:
    pixels = samples(kind, bits)
    picture = read(tmp_path / "a", png(pixels, kind, bits, interlaced))
    wanted = COLOURS[pixels[..., 0]] if kind == PALETTE else pixels if bits == 16 else pixels * (255 // (2**bits - 1))
    assert np.array_equal(levels(picture), wanted)
    assert picture.grey is (kind in (GREY, GREY_ALPHA))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "bits"), [(kind, bits) for kind, bits in KINDS if kind in (GREY, RGB)])
def test_a_key_colour_is_clear_and_all_else_is_not(tmp_path: Path, kind: int, bits: int, interlaced: bool) -> None:
    pixels = samples(kind, bits)
    key = pixels[3, 4].tolist()
    picture = read(tmp_path / "a", png(pixels, kind, bits, interlaced, struct.pack(f">{len(key)}H", *key)))
    alpha = levels(picture)[..., -1]
    assert np.array_equal(alpha == 0, (pixels == key).all(axis=2))
    assert set(np.unique(alpha)) <= {0, 65535 if bits == 16 else 255}


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_may_have_alpha(tmp_path: Path, bits: int) -> None:
    """Of its first colours; all others are opaque."""
    pixels, first = samples(PALETTE, bits), bytes(range(10, 10 + 2 ** (bits - 1)))
    picture = read(tmp_path / "a", png(pixels, PALETTE, bits, False, first))
    alphas = np.frombuffer(first.ljust(2**bits, b"\xff"), np.uint8)
    assert np.array_equal(np.asarray(picture.pixels), np.dstack([COLOURS[pixels[..., 0]], alphas[pixels[..., 0]]]))
