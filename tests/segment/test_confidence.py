"""Confidence is honest: it falls for what is no plain backdrop, whoever made the mask."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_sample_images

from bgwatch import remove_background
from bgwatch.segment.border import border_sides
from bgwatch.segment.confidence import judge
from bgwatch.segment.reduce import look_at
from bgwatch.segment.ycc import ycc
from bgwatch.settings import Segmentation

SURE = Segmentation().min_confidence


def fractal(falling: float, seed: int = 0) -> NDArray[np.uint8]:
    """Random texture whose spectrum falls with a power of the frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.fftfreq(320)[None]) + 1e-3
    planes = [np.fft.ifft2(np.fft.fft2(rng.standard_normal(frequency.shape)) / frequency**falling).real for _ in "rgb"]
    texture = np.dstack(planes)
    return (128 + 40 * texture / texture.std()).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("method", ["auto", "threshold", "kmeans"])
@pytest.mark.parametrize("number", [0, 1])
def test_photographs_of_the_world_are_unsure(number: int, method: str) -> None:
    """A pagoda before trees, and a flower before leaves, as scikit-learn ships them."""
    cutout = remove_background(load_sample_images().images[number], method=method)
    assert cutout.confidence < SURE
    assert cutout.report.reasons


@pytest.mark.parametrize("falling", [0, 0.7, 1, 1.5, 2])
def test_textures_are_unsure(falling: float) -> None:
    """From white noise to clouds."""
    assert remove_background(fractal(falling)).confidence < SURE


def test_stripes_and_tiles_are_unsure() -> None:
    """Half of the border is one colour, half another."""
    y, x = np.mgrid[0:240, 0:320]
    for pattern in ((x // 20 + y // 20) % 2, (x // 9) % 2):
        rgb = np.dstack([60 + 120 * pattern] * 3).astype(np.uint8)
        assert remove_background(rgb).confidence < SURE


@pytest.mark.parametrize("noise", [0, 1.5, 5])
@pytest.mark.parametrize("behind", [(250, 250, 250), (200, 202, 198), (34, 34, 38), (40, 170, 70)])
def test_plain_backdrops_are_sure(disc: Callable, behind: tuple[int, int, int], noise: float) -> None:
    """Whatever their colour and the camera's noise."""
    cutout = remove_background(disc(behind=behind, noise=noise, subject=(150, 60, 50))[0])
    assert cutout.confidence > 0.8
    assert cutout.report.reasons == ()


@pytest.mark.parametrize("rows", [3, 5, 8])
def test_a_table_too_low_to_be_told_is_unsure(disc: Callable, rows: int) -> None:
    """A strip along the foot may be the front of a table; a body would rise from there."""
    rgb = disc(behind=(200, 202, 198), noise=1.5, subject=(150, 60, 50))[0].copy()
    assert remove_background(rgb).confidence > SURE
    rgb[-rows:] = (122, 96, 70)
    cutout = remove_background(rgb)
    assert cutout.confidence < SURE or not cutout.alpha[-rows:].any()


@pytest.mark.parametrize("method", ["auto", "threshold", "kmeans"])
def test_one_colour_says_that_nothing_stands_out(method: str) -> None:
    """All was backdrop."""
    cutout = remove_background(np.full((60, 80, 3), 190, np.uint8), method=method)
    assert cutout.confidence == 0
    assert cutout.report.reasons == ("nothing stands out from the backdrop",)


@pytest.mark.parametrize("method", ["auto", "threshold", "kmeans"])
def test_all_transparent_says_so(method: str) -> None:
    """There was nothing to look at."""
    cutout = remove_background(np.zeros((60, 80, 4), np.uint8), method=method)
    assert cutout.confidence == 0
    assert cutout.report.reasons == ("every pixel was transparent already",)


def verdict(rgb: NDArray[np.uint8], alpha: NDArray[np.float64]):
    """Judge an alpha that some engine found."""
    full = np.full(rgb.shape[:2], 255, np.uint8)
    few = ycc(look_at(np.dstack([rgb, full])).small)
    seen = np.round(alpha * 255).astype(np.uint8)
    found = look_at(np.dstack([seen] * 4)).small[..., 3] / np.float32(255)
    visible = np.ones(found.shape, bool)
    return judge(few, visible, found, border_sides(visible), noise=1, scale=4)


def test_an_engine_that_eats_the_subject_is_caught(portrait) -> None:
    """The border is clean and plain in each of these; the subject is gone in part or in whole."""
    truth = portrait.truth[..., 3] / 255
    assert verdict(portrait.rgb, truth).confidence > 0.8
    height, width = truth.shape
    for eaten in (np.s_[:, : width // 2], np.s_[: height // 2], np.s_[height // 2 :], np.s_[150:330, 230:370]):
        alpha = truth.copy()
        alpha[eaten] = 0
        found = verdict(portrait.rgb, alpha)
        assert found.confidence < SURE
        assert any("was removed with it" in reason for reason in found.reasons)
    assert verdict(portrait.rgb, 0 * truth).confidence == 0


def test_an_engine_that_removes_nothing_is_caught(portrait) -> None:
    """And says that the border is still there."""
    found = verdict(portrait.rgb, np.ones(portrait.truth.shape[:2]))
    assert found.confidence == 0
    assert found.border_share == 0
    assert any("of the border" in reason for reason in found.reasons)


def test_a_gap_that_was_not_opened_is_said(disc: Callable) -> None:
    """Backdrop inside what was left, as flat as the rest of it."""
    rgb, alpha = disc(hole=20, noise=1)
    assert verdict(rgb, alpha).confidence > 0.8
    found = verdict(rgb, ndimage.binary_fill_holes(alpha > 0.5).astype(float))
    assert found.confidence < SURE
    assert any("looks like the backdrop" in reason for reason in found.reasons)


def test_an_outline_without_an_edge_is_said(disc: Callable) -> None:
    """A pale coat that shades into a pale wall was cut somewhere in between."""
    rgb, alpha = disc()
    height, width = alpha.shape
    shade = np.linspace(0, 90, width)
    rgb = rgb.copy()
    rgb[-height // 4 :] = (rgb[0, 0] - shade[:, None]).clip(0, 255)
    coat = alpha.copy()
    coat[-height // 4 :] = shade > 30
    found = verdict(rgb, coat)
    assert found.confidence < SURE
    assert any("no edge" in reason for reason in found.reasons)


def test_a_subject_that_came_out_half_transparent_is_said(portrait) -> None:
    """Its outline may be soft, its inside may not."""
    alpha = portrait.truth[..., 3] / 255
    found = verdict(portrait.rgb, np.where(np.arange(alpha.shape[0])[:, None] > 450, 0.6 * alpha, alpha))
    assert found.confidence < SURE
    assert any("half transparent" in reason for reason in found.reasons)


def before(scene, behind: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lay a scene's subject on another backdrop, with a little noise."""
    alpha = scene.truth[..., 3:] / 255
    rgb = alpha * scene.truth[..., :3] + (1 - alpha) * behind + np.random.default_rng(0).normal(0, 1.5, behind.shape)
    return rgb.clip(0, 255).astype(np.uint8)


def test_a_second_plain_colour_without_a_straight_seam_is_unsure(mug) -> None:
    """A curved hill before the wall is not taken for the subject in silence."""
    behind = np.full(mug.rgb.shape, 200.0)
    x = np.arange(behind.shape[1])
    behind[np.arange(behind.shape[0])[:, None] > 220 + 40 * np.sin(x / 60)] = (150, 120, 90)
    cutout = remove_background(before(mug, behind))
    assert cutout.confidence < SURE
    assert any("second plain colour" in reason for reason in cutout.report.reasons)


def test_a_named_wall_leaves_the_table(mug) -> None:
    """Who names one colour gets that one removed; that a plain part of the border was left is said."""
    behind = np.full(mug.rgb.shape, 200.0)
    behind[230:] = (150, 120, 90)
    cutout = remove_background(before(mug, behind), backdrop="#c8c8c8")
    assert cutout.alpha[300, 20] == 1
    assert cutout.confidence < SURE


def test_the_report_names_colours_noise_and_holes(disc: Callable) -> None:
    """The most common backdrop colour comes first."""
    rgb, _ = disc(hole=20, noise=2)
    report = remove_background(rgb).report
    assert report.method == "auto"
    red, green, blue = bytes.fromhex(report.backdrop[0].colour[1:])
    assert max(abs(red - 200), abs(green - 202), abs(blue - 198)) <= 2
    assert report.border_share == 1
    assert 1.5 < report.noise < 2.5
    assert (report.holes_opened, report.holes_kept) == (1, 0)
    assert remove_background(rgb, holes="fill").report.holes_kept == 1
