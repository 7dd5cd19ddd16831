"""Each step that finds the backdrop, by itself, on arrays that can be checked by eye."""

import numpy as np
import pytest

from bgwatch.segment.border import border_sides
from bgwatch.segment.cluster import colour_clusters
from bgwatch.segment.connected import connected_backdrop
from bgwatch.segment.evidence import evidence
from bgwatch.segment.leftover import plain_leftover
from bgwatch.segment.noise import noise_level
from bgwatch.segment.palette import BackdropColour, backdrop_palette
from bgwatch.segment.parted import parted_surface
from bgwatch.segment.reduce import look_at
from bgwatch.segment.seam import straight_seam
from bgwatch.segment.surface import bent_surface, sure_backdrop
from bgwatch.segment.vote import border_vote
from bgwatch.segment.ycc import ycc


def test_a_look_is_the_mean_of_whole_cells() -> None:
    """A picture of 1500 pixels is looked at by cells of two."""
    rgba = np.zeros((1501, 700, 4), np.uint8)
    rgba[::2, :, 0] = 200
    look = look_at(rgba)
    assert (look.cell, look.ratio, look.scale) == (2, 4, 8)
    assert look.work.shape == (751, 350, 4)
    assert (look.work[:-1, :, 0] == 100).all()


def test_clusters_part_colours_and_repeat_themselves() -> None:
    """Three colours make three clusters, whatever more were asked for."""
    rgb = np.array([(20, 20, 20), (200, 30, 30), (30, 200, 220)])[np.arange(900).reshape(30, 30) % 3]
    labels = colour_clusters(ycc(rgb), 8, seed=4)
    assert len(np.unique(labels)) == 3
    assert all(len(np.unique(labels[np.arange(900).reshape(30, 30) % 3 == colour])) == 1 for colour in range(3))
    assert np.array_equal(labels, colour_clusters(ycc(rgb), 8, seed=4))


def test_shoulders_and_transparent_pixels_have_no_vote() -> None:
    """The lowest 15 % of the sides is left out, and so is the bottom."""
    visible = np.ones((100, 80), bool)
    visible[:, :10] = False
    sides = border_sides(visible)
    assert sides.shape == (3, 100, 80)
    assert not sides[:, :, :10].any()
    assert not sides[:, 85:].any()
    assert sides[2, 84, -1]
    assert sides[0, 0, 40]


def test_flat_wall_outvotes_busy_hair() -> None:
    """Though the hair covers two thirds of the border."""
    rng = np.random.default_rng(2)
    rgb = np.full((90, 120, 3), 180.0)
    rgb[:, 20:100] = rng.choice([20, 60, 110], (90, 80, 1))
    rgb[30:, :20] = rng.choice([20, 60, 110], (60, 20, 1))
    colours = ycc(rgb)
    seeds = border_vote(colours, colour_clusters(colours, 8, seed=0), border_sides(np.ones((90, 120), bool)))
    assert seeds.any()
    assert (rgb[seeds] == 180).all()


def test_the_surface_follows_light_behind_the_subject() -> None:
    """A bent gradient is continued where the subject hides it."""
    y, x = np.mgrid[0:120, 0:100] / 100
    wall = 120 + 50 * y - 30 * (x - 0.4) ** 2
    rgb = wall[..., None] + np.array([0, 4, -3]) + np.random.default_rng(0).normal(0, 0.5, (120, 100, 3))
    hidden = np.s_[40:120, 30:70]
    rgb[hidden] = (30, 40, 90)
    colours = ycc(rgb)
    strip = border_sides(np.ones((120, 100), bool)).any(axis=0)
    course, sure = sure_backdrop(colours, strip, strip, np.zeros_like(strip))
    surface = bent_surface(colours, course, sure)
    assert np.abs(surface[0] - wall - 2).mean() < 1
    assert not sure[hidden].any()
    assert sure[:30].mean() > 0.95


def test_no_surface_is_brighter_than_white() -> None:
    """The centre of an overexposed wall is as white as its surroundings, however its corners fall off."""
    course = np.stack([np.full((20, 20), 258.0), *np.zeros((2, 20, 20))]).astype(np.float32)
    colours = course.clip(0, 254)
    surface = bent_surface(colours, course, np.arange(400).reshape(20, 20) < 60)
    assert surface[0].max() <= 255


def test_evidence_is_near_one_on_noise_and_large_on_a_faint_patch() -> None:
    """A patch of twice the noise is seen at the coarse scale."""
    residual = np.random.default_rng(0).normal(0, 3, (3, 80, 80)).astype(np.float32)
    residual[:, 30:50, 30:50] += 6
    sure = np.ones((80, 80), bool)
    sure[25:55, 25:55] = False
    distances = evidence(residual, sure)
    assert 0.4 < np.median(distances[:, sure]) < 1.3
    assert np.median(distances[2, 35:45, 35:45]) > 4


def test_backdrop_hangs_together_with_the_border() -> None:
    """What looks the same but is enclosed is left to the next step."""
    distances = np.zeros((3, 40, 40), np.float32)
    distances[:, 10:30, 10:30] = 20
    distances[:, 16:24, 16:24] = 0
    nothing = np.zeros((40, 40), bool)
    found = connected_backdrop(distances, nothing, nothing)
    assert found[0, 0]
    assert not found[10:30, 10:30].any()


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0])
def test_noise_is_measured_on_any_slope(sigma: float) -> None:
    """Light does not count as noise."""
    slope = np.linspace(40, 200, 90)[None, :, None] + np.zeros((80, 1, 4))
    rgb = np.round(slope + np.random.default_rng(0).normal(0, sigma, slope.shape)).astype(np.uint8)
    assert noise_level(rgb, 2, np.ones((40, 45), bool)) == pytest.approx(sigma, rel=0.1, abs=0.5)
    assert noise_level(rgb[:, :2], 2, np.ones((40, 1), bool)) == 0


def test_backdrop_colours_come_by_share() -> None:
    """The most common first; what was kept is a cluster, but not among them."""
    rgba = np.full((4, 6, 4), 255, np.uint8)
    rgba[..., :3] = (10, 20, 30)
    rgba[0, :, :3], rgba[1, :3, :3] = (200, 0, 0), (0, 200, 0)
    labels = (rgba[..., 0] // 200 + rgba[..., 1] // 100).astype(np.intp)
    labels[1, :3] = 2
    alpha = np.zeros((4, 6), np.float32)
    alpha[1, :3] = 1
    backdrop, clusters = backdrop_palette(rgba, labels, alpha)
    assert backdrop == (BackdropColour("#0a141e", 0.7143), BackdropColour("#c80000", 0.2857))
    assert clusters == 3


def test_a_cluster_that_was_mostly_kept_has_no_share() -> None:
    """The shares of the others add up to 1 all the same."""
    rgba = np.full((4, 6, 4), 255, np.uint8)
    labels = np.repeat(np.arange(4)[:, None], 6, axis=1)
    alpha = np.zeros((4, 6), np.float32)
    alpha[3, 1:], alpha[2, 1] = 1, 1
    backdrop, clusters = backdrop_palette(rgba, labels, alpha)
    assert [part.share for part in backdrop] == [0.3529, 0.3529, 0.2941]
    assert clusters == 4


def test_transparent_pixels_and_what_was_left_have_no_palette() -> None:
    """Neither a colour nor, where nothing is visible, a cluster."""
    rgba = np.full((4, 6, 4), 255, np.uint8)
    labels = np.zeros((4, 6), np.intp)
    assert backdrop_palette(rgba, labels, np.ones((4, 6), np.float32)) == ((), 1)
    rgba[..., 3] = 0
    assert backdrop_palette(rgba, labels, np.zeros((4, 6), np.float32)) == ((), 0)


def test_leftover_is_what_is_plain_and_not_found() -> None:
    """The right half of the border is left over where it is plain; a few pixels are none."""
    colours = np.zeros((3, 60, 60), np.float32)
    colours[0, :, 30:] = 80
    colours[0, :, 50:] = 80 + 9 * np.arange(10)
    sides = border_sides(np.ones((60, 60), bool))
    sure = np.zeros((60, 60), bool)
    sure[:, :30] = True
    left = plain_leftover(colours, sides, sure)
    assert left[0, 36:46].all()
    assert not left[:, :30].any()
    assert not left[:, 52:].any()
    sure[:, :58] = True
    assert not plain_leftover(colours, sides, sure).any()


def test_a_straight_seam_is_found_behind_a_subject() -> None:
    """A level line, hidden in its middle; the distance is signed and in pixels."""
    first, second = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
    first[:79], second[82:] = True, True
    first[30:, 50:110] = second[30:, 50:110] = False
    residual = np.where(first, 0, np.full((3, 1, 1), 40, np.float32)).astype(np.float32)
    beyond = straight_seam(first, second, residual)
    assert beyond is not None
    assert np.allclose(beyond[:, 0], np.arange(120) - 80, atol=0.6)
    flipped = straight_seam(second, first, np.where(second, 0, 40 * np.ones_like(residual)))
    assert flipped is not None
    assert np.allclose(flipped, -beyond, atol=0.1)


@pytest.mark.parametrize("case", ["shoulder", "shoulders", "book", "apart", "corner"])
def test_a_subject_at_the_border_is_no_second_part(case: str) -> None:
    """A round shoulder; a pair, level at the border; a book with wall on two sides; no meeting; a small corner."""
    y, x = np.mgrid[0:120, 0:160]
    body = {
        "shoulder": np.hypot(y - 140, x - 170) < 90,
        "shoulders": y > 80 - 30 * np.cos((x - 80) / 51),
        "book": (x > 100) & (y > 40) & (y < 90),
        "apart": y > 100,
        "corner": x + y > 250,
    }[case]
    wall = ~body if case != "apart" else y < 60
    if case == "shoulders":
        wall &= np.abs(x - 80) > 25  # a head
    residual = np.where(wall, 0, 40 * np.ones((3, 1, 1), np.float32))
    assert straight_seam(wall, body, residual) is None


def test_a_parted_surface_has_each_colour_on_its_side() -> None:
    """And along the seam the nearest mix, never beyond either."""
    first, second = np.full((3, 1, 9), 10, np.float32), np.full((3, 1, 9), 30, np.float32)
    beyond = np.arange(-4, 5, dtype=np.float32)[None]
    colours = np.full((3, 1, 9), 25, np.float32)
    colours[:, 0, 5] = 99
    joined = parted_surface(colours, first, second, beyond)[:, 0]
    assert np.allclose(joined, [10, 10, 10, 25, 25, 30, 30, 30, 30])
