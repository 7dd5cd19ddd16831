import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from scenes import png_header

from bgwatch.errors import PictureError, UnfinishedError
from bgwatch.imagefile import Identity, decode, identity_of, looks_like_picture
from bgwatch.settings import PictureLimits
from bgwatch.writing.encode import encode

LIMIT = PictureLimits(max_pixels=1_000_000)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.jpg", b"this is no picture at all", "not a picture bgwatch reads"),
        ("empty.png", b"", r"the file is empty \(0 bytes\)"),
        ("bomb.png", png_header(50_000, 50_000), "50000 x 50000 pixels are more than max_pixels"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "not a picture bgwatch reads"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PictureError, match=said) as told:
        decode(path, PictureLimits())
    assert str(path) in str(told.value)


def test_missing_folders_and_fifos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="there is no such file"):
        decode(tmp_path / "none.jpg", LIMIT)
    with pytest.raises(PictureError, match="not a regular file"):
        decode(tmp_path, LIMIT)
    os.mkfifo(tmp_path / "fifo.jpg")
    with pytest.raises(PictureError, match="not a regular file"):
        decode(tmp_path / "fifo.jpg", LIMIT)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif", "bmp"])
def test_a_picture_cut_short_is_refused(tmp_path: Path, draw: Callable[..., Path], suffix: str) -> None:
    path = draw(tmp_path / f"short.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PictureError, match=r"broken or cut short|not a picture"):
        decode(path, LIMIT)


def test_a_link_is_followed_only_when_asked(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to("real.png")
    assert decode(tmp_path / "link.png", LIMIT).image.size == (120, 140)
    with pytest.raises(PictureError, match="cannot be opened"):
        decode(tmp_path / "link.png", LIMIT, follow_symlinks=False)


def test_the_content_decides_not_the_name(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert decode(tmp_path / "a.jpg", LIMIT).image.mode == "RGB"
    (tmp_path / "a.jpg").rename(tmp_path / "nosuffix")
    assert looks_like_picture(tmp_path / "nosuffix")
    (tmp_path / "notes").write_text("notes")
    assert not looks_like_picture(tmp_path / "notes")


@pytest.mark.parametrize(
    ("mode", "suffix", "becomes"),
    [
        ("L", "png", "L"),
        ("LA", "png", "LA"),
        ("P", "gif", "RGB"),
        ("1", "png", "L"),
        ("CMYK", "jpg", "RGB"),
        ("RGBA", "png", "RGBA"),
    ],
)
def test_modes_become_grey_or_rgb(
    tmp_path: Path, draw: Callable[..., Path], mode: str, suffix: str, becomes: str
) -> None:
    assert decode(draw(tmp_path / f"a.{suffix}", mode=mode), LIMIT).image.mode == becomes


def test_a_transparent_palette_keeps_its_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 1), 1)
    image.save(tmp_path / "p.png", transparency=0)
    decoded = decode(tmp_path / "p.png", LIMIT).image
    assert decoded.getpixel((0, 0))[3] == 0
    assert decoded.getpixel((1, 1)) == (0, 255, 0, 255)


def test_of_several_frames_the_first_is_taken_with_a_note(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    picture = decode(tmp_path / "two.gif", LIMIT)
    assert picture.image.getpixel((0, 0)) == (255, 0, 0)
    assert picture.notes == ("only the first of 2 frames or pages was taken",)


def test_large_files_and_many_frames_are_refused_before_decoding(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (5, 5), (shade, 0, 0)) for shade in range(9)]
    path = tmp_path / "nine.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert decode(path, PictureLimits(max_frames=9, max_bytes=path.stat().st_size)).image.size == (5, 5)
    with pytest.raises(PictureError, match=r"more than max_frames \(8\) frames or pages; raise it"):
        decode(path, PictureLimits(max_frames=8))
    with pytest.raises(PictureError, match=r"bytes are more than max_bytes \(100\); raise it"):
        decode(path, PictureLimits(max_bytes=100))


def test_what_may_still_be_written_is_told_from_what_is_no_picture(tmp_path: Path, draw: Callable[..., Path]) -> None:
    whole = draw(tmp_path / "a.jpg").read_bytes()
    for name, content, again in (
        ("empty", b"", True),
        ("half", whole[: len(whole) // 2], True),
        ("preallocated", bytes(len(whole)), True),
        ("text", b"no picture", False),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PictureError) as told:
            decode(tmp_path / name, LIMIT)
        assert isinstance(told.value, UnfinishedError) is again, name


def test_orientation_is_applied_and_profile_and_dpi_are_kept(tmp_path: Path, draw: Callable[..., Path]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a disc"
    path = draw(tmp_path / "turned.jpg", exif=exif, icc_profile=SRGB, dpi=(300, 300))
    picture = decode(path, LIMIT)
    assert picture.image.size == (140, 120)
    rgba = np.asarray(picture.image.convert("RGBA"))
    with Image.open(io.BytesIO(encode(rgba, picture.kept))) as again:
        assert again.info["icc_profile"] == SRGB
        assert again.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert again.getexif()[0x010E] == "a disc"
        assert 0x0112 not in again.getexif()


def test_broken_exif_does_not_cost_the_picture(tmp_path: Path, draw: Callable[..., Path]) -> None:
    path = draw(tmp_path / "exif.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x01\x02")
    assert decode(path, LIMIT).image.size == (120, 140)


def test_exif_that_is_none_does_not_cost_the_picture(tmp_path: Path, draw: Callable[..., Path]) -> None:
    picture = decode(draw(tmp_path / "exif.png", exif=b"Exif\0\0" + b"\xff" * 100), LIMIT)
    assert picture.image.size == (120, 140)
    assert "exif" not in picture.kept


def test_pillows_own_limit_is_put_back(tmp_path: Path, draw: Callable[..., Path]) -> None:
    before = Image.MAX_IMAGE_PIXELS
    decode(draw(tmp_path / "a.png"), LIMIT)
    assert before == Image.MAX_IMAGE_PIXELS


def test_the_identity_is_of_what_was_read(tmp_path: Path, draw: Callable[..., Path]) -> None:
    path = draw(tmp_path / "a.png")
    assert decode(path, LIMIT).identity == Identity.of(path.stat())


def test_only_regular_files_have_an_identity(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    assert identity_of(tmp_path / "file") is not None
    assert [identity_of(tmp_path / name) for name in ("link", "fifo", "none", "file/below")] == [None] * 4
    assert identity_of(tmp_path) is None


@pytest.mark.parametrize(("mode", "key", "becomes"), [("L", 50, "LA"), ("RGB", (50, 50, 50), "RGBA")])
def test_a_key_colour_is_transparency(tmp_path: Path, mode: str, key: object, becomes: str) -> None:
    image = Image.new("L", (4, 4), 50)
    image.putpixel((1, 1), 90)
    image.convert(mode).save(tmp_path / "key.png", transparency=key)
    decoded = decode(tmp_path / "key.png", LIMIT).image
    assert decoded.mode == becomes
    assert decoded.getchannel("A").tobytes() == bytes([0, 0, 0, 0, 0, 255] + [0] * 10)


@pytest.mark.parametrize(("dtype", "said"), [(np.float32, "floating point"), (np.int32, "32-bit integers")])
def test_values_without_a_range_are_refused(tmp_path: Path, dtype: type, said: str) -> None:
    Image.fromarray(np.ones((3, 3), dtype)).save(tmp_path / "a.tif")
    with pytest.raises(PictureError, match=rf"a\.tif: its values \({said}\) have no fixed range; convert it"):
        decode(tmp_path / "a.tif", LIMIT)


def test_without_the_extra_a_heic_is_told_what_it_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(PictureError, match=r"a\.heic: a HEIC picture; install 'bgwatch\[heif\]' to read these") as told:
        decode(tmp_path / "a.heic", LIMIT)
    assert not isinstance(told.value, UnfinishedError)
