"""EXIF, XMP and resolution come along, without what no longer holds."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import zoo
from PIL import ExifTags, Image
from tiffs import tiff

from bgwatch.imagefile import Picture, decode
from bgwatch.settings import PictureLimits
from bgwatch.writing.png import encode

TAG = ExifTags.Base


def read(path: Path, content: bytes) -> Picture:
    path.write_bytes(content)
    return decode(path, PictureLimits())


def kept_exif(picture: Picture) -> Image.Exif:
    """EXIF as whoever opens the result finds it."""
    file = encode(np.zeros((2, 2, 4), np.uint8), picture.kept)
    with Image.open(io.BytesIO(file)) as image:
        return image.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_a_picture_comes_upright_and_says_so(tmp_path: Path, kind: str, orientation: int) -> None:
    """Its corners tell which way is up."""
    upright = Image.new("RGB", (64, 32))
    for corner, colour in (((0, 0), "red"), ((32, 0), "lime"), ((0, 16), "blue")):
        upright.paste(colour, (*corner, corner[0] + 32, corner[1] + 16))
    lying = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(lying[orientation]) if orientation > 1 else upright
    more = {"dpi": (300, 150)} if kind in ("JPEG", "PNG", "TIFF") else {}
    picture = read(tmp_path / "a", zoo.saved(stored, kind, exif=zoo.exif(orientation), quality=95, **more))
    assert picture.image.size == upright.size
    assert np.abs(np.asarray(picture.image).astype(int) - np.asarray(upright)).mean() < 4
    exif = kept_exif(picture)
    assert exif[TAG.ImageDescription] == "a disc"
    assert TAG.Orientation not in exif
    if more:
        assert picture.kept["dpi"] == pytest.approx((150, 300) if orientation > 4 else (300, 150), abs=0.1)


XMP_IN = {
    "jpeg": lambda xmp: zoo.saved(zoo.colours(), "JPEG", xmp=xmp),
    "webp": lambda xmp: zoo.saved(zoo.colours(), "WEBP", xmp=xmp),
    "png": lambda xmp: encode(np.asarray(zoo.colours()), {"xmp": xmp}),
    "deep png": lambda xmp: encode(zoo.deep("RGB"), {"xmp": xmp}),
    "tiff": lambda xmp: tiff(np.asarray(zoo.colours()), 2, tags={TAG.XMLPacket: xmp}),
    "deep tiff": lambda xmp: tiff(zoo.deep("RGB"), 2, tags={TAG.XMLPacket: xmp}),
}


@pytest.mark.parametrize("kind", XMP_IN)
def test_xmp_may_say_how_a_picture_lies_and_says_it_no_more(tmp_path: Path, kind: str) -> None:
    picture = read(tmp_path / "a", XMP_IN[kind](zoo.XMP.replace(b'Orientation="1"', b'Orientation="6"')))
    assert picture.image.size == (zoo.HEIGHT, zoo.WIDTH)
    assert b"Orientation" not in picture.kept["xmp"]
    assert b'tiff:Make="bgwatch"' in picture.kept["xmp"]


def test_thumbnails_are_left_out(tmp_path: Path) -> None:
    """One in EXIF's second directory, one in XMP."""
    thumbnail = zoo.saved(Image.new("RGB", (8, 8), "red"), "JPEG")
    first = struct.pack("<HHHI4sI", 1, TAG.ImageDescription, 2, 3, b"yes\0", 26)
    second = struct.pack("<HHHIIHHIII", 2, TAG.JpegIFOffset, 4, 1, 56, TAG.JpegIFByteCount, 4, 1, len(thumbnail), 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + first + second + thumbnail
    inside = b"><xmp:Thumbnails>AAAA\n</xmp:Thumbnails></rdf:Description></rdf:RDF>"
    xmp = zoo.XMP.replace(b"/></rdf:RDF>", inside)
    content = zoo.saved(zoo.colours(), "JPEG", exif=exif, xmp=xmp)
    assert thumbnail in content
    picture = read(tmp_path / "a", content)
    assert thumbnail not in picture.kept["exif"]
    assert kept_exif(picture)[TAG.ImageDescription].startswith("yes")
    assert b"Thumbnails" not in picture.kept["xmp"]


def test_what_a_camera_wrote_comes_along_but_not_the_size(tmp_path: Path) -> None:
    exif = zoo.exif(6)
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details |= {TAG.ExifImageWidth: 4000, TAG.ExifImageHeight: 3000, TAG.MakerNote: b"a maker's note", TAG.FNumber: 2.8}
    picture = read(tmp_path / "a", zoo.saved(zoo.colours(), "JPEG", exif=exif))
    kept = kept_exif(picture)
    found = kept.get_ifd(ExifTags.IFD.Exif)
    assert found[TAG.MakerNote] == b"a maker's note"
    assert float(found[TAG.FNumber]) == pytest.approx(2.8)
    assert found[TAG.DateTimeOriginal] == "2026:01:02 03:04:05"
    assert not {TAG.ExifImageWidth, TAG.ExifImageHeight} & found.keys()
    assert kept.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"


@pytest.mark.parametrize("deep", [False, True])
def test_of_a_tiff_only_what_is_said_about_the_picture_comes_along(tmp_path: Path, deep: bool) -> None:
    tags = {TAG.Artist: b"someone\0", TAG.ImageResources: bytes(1000), TAG.XMLPacket: zoo.XMP, TAG.Software: b"x\0"}
    samples = zoo.deep("RGB") if deep else np.asarray(zoo.colours())
    picture = read(tmp_path / "a", tiff(samples, 2, rows=4, tags={**tags, TAG.InterColorProfile: zoo.SRGB}))
    assert set(kept_exif(picture)) == {TAG.Artist, TAG.Software}
    assert len(picture.kept["exif"]) < 200
    assert picture.kept["xmp"] == zoo.XMP.replace(b' tiff:Orientation="1"', b"")
    assert picture.kept["icc_profile"] == zoo.SRGB


@pytest.mark.parametrize("xmp", [b"no xmp", b"<rdf:RDF \xff\xfe", b"<rdf:RDF" + bytes(17 * 2**20)])
def test_xmp_that_is_none_or_too_long_is_left_out(tmp_path: Path, xmp: bytes) -> None:
    picture = read(tmp_path / "a", tiff(np.asarray(zoo.colours()), 2, tags={TAG.XMLPacket: xmp}))
    assert "xmp" not in picture.kept
    assert picture.image.size == (zoo.WIDTH, zoo.HEIGHT)


@pytest.mark.parametrize("across", [(0, 1), (300, 0), (200_000, 1), (1, 1), None])
def test_a_resolution_that_is_none_is_left_out(tmp_path: Path, across: tuple[int, int] | None) -> None:
    file = zoo.saved(zoo.colours(), "TIFF", dpi=(300, 300))
    assert file.count(struct.pack("<II", 300, 1)) == 2
    if across is None:
        file = tiff(np.asarray(zoo.colours()), 2)
    else:
        file = file.replace(struct.pack("<II", 300, 1), struct.pack("<II", *across))
    assert "dpi" not in read(tmp_path / "a", file).kept


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_a_resolution_may_be_in_exif_alone(tmp_path: Path, kind: str) -> None:
    exif = zoo.exif(8)
    exif[TAG.XResolution], exif[TAG.YResolution], exif[TAG.ResolutionUnit] = 100.0, 50.0, 3  # a centimetre
    picture = read(tmp_path / "a", zoo.saved(zoo.colours(), kind, exif=exif))
    assert picture.kept["dpi"] == pytest.approx((127, 254))
    assert not {TAG.XResolution, TAG.YResolution, TAG.ResolutionUnit} & set(kept_exif(picture))
