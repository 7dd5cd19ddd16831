"""Each step by itself, on arrays that can be checked by eye."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bgwatch.segment.band import matte_band
from bgwatch.segment.blend import blend_alpha
from bgwatch.segment.border import border_sides
from bgwatch.segment.cluster import colour_clusters
from bgwatch.segment.connected import connected_backdrop
from bgwatch.segment.depth import depth_from
from bgwatch.segment.enlarge import enlarged, repeated
from bgwatch.segment.evidence import evidence
from bgwatch.segment.familiar import colour_bins, familiar_colours
from bgwatch.segment.foreground import nearby_foreground
from bgwatch.segment.inner import inner_subject
from bgwatch.segment.leftover import plain_leftover
from bgwatch.segment.noise import noise_level
from bgwatch.segment.palette import BackdropColour, backdrop_palette
from bgwatch.segment.parted import parted_surface
from bgwatch.segment.pixels import clear
from bgwatch.segment.planes import length
from bgwatch.segment.reduce import look_at
from bgwatch.segment.regions import in_proportion, reachable
from bgwatch.segment.seam import straight_seam
from bgwatch.segment.smoothing import smooth_known
from bgwatch.segment.surface import bent_surface, sure_backdrop
from bgwatch.segment.vote import border_vote
from bgwatch.segment.ycc import rgb_levels, ycc


def mask(*rows: str) -> NDArray[np.bool_]:
    """Write a mask as rows of dots and hashes."""
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_ycc_goes_there_and_back() -> None:
    """And grey has no chroma."""
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3))
    assert np.allclose(rgb_levels(ycc(rgb)), rgb, atol=1e-3)
    assert np.allclose(ycc(np.full((1, 3), 90)), [[90], [0], [0]], atol=1e-4)


def test_reachable_walks_over_edges_not_corners() -> None:
    """The lower right part touches the rest at a corner only."""
    where = mask("##..", ".#..", "..##")
    start = mask("#...", "....", "....")
    assert np.array_equal(reachable(where, start), mask("##..", ".#..", "...."))


def test_reachable_from_nowhere_is_nothing() -> None:
    """Nor from a start outside the mask."""
    where = mask("##", ".#")
    assert not reachable(where, np.zeros((2, 2), bool)).any()
    assert not reachable(where, mask("..", "#.")).any()


def test_smoothing_known_values_never_leaves_their_range() -> None:
    """Unknown values, however wild, have no part in it."""
    rng = np.random.default_rng(0)
    known = rng.random((20, 20)) < 0.4
    planes = np.where(known, rng.uniform(10, 20, (1, 20, 20)), 1e6).astype(np.float32)
    mean, support = smooth_known(planes, known, 2.0)
    near = support > 0.01
    assert mean[0][near].min() > 9.9
    assert mean[0][near].max() < 20.1


def test_a_look_is_the_mean_of_whole_cells() -> None:
    """A picture of 1500 pixels is looked at by cells of two."""
    rgba = np.zeros((1501, 700, 4), np.uint8)
    rgba[::2, :, 0] = 200
    look = look_at(rgba)
    assert (look.cell, look.ratio, look.scale) == (2, 4, 8)
    assert look.work.shape == (751, 350, 4)
    assert (look.work[:-1, :, 0] == 100).all()


def test_enlarging_undoes_reducing_on_a_slope() -> None:
    """But for half a cell at the edge."""
    y = np.linspace(0, 100, 80, dtype=np.float32)[:, None].repeat(60, axis=1)
    small = y.reshape(20, 4, 15, 4).mean(axis=(1, 3), dtype=np.float32)
    assert np.abs(enlarged(small[None], 4, (80, 60))[0] - y)[2:-2].max() < 0.01


def test_repeating_cuts_the_last_cells() -> None:
    """A picture need not be a whole number of cells."""
    assert np.array_equal(repeated(mask("#.", ".#"), 2, (3, 3)), mask("##.", "##.", "..#"))


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


def test_depth_counts_pixels() -> None:
    """And is infinite where there is no backdrop."""
    assert depth_from(mask("#...")).tolist() == [[0, 1, 2, 3]]
    assert np.isinf(depth_from(mask("...."))).all()


@pytest.mark.parametrize(("shape", "length"), [((720, 500), 24), ((300, 480), 24), ((360, 90), 18), ((9, 9), 12)])
def test_lengths_shrink_with_small_pictures(shape: tuple[int, int], length: float) -> None:
    """Down to half."""
    assert in_proportion(24, max(shape)) == length


def test_thin_parts_give_their_strongest_pixels() -> None:
    """A stroke of three pixels has no depth, but a middle."""
    residual = np.zeros((3, 40, 40), np.float32)
    residual[0, 10:30, 19:22] = np.array([40, 100, 40])
    backdrop = residual[0] == 0
    deep, thin = inner_subject(length(residual), backdrop, depth_from(backdrop), max(backdrop.shape))
    assert not deep.any()
    assert np.array_equal(thin, residual[0] == 100)


def test_foreground_is_read_from_the_nearest_core() -> None:
    """Left of the middle one colour, right of it the other."""
    colours = np.zeros((3, 30, 60), np.float32)
    colours[0, :, :30], colours[0, :, 30:] = 50, 200
    core = np.zeros((30, 60), bool)
    core[:, 2:6] = core[:, 54:58] = True
    unknown = np.zeros((30, 60), bool)
    unknown[15, [10, 50]] = True
    near = nearby_foreground(colours, core, np.flatnonzero(unknown))
    assert near.shape == (3, 3, 2)
    assert np.allclose(near[:2, 0], [[50, 200], [50, 200]], atol=0.1)


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.9, 1])
def test_a_mixed_pixel_gives_its_share(share: float) -> None:
    """Exactly, when one candidate is the subject's colour."""
    behind, subject = np.array([180, 0, 0], np.float32), np.array([60, 40, -20], np.float32)
    pixel = (share * subject + (1 - share) * behind)[:, None]
    candidates = np.stack([subject, [100, 90, 90]])[..., None].astype(np.float32)
    alpha, _ = blend_alpha(pixel, behind[:, None], candidates, np.ones(1, np.float32))
    assert alpha[0] == pytest.approx(share, abs=0.01)


def test_smeared_chroma_counts_little_where_luma_is_sharp() -> None:
    """JPEG's chroma has not yet gone back to the wall's where luma is there already."""
    behind, subject = (np.array([c], np.float32).T for c in ((180, 0, 0), (80, 90, 110)))
    smeared = np.array([[180.0, 27.0, 33.0]], np.float32).T
    alpha, _ = blend_alpha(smeared, behind, subject[None], np.ones(1, np.float32))
    assert alpha[0] < 0.15


def test_a_colour_of_its_own_is_opaque_when_deep() -> None:
    """A red button on a blue coat lies on no line from the wall to the coat."""
    behind, coat, button = (np.array([c], np.float32).T for c in ((180, 0, 0), (60, 40, -20), (90, -60, 150)))
    depth = np.array([1, 10], np.float32)
    alpha, _ = blend_alpha(button.repeat(2, axis=1), behind.repeat(2, axis=1), coat.repeat(2, axis=1)[None], depth)
    assert alpha[1] > 0.99
    assert alpha[0] < 0.7


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_band_is_solved_in_place(dtype: type) -> None:
    """Also in cells that the picture's edge cuts; other cells are not touched."""
    top = np.iinfo(dtype).max
    rgba = np.full((5, 7, 4), top, dtype)
    rgba[..., :3] = np.array([0.5, 0.5, 0.5]) * top
    unknown = mask("...", "...", "..#")[:, :3]
    unknown = np.pad(unknown, ((0, 0), (0, 1)))
    behind, subject = ycc(np.full((1, 3), 255.0)), ycc(np.zeros((1, 3)))
    before = rgba.copy()
    matte_band(rgba, 2, np.nonzero(unknown), behind, subject[None], np.ones(1, np.float32))
    changed = (rgba != before).any(axis=-1)
    assert np.argwhere(changed).tolist() == [[4, 4], [4, 5]]
    assert rgba[4, 4, 3] == pytest.approx(top / 2, rel=0.02)
    assert rgba[4, 4, :3].max() <= 0.02 * top


def test_clearing_takes_colour_with_alpha() -> None:
    """Cell by cell; a cell at the edge may be cut."""
    rgba = np.full((4, 5, 4), 9, np.uint8)
    clear(rgba, 2, mask("...", "#.."))
    assert not rgba[2:, :2].any()
    assert (rgba[2:, 2:] == 9).all()


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


def test_familiar_is_what_the_inside_has_too() -> None:
    """A colour of the inside alone, of the outline alone, and of both alike."""
    colours = np.zeros((3, 1, 40), np.float32)
    colours[0] = np.repeat([200, 100, 20, 100], 10)
    deep, zone = np.zeros((1, 40), bool), np.zeros((1, 40), bool)
    deep[0, :20], zone[0, 20:] = True, True
    bins = colour_bins(colours)
    share = familiar_colours(bins, deep, np.flatnonzero(zone))
    assert np.allclose(share, np.repeat([0, 0.5], 10))
    assert not familiar_colours(bins, np.zeros_like(deep), np.flatnonzero(zone)).any()
