"""16 bits a channel come in whole, from every layout of PNG and TIFF, and go out whole."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import zoo
from PIL import Image
from scenes import disc, png_chunk
from test_png import decoded as png_samples
from tiffs import tiff

from bgwatch import remove_background
from bgwatch.errors import UnfinishedError
from bgwatch.imagefile import Picture, decode
from bgwatch.job import Job, run
from bgwatch.reading.deep import bits_of
from bgwatch.settings import PictureLimits, Segmentation
from bgwatch.writing.png import encode

LIMIT = PictureLimits()
GREY, RGB = 1, 2
ASSOCIATED, UNASSOCIATED = 1, 2
LAYOUTS = {
    "strips": {"rows": 7},
    "big-endian": {"order": ">"},
    "deflate": {"compression": 8, "rows": 5},
    "predictor": {"compression": 8, "predictor": 2, "order": ">"},
    "tiles": {"tile": 16},
    "predicted tiles": {"tile": 16, "compression": 8, "predictor": 2},
    "planes": {"planar": True, "rows": 6},
    "predicted planes of tiles": {"planar": True, "tile": 16, "compression": 8, "predictor": 2, "order": ">"},
}


def noise(channels: int) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, 65536, (21, 35, channels)).astype(np.uint16)


def read(path: Path, content: bytes) -> Picture:
    path.write_bytes(content)
    return decode(path, LIMIT)


def spread(pixels: np.ndarray) -> np.ndarray:
    """The shape a picture has when it is decoded."""
    if pixels.shape[2] > 2:
        return pixels
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., [0, 0, 0, 1]]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_tiff_comes_in_whole(tmp_path: Path, layout: str, channels: int) -> None:
    samples = noise(channels)
    extra = UNASSOCIATED if channels in (2, 4) else None
    picture = read(tmp_path / "a", tiff(samples, RGB if channels > 2 else GREY, extra=extra, **LAYOUTS[layout]))
    assert isinstance(picture.pixels, np.ndarray)
    assert picture.pixels.dtype == np.uint16
    assert np.array_equal(picture.pixels, spread(samples))
    assert picture.grey is (channels < 3)
    assert picture.notes == ()


@pytest.mark.parametrize("compression", [5, 32773, 32946])  # LZW, PackBits, deflate
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_opencv_writes_comes_in_whole(tmp_path: Path, compression: int, channels: int) -> None:
    samples = noise(channels)
    turned = samples[..., [2, 1, 0, 3][:channels]] if channels > 1 else samples
    file = cv2.imencode(".tiff", turned, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes()
    with Image.open(io.BytesIO(file)) as image:
        assert image.tag_v2[259] == compression
    assert np.array_equal(read(tmp_path / "a", file).pixels, spread(samples))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_kind_of_png_comes_in_whole(tmp_path: Path, channels: int) -> None:
    samples = noise(channels)
    picture = read(tmp_path / "a", encode(samples if channels > 1 else samples[..., 0], {}))
    assert np.array_equal(picture.pixels, spread(samples))
    assert picture.grey is (channels < 3)
    assert picture.notes == ()


def interlaced(samples: np.ndarray) -> bytes:
    """Encode by Adam7, unfiltered: "Portable Network Graphics (PNG) Specification", W3C, 8.2."""
    height, width, channels = samples.shape
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = [
        b"\0" + row.astype(">u2").tobytes()
        for top, left, down, across in passes
        if left < width
        for row in samples[top::down, left::across]
    ]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 1))
    data = png_chunk(b"IDAT", zlib.compress(b"".join(rows)))
    return b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_interlaced_pngs_come_in_whole(tmp_path: Path, channels: int) -> None:
    samples = noise(channels)
    assert np.array_equal(read(tmp_path / "a", interlaced(samples)).pixels, spread(samples))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_key_colour_is_transparent_and_its_neighbours_are_not(tmp_path: Path, channels: int) -> None:
    samples = noise(channels)
    samples[4, 5] = samples[6, 7] = 9001
    samples[6, 7, -1] += 1
    file = encode(samples if channels > 1 else samples[..., 0], {})
    place = file.index(b"IDAT") - 4
    key = png_chunk(b"tRNS", struct.pack(f">{channels}H", *[9001] * channels))
    pixels = np.asarray(read(tmp_path / "a", file[:place] + key + file[place:]).pixels)
    assert np.array_equal(pixels[..., :3], np.repeat(samples, 3, axis=2) if channels == 1 else samples)
    assert pixels[4, 5, 3] == 0
    assert (np.delete(pixels[..., 3].ravel(), 4 * 35 + 5) == 65535).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_colours_multiplied_by_alpha_are_divided_again(tmp_path: Path, channels: int) -> None:
    samples = noise(channels)
    samples[..., -1] |= 0x4000
    samples[0, 0, -1] = 0
    alpha = samples[..., -1:] / 65535
    stored = samples.copy()
    stored[..., :-1] = np.round(samples[..., :-1] * alpha)
    file = tiff(stored, RGB if channels == 4 else GREY, extra=ASSOCIATED)
    pixels = np.asarray(read(tmp_path / "a", file).pixels).astype(int)
    assert np.array_equal(pixels[..., 3], samples[..., -1])
    shown = pixels[..., :3][samples[..., -1] > 0] - spread(samples)[..., :3][samples[..., -1] > 0]
    assert np.abs(shown).max() <= 2  # half a step, at a quarter of full alpha


def test_a_fourth_sample_that_is_no_alpha_is_left_out(tmp_path: Path) -> None:
    samples = noise(4)
    assert np.array_equal(read(tmp_path / "a", tiff(samples, RGB, extra=0)).pixels, samples[..., :3])


def test_white_may_be_zero(tmp_path: Path) -> None:
    samples = noise(1)
    assert np.array_equal(read(tmp_path / "a", tiff(samples, 0)).pixels, 65535 - samples[..., 0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_each_orientation_is_pillows(tmp_path: Path, orientation: int, kind: str) -> None:
    """Told by the same picture in 8 bits, which Pillow turns."""
    samples = noise(3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    tags = {"exif": exif.tobytes(), "dpi": (300.0, 150.0)}
    deep = encode(samples, tags) if kind == "png" else tiff(samples, RGB, tags={274: [orientation]})
    plain = read(tmp_path / "plain", encode((samples >> 8).astype(np.uint8), tags)).pixels
    picture = read(tmp_path / "deep", deep)
    assert np.array_equal(np.asarray(picture.pixels) >> 8, np.asarray(plain))
    assert np.asarray(picture.pixels).flags.c_contiguous
    if kind == "png":
        assert picture.kept["dpi"] == pytest.approx((150, 300) if orientation > 4 else (300, 150), abs=0.1)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("kind", ["png", "grey-alpha.png", "tiff", "predicted.tiff"])
def test_what_is_cut_short_is_refused(tmp_path: Path, kind: str, cut: float) -> None:
    samples = noise(2 if kind == "grey-alpha.png" else 3)
    layout = LAYOUTS["predicted tiles" if kind == "predicted.tiff" else "strips"]
    file = encode(samples, {}) if kind.endswith("png") else tiff(samples, RGB, **layout)
    with pytest.raises(UnfinishedError, match=r"broken or cut short"):
        read(tmp_path / "a", file[: int(cut * len(file))])


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_9001_comes_out_as_9001(tmp_path: Path, suffix: str, grey: bool) -> None:
    """From file to file, turned by EXIF on the way."""
    shown = np.asarray(disc().convert("L" if grey else "RGB")).astype(np.uint16) * 256
    shown[64:68, 55:65] = 9001
    exif = Image.Exif()
    exif[0x0112] = 6
    file = (
        encode(shown, {"exif": exif.tobytes()})
        if suffix == "png"
        else tiff(np.atleast_3d(shown), GREY if grey else RGB, tags={274: [6]})
    )
    source, target = tmp_path / f"a.{suffix}", tmp_path / "out.png"
    source.write_bytes(file)
    outcome = run(Job(str(source), str(target), Segmentation().model_dump(), {}))
    assert outcome.state == "done", outcome.reasons
    assert outcome.reasons == ()
    rgba = png_samples(target.read_bytes())
    assert rgba.shape == (120, 140, 2 if grey else 4)
    assert (rgba[55:65, 140 - 68 : 140 - 64] == [9001] * (1 if grey else 3) + [65535]).all()


@pytest.mark.parametrize("name", ["deep-moving.png", "rgb.avif", "deep.jp2", "rgb.jpg"])
def test_to_tell_the_bits_leaves_the_file_where_it_is(name: str) -> None:
    """Pillow reads on from there."""
    file = io.BytesIO(zoo.made(name))
    with Image.open(file) as image:
        file.seek(123)
        assert bits_of(image, file) == (16 if name.startswith("deep") else 8)
        assert file.tell() == 123


def test_the_cut_out_of_16_bits_is_that_of_8_bits_but_finer() -> None:
    pixels = np.asarray(disc()).astype(np.uint16) * 257
    deep, plain = remove_background(pixels), remove_background(disc())
    assert deep.rgba.dtype == np.uint16
    assert np.abs(deep.alpha - plain.alpha).max() < 0.02


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("bits", [10, 12])
def test_heic_comes_in_with_all_its_bits(tmp_path: Path, bits: int, channels: int) -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif, of the extra heif, is not installed")
    levels = np.linspace(0, 65535, 64).round().astype(np.uint16)
    samples = np.full((64, 64, channels), 65535, np.uint16)
    samples[..., :3] = levels[None, :, None]
    heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        heif.from_bytes(f"{'RGB' if channels == 3 else 'RGBA'};16", (64, 64), samples.tobytes()).save(
            tmp_path / "a", quality=-1
        )
    finally:
        heif.options.SAVE_HDR_TO_12_BIT = False
    picture = decode(tmp_path / "a", LIMIT)
    assert isinstance(picture.pixels, np.ndarray)
    assert picture.pixels.shape == samples.shape
    assert np.abs(picture.pixels.astype(int) - samples)[..., :3].max() < 3 * 2 ** (16 - bits)
    assert picture.pixels[..., :3].max() == 65535
    assert channels == 3 or (picture.pixels[..., 3] == 65535).all()
    assert picture.notes == ()
