"""README's table of what comes along from each kind of picture, cell by cell."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import profiles
import pytest
import zoo
from embedding import (
    EXIF_UUID,
    XMP_UUID,
    bmp_v5,
    box,
    gif_extension,
    gif_profile,
    gif_with,
    gif_xmp,
    jp2_profile,
    jp2_resolution,
    jp2_with,
)
from PIL import ExifTags
from scenes import opened
from tiffs import tiff

from bgwatch.imagefile import Picture, decode, frames
from bgwatch.job import Job, run
from bgwatch.reading.decoders import formats
from bgwatch.settings import PictureLimits, Segmentation
from bgwatch.writing.encode import encode

README = Path(__file__).parents[1] / "README.md"
YES, NO = "yes", "–"  # noqa: RUF001 - as a reader sees it
PROFILE = profiles.display_p3()
EXIF = zoo.exif()
EXIF[0x011A] = EXIF[0x011B] = 300.0
TAGS = {"icc_profile": PROFILE, "exif": EXIF, "xmp": zoo.XMP, "dpi": (300, 300)}


@cache
def table() -> dict[str, dict[str, str]]:
    """Rows by the first word or two of their first cell, cells by their column."""
    lines = README.read_text().split("| from |")[1].split("\n\n")[0].splitlines()
    columns = ["from", *(cell.strip() for cell in lines[0].strip(" |").split("|"))]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0].split(",")[0]: dict(zip(columns, row, strict=True)) for row in rows}


def tagged(kind: str) -> bytes:
    """A picture with everything; what its kind has no place for lies where somebody might look for it."""
    image, exif = zoo.colours(), EXIF.tobytes()
    if kind in ("PNG", "TIFF"):
        return encode(np.asarray(image), {**TAGS, "exif": exif}, kind.lower())
    if kind == "JPEG2000":
        boxes = [box(b"uuid", EXIF_UUID + exif[6:]), box(b"uuid", XMP_UUID + zoo.XMP)]
        return jp2_with(zoo.saved(image, kind), [jp2_profile(PROFILE), jp2_resolution(300)], boxes)
    if kind == "GIF":
        blocks = gif_profile(PROFILE), gif_xmp(zoo.XMP), gif_extension(b"EXIF    1.0", exif)
        return gif_with(zoo.saved(image, kind, **TAGS), *blocks) + exif
    if kind == "BMP":
        return bmp_v5(image, PROFILE) + exif + zoo.XMP
    if kind == "HEIF":
        return zoo.saved(image, kind, **{**TAGS, "exif": exif})
    return zoo.saved(image, kind, **TAGS)


def by_opencv(suffix: str, bits: int) -> bytes:
    samples = np.tile(zoo.deep("RGB") >> (16 - bits), (3, 3, 1))  # JPEG 2000 wants 64 pixels
    options = [cv2.IMWRITE_AVIF_DEPTH, bits] if suffix == ".avif" else []
    return cv2.imencode(suffix, samples[..., ::-1], options)[1].tobytes()


def heic(bits: int) -> bytes:
    import pillow_heif

    file, before = io.BytesIO(), pillow_heif.options.SAVE_HDR_TO_12_BIT
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        size = zoo.WIDTH, zoo.HEIGHT
        pillow_heif.from_bytes("RGB;16", size, zoo.deep("RGB").tobytes()).save(file, quality=-1)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = before
    return file.getvalue()


# the deepest that a kind can hold, with its bits: in colours, and in grey where that differs
DEEPEST: dict[str, list[tuple[int, Callable[[], bytes]]]] = {
    "PNG": [(16, lambda: zoo.made("deep-RGB.png")), (16, lambda: zoo.made("deep-L.png"))],
    "TIFF": [(16, lambda: zoo.made("deep-planes.tif")), (16, lambda: zoo.made("deep-grey.tif"))],
    "AVIF": [(10, lambda: by_opencv(".avif", 10))],
    "JPEG2000": [(16, lambda: by_opencv(".jp2", 16)), (16, lambda: zoo.made("deep.jp2"))],
    "HEIF": [(12, lambda: heic(12))],
}
SEVERAL = {"JPEG": "MPO"}
THREE = {"BMP": lambda: 3 * zoo.made("rgb.bmp"), "JPEG2000": lambda: three_streams(zoo.made("rgb.jp2"))}


def three_streams(jp2: bytes) -> bytes:
    further = box(b"jp2c", jp2[jp2.index(b"\xff\x4f\xff\x51") :])
    return jp2_with(jp2, top=[further, further], last=True)


def kind_of(row: str) -> str:
    kind = {"JPEG 2000": "JPEG2000", "WebP": "WEBP", "HEIC": "HEIF"}.get(row, row)
    if kind not in formats():
        pytest.skip("pillow-heif, of the extra heif, is not installed")
    return kind


def read(folder: Path, content: bytes) -> Picture:
    (folder / "a").write_bytes(content)
    return decode(folder / "a", PictureLimits())


def test_the_table_has_a_row_for_each_format() -> None:
    rows = {"JPEG 2000": "JPEG2000", "WebP": "WEBP", "HEIC": "HEIF"}
    assert {rows.get(row, row) for row in table()} == {*formats(), "HEIF"}


@pytest.mark.parametrize("row", table())
def test_what_goes_along_is_found_in_the_result(tmp_path: Path, row: str) -> None:
    kind = kind_of(row)
    (tmp_path / "a").write_bytes(tagged(kind))
    outcome = run(Job(str(tmp_path / "a"), str(tmp_path / "out.png"), Segmentation().model_dump(), {}))
    assert outcome.written, outcome.reasons
    result = opened(tmp_path / "out.png")
    exif = result.getexif()
    words = [exif.get(0x010E), exif.get_ifd(ExifTags.IFD.Exif).get(0x9003), exif.get_ifd(ExifTags.IFD.GPSInfo).get(1)]
    found = {
        "colour profile": (result.info.get("icc_profile"), PROFILE),
        "EXIF": (words, ["a disc", "2026:01:02 03:04:05", "N"]),
        "XMP": (result.info.get("xmp"), zoo.XMP.replace(b' tiff:Orientation="1"', b"")),
        "resolution": (result.info.get("dpi"), pytest.approx((300, 300), abs=0.1)),
    }
    for column, (there, wanted) in found.items():
        assert table()[row][column] == (YES if there == wanted else NO), column
        assert there == wanted or there in (None, [None] * 3), "all of it or nothing"


@pytest.mark.parametrize("row", table())
def test_as_many_bits_come_along_as_it_says(tmp_path: Path, row: str) -> None:
    kept = []
    for bits, make in DEEPEST.get(kind := kind_of(row), [(8, lambda: tagged(kind))]):
        picture = read(tmp_path, make())
        got = 16 if isinstance(picture.pixels, np.ndarray) else 8
        kept.append(min(bits, got))
        assert (f"{bits} bits a channel were brought to 8" in picture.notes) == (got < bits)
        assert got == 8 or np.any(np.asarray(picture.pixels) % 257), "the lower bits tell more than the upper ones"
    said = str(kept[0]) if len(set(kept)) == 1 else f"{kept[0]}, grey {kept[1]}"
    assert table()[row]["bits"] == said


@pytest.mark.parametrize("row", table())
def test_alpha_comes_along_where_it_says(tmp_path: Path, row: str) -> None:
    """A JPEG has none; one beside it, as a further picture, is no part of it."""
    kind = kind_of(row)
    if kind == "JPEG":
        content = zoo.saved(zoo.colours(), "MPO", save_all=True, append_images=[zoo.in_mode("RGBA").getchannel("A")])
    elif kind in ("BMP", "GIF"):
        content = zoo.made({"BMP": "rgba.bmp", "GIF": "palette.gif"}[kind])
    elif kind == "TIFF":
        content = tiff(np.asarray(zoo.in_mode("RGBA")), 2, extra=1)
    else:
        content = zoo.saved(zoo.in_mode("RGBA"), kind)
    image = read(tmp_path, content).image
    assert table()[row]["alpha"] == (YES if image.mode == "RGBA" else NO)
    if image.mode == "RGBA":
        drawn = np.asarray(zoo.in_mode("P")) != 3 if kind == "GIF" else np.asarray(zoo.in_mode("RGBA"))[..., 3] / 255
        assert np.abs(np.asarray(image)[..., 3] / 255 - drawn).max() < 0.05


@pytest.mark.parametrize("row", table())
def test_frames_come_along_where_it_says(tmp_path: Path, row: str) -> None:
    """Three, of different noise; of a kind that has one alone, three in one file all the same."""
    kind = SEVERAL.get(kind_of(row), kind_of(row))
    content = THREE[kind]() if kind in THREE else zoo.moving(kind)
    notes = read(tmp_path, content).notes
    found = [np.asarray(picture.image) for picture in frames(tmp_path / "a", PictureLimits())]
    assert table()[row]["frames"] == (YES if len(found) == 3 else NO)
    assert notes == (("only the first of 3 frames or pages was taken",) if len(found) == 3 else ())
    assert len({frame.tobytes() for frame in found}) == len(found) in (1, 3)
