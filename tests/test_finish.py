"""What a cut-out becomes before it is encoded."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms
from profiles import SRGB_CURVE, gamma, grey_profile, parametric, rgb_by_tables, rgb_profile

from bgwatch.icc import convert
from bgwatch.settings import RESULT_SUFFIXES, Output, PictureLimits
from bgwatch.writing.colour import eight_bits
from bgwatch.writing.encode import encode
from bgwatch.writing.finish import Finished, finish

LIMITS = PictureLimits()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = rgb_profile("Display P3", parametric(3, *SRGB_CURVE))
ADOBE = rgb_profile("Adobe RGB", gamma(2.2))
GREY = grey_profile(gamma(1.8))


def cutout(dtype: type = np.uint8, grey: bool = False) -> np.ndarray:
    """A square of noise, opaque to the left and half transparent to the right, in the middle of nothing."""
    full = np.iinfo(dtype).max
    rgba = np.zeros((30, 40, 4), dtype)
    rgba[10:20, 10:30] = np.random.default_rng(5).integers(0, full, (10, 20, 4), dtype, endpoint=True)
    rgba[10:20, 10:20, 3] = full
    if grey:
        rgba[..., 1] = rgba[..., 2] = rgba[..., 0]
    return rgba


def made(rgba: np.ndarray, kept: dict[str, Any] | None = None, grey: bool = False, **asked: Any) -> Finished:
    return finish(rgba, kept or {}, grey, Output(**asked), LIMITS)


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_where_nothing_is_asked_for_nothing_is_copied(kind: str, dtype: type) -> None:
    rgba = cutout(dtype)
    kept = {"icc_profile": P3, "dpi": (300.0, 300.0)}
    for grey, mask in ((False, False), (True, False), (False, True)):
        result = made(rgba, kept, grey, mask=mask, format=kind)
        assert np.shares_memory(result.pixels, rgba)
        assert not result.notes
        assert result.kept == ({"dpi": (300.0, 300.0)} if mask else kept)
        expected = rgba[..., 3] if mask else rgba[..., ::3] if grey else rgba
        assert np.array_equal(result.pixels, expected)


@pytest.mark.parametrize("kind", ["webp", "avif"])
def test_sixteen_bits_are_rounded_where_the_format_has_eight(kind: str) -> None:
    rgba = cutout(np.uint16)
    result = made(rgba, format=kind)
    assert np.abs(result.pixels.astype(float) - rgba / 257).max() <= 0.5
    assert result.notes == (f"16 bits a channel were rounded to 8, which is all that {kind} holds",)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_colour_is_laid_behind(dtype: type) -> None:
    rgba, full = cutout(dtype), np.iinfo(dtype).max
    result = made(rgba, fill="#ff8000", format="tiff")
    assert result.pixels.shape == (30, 40, 3)
    assert result.pixels.dtype == dtype
    assert np.array_equal(result.pixels[10:20, 10:20], rgba[10:20, 10:20, :3])
    assert tuple(result.pixels[0, 0]) == (full, 128 * (full // 255), 0)
    assert np.array_equal(result.pixels, made(rgba, fill="#FF8000").pixels)
    assert tuple(made(rgba, fill="#f80").pixels[0, 0]) == (full, 136 * (full // 255), 0)


def test_grey_stays_grey_on_grey_and_gets_colours_on_colours() -> None:
    rgba = cutout(grey=True)
    on_grey = made(rgba, {"icc_profile": GREY}, grey=True, fill="#808080")
    assert on_grey.pixels.shape == (30, 40)
    assert on_grey.kept == {"icc_profile": GREY}
    assert on_grey.pixels[0, 0] == 109, "0x80 of sRGB is 0.216 of the light, and that to the power of 1/1.8 here"
    on_red = made(rgba, {"icc_profile": GREY}, grey=True, fill="#ff0000")
    assert on_red.pixels.shape == (30, 40, 3)
    assert "icc_profile" not in on_red.kept
    assert "its profile is for grey pictures, and what is laid behind has colours" in on_red.notes[0]
    assert tuple(on_red.pixels[0, 0]) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["webp", "avif"])
def test_a_format_without_grey_gets_colours_and_their_profile(kind: str) -> None:
    result = made(cutout(grey=True), {"icc_profile": GREY}, grey=True, format=kind)
    assert result.pixels.shape == (30, 40, 4)
    assert result.kept == {}
    assert f"{kind} has no grey" in result.notes[0]


def test_a_fill_colour_looks_the_same_whatever_the_profile() -> None:
    result = made(cutout(), {"icc_profile": P3}, fill="#ff0000")
    assert result.kept == {"icc_profile": P3}
    seen = convert(Image.fromarray(result.pixels[:1, :1]), P3, None, "RGB").getpixel((0, 0))
    assert np.abs(np.subtract(seen, (255, 0, 0))).max() <= 1
    assert tuple(result.pixels[0, 0]) != (255, 0, 0)
    deep = made(cutout(np.uint16), {"icc_profile": P3}, fill="#ff0000").pixels
    assert np.abs(deep[0, 0] / 257 - result.pixels[0, 0]).max() <= 0.5
    assert (deep[0, 0] % 257).any(), "in 16 bits it is nearer"


@pytest.mark.parametrize("profile", [P3, ADOBE])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_stripped_colours_look_the_same(profile: bytes, dtype: type) -> None:
    """What is opaque differs by one level at most from the original brought to sRGB by littlecms."""
    rgba = cutout().astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    kept = {"icc_profile": profile, "exif": b"Exif\0\0", "xmp": b"x", "dpi": (1.0, 1.0)}
    result = made(rgba, kept, strip=True)
    assert result.kept == {}
    assert result.notes == ("its colours were brought to sRGB, since strip leaves its profile out",)
    assert result.pixels.dtype == dtype
    there = np.asarray(convert(Image.fromarray(eight_bits(rgba)[..., :3]), profile, None, "RGB"))[10:20, 10:20]
    assert np.abs(result.pixels[10:20, 10:20, :3] / (np.iinfo(dtype).max / 255) - there).max() <= 1.01
    assert np.array_equal(result.pixels[..., 3], rgba[..., 3])


def test_a_profile_of_tables_costs_bits_and_says_so() -> None:
    result = made(cutout(np.uint16), {"icc_profile": rgb_by_tables()}, strip=True)
    assert result.pixels.dtype == np.uint8
    assert result.notes == (
        "its colours were brought to sRGB, in 8 bits a channel, since strip leaves its profile out",
    )
    assert np.ptp(result.pixels[..., :3].astype(int), axis=2).max() <= 1, "it shows grey alone"


def test_stripping_changes_no_value_of_srgb() -> None:
    rgba = cutout()
    result = made(rgba, {"icc_profile": SRGB, "dpi": (1.0, 1.0)}, strip=True)
    assert np.shares_memory(result.pixels, rgba)
    assert (result.kept, result.notes) == ({}, ())


@pytest.mark.parametrize("asked", [{"strip": True}, {"fill": "#123456"}])
def test_a_broken_profile_costs_no_picture(asked: dict[str, Any]) -> None:
    result = made(cutout(), {"icc_profile": b"broken"}, **asked)
    assert len(result.notes) == 1
    assert "its colour profile cannot be used" in result.notes[0]
    if "fill" in asked:
        assert tuple(result.pixels[0, 0]) == (0x12, 0x34, 0x56)


def test_all_at_once_is_done_in_order() -> None:
    """Cropped, put on a canvas, then filled; a mask the same way."""
    rgba = cutout()
    rgba[10:20, 20:30, 3] = 0
    for mask in (False, True):
        asked: dict[str, Any] = {"mask": True} if mask else {"fill": "#ffffff"}
        result = made(rgba, crop=True, crop_padding="10%", canvas="20x14", **asked)
        assert result.pixels.shape[:2] == (14, 20)
        expected = rgba[10:20, 10:20, 3] if mask else rgba[10:20, 10:20, :3]
        assert np.array_equal(result.pixels[2:12, 5:15], expected)
        assert result.pixels[0, 0].max() == (0 if mask else 255)


def test_where_nothing_is_left_the_picture_stays_whole() -> None:
    result = made(np.zeros((5, 6, 4), np.uint8), crop=True, canvas="square")
    assert result.pixels.shape == (6, 6, 4)
    assert result.notes == ("nothing of it is more opaque than crop_alpha, so crop and canvas took the whole picture",)


def test_metadata_that_a_format_cannot_hold_is_left_out_and_told() -> None:
    kept = {"exif": bytes(65534), "xmp": bytes(65505), "dpi": (1.0, 1.0)}
    result = made(cutout(), kept, format="jpeg", fill="#fff")
    assert result.kept == {"dpi": (1.0, 1.0)}
    assert [note.split(":")[0] for note in result.notes] == ["its EXIF was left out", "its XMP was left out"]
    assert made(cutout(), kept, format="webp").kept == kept


@st.composite
def asked_for(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of results that go together."""
    kind = draw(st.sampled_from(list(RESULT_SUFFIXES)))
    asked = {
        "format": kind,
        "crop": draw(st.booleans()),
        "crop_padding": draw(st.sampled_from(["0", "3", "20%"])),
        "crop_alpha": draw(st.sampled_from([0.0, 0.05, 1.0])),
        "canvas": draw(st.sampled_from([None, "square", "7x5", "1x1", "40x3"])),
        "enlarge": draw(st.booleans()),
        "strip": draw(st.booleans()),
        "mask": draw(st.booleans()),
    }
    behind = st.sampled_from(["#fff", "#12aB9f"] if kind == "jpeg" else ["transparent", "#fff", "#12aB9f"])
    return asked if asked["mask"] else {**asked, "fill": draw(behind)}


@settings(deadline=None)
@given(
    st.tuples(st.sampled_from([np.uint8, np.uint16]), st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda kind: arrays(kind[0], (*kind[1:], 4))
    ),
    st.booleans(),
    st.sampled_from([None, P3, ADOBE, SRGB, b"broken"]),
    asked_for(),
)
def test_whatever_is_asked_for_can_be_written_and_read(
    rgba: np.ndarray, grey: bool, profile: bytes | None, asked: dict[str, Any]
) -> None:
    """A result is of the size that was asked for, opaque where something lies behind, and its file is whole."""
    if grey:
        rgba[..., 1] = rgba[..., 2] = rgba[..., 0]
        profile = GREY if profile else None
    before = rgba.copy()
    result = made(rgba, {"icc_profile": profile} if profile else {}, grey, **asked)
    assert np.array_equal(rgba, before), "what was handed in is as it was"
    height, width = result.pixels.shape[:2]
    if asked["canvas"] and asked["canvas"] != "square":
        assert f"{width}x{height}" == asked["canvas"]
    elif not asked["crop"]:
        assert (height, width) == ((max(rgba.shape[:2]),) * 2 if asked["canvas"] else rgba.shape[:2])
    assert not (asked["strip"] and result.kept)
    data = encode(result.pixels, result.kept, asked["format"])
    if asked["format"] == "tiff":
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            assert np.array_equal(file.pages[0].asarray(), result.pixels)
        return
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == (width, height)
        clear = not asked["mask"] and asked["fill"] == "transparent"
        assert (image.mode in ("RGBA", "LA")) is clear or asked["format"] == "webp"
