"""README's table of what comes along from each kind of picture, cell by cell."""

import io
import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import profiles
import pytest
import zoo
from PIL import Image
from scenes import opened
from tiffs import tiff

from bgwatch.imagefile import decode
from bgwatch.job import Job, run
from bgwatch.reading.decoders import formats
from bgwatch.settings import PictureLimits, Segmentation
from bgwatch.writing.png import encode

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


def with_profile(jp2: bytes) -> bytes:
    """Put the profile into a JPEG 2000, in place of the name of its colours."""
    at, header = jp2.index(b"colr") - 4, jp2.index(b"jp2h") - 4
    (size,), (whole,) = (struct.unpack_from(">I", jp2, place) for place in (at, header))
    box = struct.pack(">I4sBBB", 11 + len(PROFILE), b"colr", 2, 0, 0) + PROFILE
    grown = struct.pack(">I", whole + len(box) - size)
    return jp2[:header] + grown + jp2[header + 4 : at] + box + jp2[at + size :]


def tagged(kind: str) -> bytes:
    """A picture with everything that its kind can hold, or that its encoder takes."""
    image = zoo.colours()
    if kind == "PNG":
        return encode(np.asarray(image), {**TAGS, "exif": EXIF.tobytes()})
    if kind == "TIFF":
        with Image.open(io.BytesIO(zoo.saved(image, kind, **TAGS))) as plain:
            info = plain.tag_v2
            info[700] = zoo.XMP
            return zoo.saved(image, kind, tiffinfo=info, icc_profile=PROFILE, dpi=(300, 300))
    if kind == "JPEG2000":
        return with_profile(zoo.saved(image, kind))
    if kind == "HEIF":
        return zoo.saved(image, kind, **{**TAGS, "exif": EXIF.tobytes()})
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


def kind_of(row: str) -> str:
    kind = {"JPEG 2000": "JPEG2000", "WebP": "WEBP", "HEIC": "HEIF"}.get(row, row)
    if kind not in formats():
        pytest.skip("pillow-heif, of the extra heif, is not installed")
    return kind


def read(folder: Path, content: bytes) -> tuple[int, str, int, tuple[str, ...]]:
    """Bits, mode, number of frames and notes of a picture."""
    (folder / "a").write_bytes(content)
    picture = decode(folder / "a", PictureLimits())
    return 16 if isinstance(picture.pixels, np.ndarray) else 8, picture.image.mode, picture.frames, picture.notes


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
    found = {
        "colour profile": result.info.get("icc_profile") == PROFILE,
        "EXIF": result.getexif().get(0x010E) == "a disc",
        "XMP": b"bgwatch" in result.info.get("xmp", b""),
        "resolution": result.info.get("dpi", (0, 0)) == pytest.approx((300, 300), abs=0.1),
    }
    assert {column: YES if there else NO for column, there in found.items()} == {
        column: table()[row][column] for column in found
    }


@pytest.mark.parametrize("row", table())
def test_as_many_bits_come_along_as_it_says(tmp_path: Path, row: str) -> None:
    kept = []
    for bits, make in DEEPEST.get(kind := kind_of(row), [(8, lambda: tagged(kind))]):
        got, _, _, notes = read(tmp_path, make())
        kept.append(min(bits, got))
        assert (f"{bits} bits a channel were brought to 8" in notes) == (got < bits)
    said = str(kept[0]) if len(set(kept)) == 1 else f"{kept[0]}, grey {kept[1]}"
    assert table()[row]["bits"] == said


@pytest.mark.parametrize("row", table())
def test_alpha_comes_along_where_it_says(tmp_path: Path, row: str) -> None:
    kind = kind_of(row)
    if kind == "JPEG":
        content = tagged(kind)
    elif kind in ("BMP", "GIF"):
        content = zoo.made({"BMP": "rgba.bmp", "GIF": "palette.gif"}[kind])
    elif kind == "TIFF":
        content = tiff(np.asarray(zoo.in_mode("RGBA")), 2, extra=1)
    else:
        content = zoo.saved(zoo.in_mode("RGBA"), kind)
    assert table()[row]["alpha"] == (YES if read(tmp_path, content)[1] == "RGBA" else NO)


@pytest.mark.parametrize("row", table())
def test_frames_are_counted_where_it_says(tmp_path: Path, row: str) -> None:
    kind = SEVERAL.get(kind_of(row), kind_of(row))
    content = zoo.saved(zoo.colours(), kind) if kind in ("BMP", "JPEG2000") else zoo.moving(kind)
    count, notes = read(tmp_path, content)[2:]
    assert table()[row]["frames"] == (YES if count == 3 else NO)
    assert bool(notes and re.match("only the first of 3", notes[-1])) == (count == 3)
