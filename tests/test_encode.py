"""Results in every format, read back by others; and the README's table of formats."""

import io
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms

from bgwatch.errors import PictureError
from bgwatch.settings import RESULT_SUFFIXES, Output, PictureLimits
from bgwatch.writing.encode import LONGEST_SIDE, encode, holdable
from bgwatch.writing.finish import finish

README = (Path(__file__).parents[1] / "README.md").read_text()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/> \xc3\xa9</x:xmpmeta>'
FULL = {np.uint8: 255, np.uint16: 65535}


def photograph() -> bytes:
    """EXIF as a camera writes it: who, when, how long, and where."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Drawn"
    exif[ExifTags.Base.Artist] = "someone"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 0.01
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:01:02 03:04:05"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.MakerNote] = bytes(range(99))
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R98"}
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 29.5)
    return exif.tobytes()


KEPT: dict[str, Any] = {"icc_profile": SRGB, "exif": photograph(), "xmp": XMP, "dpi": (300.0, 200.0)}


def pixels(channels: int = 4, dtype: type = np.uint8) -> np.ndarray:
    """Smooth colours, so that little is lost where something is; alpha from clear to opaque."""
    y, x = np.mgrid[:70, :90] / 90
    planes = np.stack([x, y, (x + y) / 2, (x * 1.4 - 0.2).clip(0, 1)], axis=-1)
    chosen = {1: planes[..., 0], 2: planes[..., [0, 3]], 3: planes[..., :3], 4: planes}[channels]
    return (chosen * FULL[dtype] + 0.5).astype(dtype)


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_without_loss_every_value_comes_back(kind: str, channels: int) -> None:
    """Also the colours under what is transparent."""
    written = pixels(channels)
    image = read(encode(written, {}, kind))
    if kind == "webp":  # which has no grey
        written = np.asarray(Image.fromarray(written).convert("RGBA" if channels in (2, 4) else "RGB"))
    assert np.array_equal(np.asarray(image), written)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_stay_sixteen(kind: str, channels: int, tmp_path: Path) -> None:
    """A value of 9001 comes out as 9001, by two readers."""
    written = pixels(channels, np.uint16)
    written[3, 4] = 9001
    path = tmp_path / f"deep.{kind}"
    path.write_bytes(encode(written, KEPT, kind))
    if channels != 2:  # OpenCV has no grey with alpha
        read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert read is not None
        assert np.array_equal(read if channels == 1 else read[..., [2, 1, 0, 3][:channels]], written)
        assert (read[3, 4] == 9001).all()
    if kind == "tiff":
        with tifffile.TiffFile(path) as file:
            (page,) = file.pages
            assert np.array_equal(page.asarray(), written)
            assert page.extrasamples == ((tifffile.EXTRASAMPLE.UNASSALPHA,) if channels in (2, 4) else ())


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["avif", "webp", "jpeg"])
def test_with_loss_little_is_lost(kind: str, channels: int) -> None:
    if kind == "jpeg" and channels in (2, 4):
        return
    written = pixels(channels)
    mode = "RGBA" if channels in (2, 4) else "RGB"
    image = read(encode(written, {}, kind, 90)).convert(mode)
    expected = np.asarray(Image.fromarray(written).convert(mode)).astype(int)
    apart = np.abs(np.asarray(image) - expected)
    assert apart[expected[..., 3] > 0 if channels in (2, 4) else ...].mean() < 1.5
    if channels in (2, 4):
        assert np.array_equal(np.asarray(image)[..., 3], expected[..., 3])


@pytest.mark.parametrize("quality", [1, 50, 100])
@pytest.mark.parametrize("kind", ["avif", "webp"])
def test_alpha_loses_nothing_at_any_quality(kind: str, quality: int) -> None:
    written = np.random.default_rng(2).integers(0, 256, (40, 50, 4), np.uint8)
    written[10:30, 10:40, 3] = 0
    again = np.asarray(read(encode(written, {}, kind, quality)))
    assert np.array_equal(again[..., 3], written[..., 3])


@pytest.mark.parametrize("kind", ["avif", "jpeg", "webp"])
def test_a_lower_quality_is_smaller(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (80, 80, 3), np.uint8)
    sizes = [len(encode(noise, {}, kind, quality)) for quality in (20, 60, None)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 2


@pytest.mark.parametrize("kind", ["avif", "jpeg", "webp"])
def test_noise_with_long_metadata_is_written_at_any_quality(kind: str) -> None:
    """Pillow's optimized JPEGs do not fit into its buffer then."""
    side = 300 if kind == "jpeg" else 40
    noise = np.random.default_rng(0).integers(0, 2, (side, side, 3), np.uint8) * 255
    long = {"icc_profile": SRGB + bytes(300_000), "exif": photograph() + bytes(60_000), "xmp": bytes(65_000)}
    for quality in (90, 95, 100):
        for kept in ({}, long):
            assert read(encode(noise, kept, kind, quality)).size == (side, side)


@pytest.mark.parametrize("kind", ["avif", "jpeg"])
def test_colours_are_as_sharp_as_light(kind: str) -> None:
    """Red beside blue of the same lightness: at half the resolution both would be purple at the border."""
    halves = np.zeros((32, 33, 3), np.uint8)
    halves[:, :17], halves[:, 17:] = (220, 30, 30), (40, 60, 250)
    again = np.asarray(read(encode(halves, {}, kind))).astype(int)
    assert np.abs(again - halves).max() < 40


@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_each_format_is_what_its_suffix_says(kind: str, tmp_path: Path) -> None:
    for suffix in RESULT_SUFFIXES[kind]:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(encode(pixels(3), {}, kind))
        with Image.open(path) as image:
            assert image.format == kind.upper()
            assert Image.registered_extensions()[suffix] == image.format


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_what_belongs_to_a_photograph_stays(kind: str, channels: int) -> None:
    if kind == "jpeg" and channels in (2, 4):
        return
    image = read(encode(pixels(channels), KEPT, kind))
    exif = image.getexif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    assert image.info["icc_profile"] == SRGB
    assert image.info["xmp"] == XMP
    assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist]) == ("Drawn", "someone")
    assert details[ExifTags.Base.ExposureTime] == pytest.approx(0.01)
    assert details[ExifTags.Base.DateTimeOriginal] == "2026:01:02 03:04:05"
    assert details[ExifTags.Base.MakerNote] == bytes(range(99))
    assert exif.get_ifd(ExifTags.IFD.Interop) == {1: "R98"}
    where = exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert where[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert where[ExifTags.GPS.GPSLatitude] == pytest.approx((48, 51, 29.5))
    assert resolution(image) == pytest.approx((300, 200), abs=0.1)


def resolution(image: Image.Image) -> object:
    if "dpi" in image.info:
        return image.info["dpi"]
    exif = image.getexif()
    assert exif[ExifTags.Base.ResolutionUnit] == 2
    return exif[ExifTags.Base.XResolution], exif[ExifTags.Base.YResolution]


def test_a_resolution_alone_makes_no_other_exif() -> None:
    exif = read(encode(pixels(), {"dpi": (72.0, 72.0)}, "webp")).getexif()
    assert set(exif) == {ExifTags.Base.XResolution, ExifTags.Base.YResolution, ExifTags.Base.ResolutionUnit}


@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_the_same_pixels_give_the_same_bytes(kind: str) -> None:
    assert len({encode(pixels(3), KEPT, kind) for _ in range(3)}) == 1


@pytest.mark.parametrize("kind", list(LONGEST_SIDE))
def test_what_is_too_long_for_a_format_is_refused_in_one_sentence(kind: str) -> None:
    longest = np.zeros((1, LONGEST_SIDE[kind], 3), np.uint8)
    assert read(encode(longest, {}, kind)).size == (LONGEST_SIDE[kind], 1)
    longer = np.zeros((LONGEST_SIDE[kind] + 1, 1, 3), np.uint8)
    with pytest.raises(
        PictureError, match=rf"^a result of 1 x {len(longer)} pixels is more than {kind} can hold; take"
    ):
        encode(longer, {}, kind)


# the README's table -----------------------------------------------------------------------------------------------


def table() -> dict[str, dict[str, str]]:
    """The rows of the table of formats by their format, each with its cells by their column."""
    head, _, *rows = re.search(r"^\| `--format` .*?(?=\n\n)", README, re.MULTILINE | re.DOTALL)[0].splitlines()  # type: ignore[index]
    columns, *cells = ([cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows))
    return {row[0].strip("`"): dict(zip(columns, row, strict=True)) for row in cells}


def test_the_table_names_every_format() -> None:
    assert list(table()) == list(RESULT_SUFFIXES)


@pytest.mark.parametrize("kind", list(RESULT_SUFFIXES))
def test_each_cell_of_the_table_is_true(kind: str, tmp_path: Path) -> None:
    cells = table()[kind]
    assert cells.pop("`--format`") == f"`{kind}`"
    assert cells.pop("suffix") == RESULT_SUFFIXES[kind][0]
    output = Output(format=kind, fill="transparent" if cells["alpha"] == "yes" else "#ffffff")  # type: ignore[arg-type]
    for grey, column in ((False, "alpha"), (True, "grey")):
        rgba = pixels(4, np.uint16)
        rgba[..., :3] = rgba[..., :1] if grey else rgba[..., :3]
        made = finish(rgba, {}, grey, output, PictureLimits())
        assert (
            made.pixels.shape[2:]
            == {
                ("alpha", "yes"): (4,),
                ("alpha", "no, set `fill`"): (3,),
                ("grey", "yes"): (2,) if cells["alpha"] == "yes" else (),
                ("grey", "only without alpha"): (4,),
                ("grey", "as RGB"): (4,),
            }[column, cells[column]]
        )
        sixteen = made.pixels.dtype == np.uint16
        assert cells["16 bits"] == ("kept" if sixteen else "rounded to 8")
        assert bool(made.notes) is not sixteen
    if kind != "jpeg":
        opaque = finish(rgba, {}, True, Output(format=kind, fill="#ffffff"), PictureLimits())  # type: ignore[arg-type]
        assert (opaque.pixels.ndim == 2) is (cells["grey"] in ("yes", "only without alpha"))
    image = read(encode(pixels(3), KEPT, kind))
    there = {
        "ICC": "icc_profile" in image.info,
        "EXIF": ExifTags.Base.Make in image.getexif(),
        "XMP": "xmp" in image.info,
        "DPI": resolution(image) == pytest.approx((300, 200), abs=0.1),
    }
    long = {"exif": bytes(70_000), "xmp": bytes(70_000)}
    held, notes = holdable(long, kind)
    for name, found in there.items():
        assert found, name
        said = "up to 64 KB" if name.lower() in long and name.lower() not in held else "yes"
        assert cells[name] == ("in EXIF" if name == "DPI" and "dpi" not in image.info else said), name
    assert len(notes) == len(long) - len(held)
    lossless = kind == "webp" or np.array_equal(np.asarray(image), pixels(3))
    assert cells["loss"].startswith("none") is lossless
    assert ("`quality`" in cells["loss"]) is (kind not in ("png", "tiff"))
    assert cells["longest side"] == (f"{LONGEST_SIDE[kind]:,}" if kind in LONGEST_SIDE else "no limit")
