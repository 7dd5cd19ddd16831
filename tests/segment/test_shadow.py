"""Shadows whose darkness is known: gone with the backdrop, or kept as half-transparent black."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from bgwatch import remove_background
from bgwatch.segment.averaged import averaged, touched
from bgwatch.segment.light import remaining_light
from bgwatch.segment.shadow import cast_shadow
from bgwatch.segment.veil import lay_shadow
from bgwatch.segment.ycc import ycc

Plane = NDArray[np.float64]
WHITE, GREY, CREAM, BLUE = (250, 250, 249), (178, 180, 182), (232, 220, 196), (60, 96, 190)


def cast(alpha: Plane, soft: float, dark: float) -> Plane:
    """Cast a mask's shadow to the lower right; give what is left of the light."""
    return 1 - dark * ndimage.gaussian_filter(ndimage.shift(alpha, (10, 22), order=1), soft).clip(0, 1)


def contact(alpha: Plane, soft: float, dark: float) -> Plane:
    """Lay a flat shadow under the subject's foot."""
    y, x = np.indices(alpha.shape)
    foot = int(np.nonzero(alpha.max(axis=1) > 0.5)[0].max())
    columns = np.nonzero(alpha[foot - 8] > 0.5)[0]
    flat = ((x - columns.mean()) / (0.7 * np.ptp(columns))) ** 2 + ((y - foot) / (0.16 * np.ptp(columns))) ** 2 < 1
    return 1 - dark * ndimage.gaussian_filter(flat.astype(float), soft)


def photographed(scene, behind, light: Plane) -> NDArray[np.uint8]:
    """Put a scene's subject before a graded backdrop in that light."""
    height, width = light.shape
    alpha = scene.truth[..., 3:] / 255
    wall = np.array(behind, float) - np.linspace(0, 18, height)[:, None, None] * np.ones((1, width, 1))
    rgb = alpha * scene.truth[..., :3] + (1 - alpha) * wall * light[..., None]
    return np.round((rgb + np.random.default_rng(0).normal(0, 1.2, rgb.shape)).clip(0, 255)).astype(np.uint8)


CASES = [
    pytest.param(GREY, cast, 7, 0.3, id="grey"),
    pytest.param(WHITE, cast, 14, 0.35, id="white"),
    pytest.param(CREAM, cast, 10, 0.5, id="cream, dark"),
    pytest.param(BLUE, cast, 12, 0.4, id="blue"),
    pytest.param(GREY, contact, 7, 0.5, id="contact"),
]


@pytest.mark.parametrize(("behind", "throw", "soft", "dark"), CASES)
def test_a_shadow_goes_with_the_backdrop(mug, behind, throw: Callable, soft: float, dark: float) -> None:
    """No halo is left of it, and it is no reason to be unsure."""
    truth = mug.truth[..., 3] / 255
    light = throw(truth, soft, dark)
    cutout = remove_background(photographed(mug, behind, light))
    assert np.abs(cutout.alpha - truth).mean() < 0.005
    assert cutout.alpha[(truth == 0) & (light < 0.97)].mean() < 0.01
    assert cutout.confidence > 0.8


@pytest.mark.parametrize(("behind", "throw", "soft", "dark"), CASES)
def test_a_shadow_is_kept_as_black(mug, behind, throw: Callable, soft: float, dark: float) -> None:
    """As opaque as it is dark, and composed with the subject's edges."""
    truth = mug.truth[..., 3] / 255
    light = throw(truth, soft, dark)
    rgb = photographed(mug, behind, light)
    kept = remove_background(rgb, shadow="keep")
    wanted = truth + (1 - truth) * (1 - light)
    shaded = (truth == 0) & (light < 0.98)
    assert np.abs(kept.alpha - wanted).mean() < 0.008
    assert np.abs(kept.alpha - wanted)[shaded].mean() < 0.02
    assert np.percentile(kept.rgba[..., :3][shaded & (ndimage.distance_transform_edt(truth == 0) > 4)], 99) == 0
    gone = remove_background(rgb)
    assert kept.confidence == gone.confidence
    assert np.array_equal(kept.rgba[gone.alpha == 1], gone.rgba[gone.alpha == 1])


def test_a_kept_shadow_darkens_another_ground_as_it_did_the_first(mug) -> None:
    """Laid on yellow, subject, edge and shadow are what a photograph before yellow shows."""
    truth = mug.truth[..., 3:] / 255
    light = cast(truth[..., 0], 9, 0.4)
    rgba = remove_background(photographed(mug, GREY, light), shadow="keep").rgba
    laid = rgba[..., 3:] / 255 * rgba[..., :3] + (1 - rgba[..., 3:] / 255) * np.array((250, 220, 40))
    wanted = truth * mug.truth[..., :3] + (1 - truth) * light[..., None] * np.array((250, 220, 40))
    assert np.abs(laid - wanted).mean() < 1.5
    edge = (truth[..., 0] > 0.05) & (truth[..., 0] < 0.95)
    assert np.abs(laid - wanted)[edge].mean() < 12


def test_without_a_shadow_nothing_is_kept(portrait, disc: Callable) -> None:
    """Dark hair before a wall is no shadow, nor is a vignette."""
    for rgb in (portrait.rgb, disc()[0]):
        assert np.array_equal(remove_background(rgb, shadow="keep").rgba, remove_background(rgb).rgba)


@pytest.mark.parametrize("tone", [30, 90, 140])
@pytest.mark.parametrize("blur", [0.5, 5, 8])
def test_a_grey_thing_before_a_grey_wall_is_no_shadow(tone: int, blur: float) -> None:
    """Sharp or out of focus: nothing beside it casts it."""
    y, x = np.mgrid[0:400, 0:400] - 199.5
    alpha = ndimage.gaussian_filter((np.hypot(x, y) < 80).astype(float), blur)
    rgb = (
        tone + (1 - alpha[..., None]) * (np.array(GREY) - tone) + np.random.default_rng(0).normal(0, 1.5, (400, 400, 3))
    )
    assert remove_background(rgb.clip(0, 255).astype(np.uint8)).alpha[150:250, 150:250].min() > 0.9


def test_a_grey_card_with_one_soft_side_is_no_shadow(disc: Callable) -> None:
    """One may walk in where it fades, but the other sides are cut off sharply."""
    rgb, _ = disc(size=400, radius=60)
    y, x = np.mgrid[0:400, 0:400]
    card = ((y > 40) & (y < 130)) * ((x > 60) & (x < 232)) * np.interp(x, (200, 232), (1, 0))
    rgb = np.round(rgb * (1 - 0.3 * card[..., None])).astype(np.uint8)
    assert remove_background(rgb).alpha[50:120, 70:190].min() == 1


def test_sixteen_bits_and_given_transparency(mug) -> None:
    """A shadow is no more opaque than the picture was, and a transparent picture stays transparent."""
    truth = mug.truth[..., 3] / 255
    light = cast(truth, 9, 0.4)
    rgb = photographed(mug, GREY, light).astype(np.uint16) * 257
    given = np.full(truth.shape, 65535, np.uint16)
    given[-40:], given[:, -12:] = 32768, 0
    kept = remove_background(np.dstack([rgb, given]), shadow="keep")
    assert kept.rgba.dtype == np.uint16
    wanted = (truth + (1 - truth) * (1 - light)) * (given / 65535)
    assert np.abs(kept.alpha - wanted).mean() < 0.01
    assert not kept.rgba[:, -12:].any()


def test_larger_pictures_keep_the_same_shadow() -> None:
    """It is measured on a reduced copy, and laid without steps."""
    y, x = np.mgrid[0:1050, 0:1100]
    alpha = np.clip(210.5 - np.hypot(y - 490, x - 490), 0, 1)
    light = 1 - 0.4 * ndimage.gaussian_filter(ndimage.shift(alpha, (28, 63), order=0), 21)
    rgb = alpha[..., None] * (40, 90, 60) + (1 - alpha[..., None]) * light[..., None] * np.array(GREY)
    rgb = (rgb + np.random.default_rng(0).normal(0, 2, rgb.shape)).clip(0, 255).astype(np.uint8)
    kept = remove_background(rgb, shadow="keep").alpha
    assert np.abs(kept - (alpha + (1 - alpha) * (1 - light))).mean() < 0.005
    far = (alpha == 0) & (np.hypot(y - 490, x - 490) > 231)
    assert np.abs(np.diff(kept, axis=1))[far[:, 1:]].max() < 0.03


def test_shadow_is_found_where_it_is() -> None:
    """Beside a block, without the block; and not at all where the block has gone."""
    y, x = np.mgrid[0:240, 0:320]
    block = (y > 80) & (y < 180) & (x > 80) & (x < 150)
    shade = ndimage.gaussian_filter(((y > 90) & (y < 190) & (x > 100) & (x < 190)).astype(float), 8)
    surface = ycc(np.full((240, 320, 3), 200.0))
    shaded = surface * (1 - 0.4 * shade).astype(np.float32)
    colours = np.where(block, ycc(np.full((1, 1, 3), (150, 20, 20))), shaded).astype(np.float32)
    sure = np.zeros((240, 320), bool)
    sure[:20], sure[:, :20] = True, True
    found = cast_shadow(colours, surface, sure)
    assert found[(shade > 0.2) & ~ndimage.binary_dilation(block, iterations=4)].all()
    assert not found[ndimage.binary_erosion(block, iterations=2)].any()
    assert not cast_shadow(shaded, surface, sure).any()


def test_light_is_measured_in_the_shadow_and_carried_on() -> None:
    """Under the subject it is that of the nearest backdrop; elsewhere the light is full."""
    surface = ycc(np.full((60, 90, 3), (200, 180, 160.0)))
    shadow, sure = np.zeros((60, 90), bool), np.zeros((60, 90), bool)
    shadow[:, 30:60], sure[:, :30] = True, True
    light, darkened = remaining_light((surface * np.where(shadow, 0.6, 1)).astype(np.float32), surface, sure, shadow)
    assert np.allclose(light[:, 45:], 0.6, atol=0.01)
    assert np.allclose(light[:, :25], 1)
    assert np.allclose(darkened[:, :, 45:], 0.6 * surface[:, :, 45:], atol=1)
    light, same = remaining_light(surface, surface, sure, np.zeros_like(shadow))
    assert (light == 1).all()
    assert np.array_equal(same, surface)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_shadow_lies_under_the_subject(dtype: type) -> None:
    """Over nothing it is black, under half a subject it makes up the rest, and under a whole one it is not seen."""
    top = np.iinfo(dtype).max
    rgba = np.zeros((4, 6, 4), dtype)
    rgba[:, 2:4] = np.array([0.4, 0.4, 0.4, 0.5]) * top
    rgba[:, 4:] = np.array([0.4, 0.4, 0.4, 1]) * top
    given = np.full((2, 3), 255, np.uint8)
    lay_shadow(rgba, 2, np.full((2, 3), 0.6, np.float32), given)
    assert np.allclose(
        rgba[0] / top, np.repeat([[0, 0, 0, 0.4], [2 / 7] * 3 + [0.7], [0.4] * 3 + [1]], 2, 0), atol=0.01
    )


def test_cells_are_averaged_and_touched() -> None:
    """Those at the edge may be cut."""
    plane = np.arange(15, dtype=np.float32).reshape(3, 5)
    assert averaged(plane, 2).tolist() == [[3, 5, 6.5], [10.5, 12.5, 14]]
    assert touched(plane == 14, 2).tolist() == [[False] * 3, [False, False, True]]
