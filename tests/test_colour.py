"""Colours from one profile to another, by littlecms and by ours."""

import numpy as np
import pytest
from PIL import Image, ImageCms
from profiles import PRIMARIES, SRGB_CURVE, gamma, grey_profile, parametric, rgb_profile, table

from bgwatch.icc import ProfileError, convert, space_of
from bgwatch.writing.colour import between, colour_in, eight_bits, is_srgb, to_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CURVES = {
    "gamma": gamma(2.2),
    "straight": table([]),
    "table": table([(place / 40) ** 2 for place in range(41)]),
    "power": parametric(0, 1.8),
    "cut off": parametric(1, 2.0, 1.1, -0.1),
    "lifted": parametric(2, 2.0, 1.02468, -0.05, 0.05),
    "sRGB's": parametric(3, *SRGB_CURVE),
    "of seven": parametric(4, *SRGB_CURVE, 0.0, 0.0),
}


def noise(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 65536, (70, 50, channels), np.uint16)


@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve != "lifted"])  # it clips in another order
@pytest.mark.parametrize("name", PRIMARIES)
def test_sixteen_bits_become_what_littlecms_makes_of_eight(name: str, curve: str) -> None:
    profile = rgb_profile(name, CURVES[curve])
    pixels = (noise() // 257) * 257
    theirs = np.asarray(convert(Image.fromarray(eight_bits(pixels)), profile, None, "RGB"))
    ours = to_srgb(pixels, profile)
    assert ours.dtype == np.uint16
    assert np.abs(ours / 257 - theirs).max() <= 1


@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve != "straight"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_becomes_what_littlecms_makes_of_it(curve: str, dtype: type) -> None:
    profile = grey_profile(CURVES[curve])
    pixels = np.repeat(eight_bits(noise(1)), 4, axis=2).astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    theirs = np.asarray(convert(Image.fromarray(eight_bits(pixels)[..., 0]), profile, None, "RGB"))
    ours = to_srgb(pixels, profile)
    apart = np.abs(ours[..., :3] / (np.iinfo(dtype).max / 255) - theirs)
    assert apart[theirs >= 32].max() <= 1.5, "darker ones it interpolates on few points of the curve"
    assert np.array_equal(ours[..., 3], pixels[..., 3]), "alpha stays"


@pytest.mark.parametrize(("curve", "power"), [("gamma", 563 / 256), ("straight", 1.0), ("power", 1.8)])
def test_dark_grey_is_exact(curve: str, power: float) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 4, axis=2)
    light = (np.arange(256) / 255) ** power
    expected = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(to_srgb(ramp, grey_profile(CURVES[curve]))[0, :, 0] - expected).max() <= 0.51


def test_sixteen_bits_stay_fine() -> None:
    """A ramp in one profile has as many steps in the other."""
    ramp = np.repeat(np.arange(20_000, 40_000, dtype=np.uint16)[None, :, None], 3, axis=2)
    steps = np.diff(to_srgb(ramp, rgb_profile("Adobe RGB", gamma(2.2)))[0, :, 1].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 2


def test_from_a_profile_to_itself_no_value_changes() -> None:
    """Whatever the profile tells colours by."""
    for pixels in (noise(), eight_bits(noise())):
        assert np.array_equal(between(pixels, b"not even read", b"not even read"), pixels)


def test_srgb_is_known_whatever_made_it() -> None:
    assert is_srgb(SRGB)
    assert not is_srgb(rgb_profile("Display P3", parametric(3, *SRGB_CURVE)))
    assert [space_of(profile) for profile in (SRGB, grey_profile(gamma(2)), b"broken")] == ["RGB", "GRAY", ""]


def test_a_colour_of_srgb_is_another_in_a_wide_profile() -> None:
    profile = rgb_profile("Display P3", parametric(3, *SRGB_CURVE))
    assert colour_in(None, (255, 0, 0)) == (65535, 0, 0)
    shown = np.array(colour_in(profile, (255, 0, 0))) / 257
    assert shown == pytest.approx((234, 51, 35), abs=1), "as Apple's documents say"
    assert colour_in(grey_profile(gamma(1.0)), (188, 188, 188)) == pytest.approx((0.50289 * 65535,), abs=1)


@pytest.mark.parametrize(
    "profile",
    [b"", b"no profile", SRGB[:200], grey_profile(b"curv"), grey_profile(b"none"), rgb_profile("Adobe RGB", b"para")],
)
def test_a_broken_profile_is_one_kind_of_error(profile: bytes) -> None:
    for pixels in (noise(), eight_bits(noise())):
        with pytest.raises(ProfileError):
            to_srgb(pixels, profile)
