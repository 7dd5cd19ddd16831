"""What the steps share: masks, distances, colours and smooth planes agree with their plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scenes import mask
from scipy import ndimage

from bgwatch.segment.blend import blend_alpha, likely_colour
from bgwatch.segment.depth import depth_from, nearest_in
from bgwatch.segment.enlarge import enlarged, repeated
from bgwatch.segment.morphology import CROSS, EIGHT, closed, dilated, eroded, highest, opened
from bgwatch.segment.pixels import clear
from bgwatch.segment.regions import components, in_proportion, reachable, surrounding
from bgwatch.segment.smoothing import smooth, smooth_known
from bgwatch.segment.ycc import rgb_levels, ycc

SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASKS = SIDES.flatmap(lambda shape: arrays(bool, shape))
PAIRS = SIDES.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))


@pytest.mark.parametrize("element", [CROSS, EIGHT], ids=["cross", "eight"])
@given(MASKS)
def test_masks_grow_and_shrink_by_the_book(element: np.ndarray, mask: np.ndarray) -> None:
    """The picture's edge is no reason to shrink, but for an opening and a closing."""
    assert np.array_equal(dilated(mask, element, 2), ndimage.binary_dilation(mask, element, 2))
    assert np.array_equal(eroded(mask, element, 2), ndimage.binary_erosion(mask, element, 2, border_value=1))
    assert np.array_equal(opened(mask, element), ndimage.binary_opening(mask, element))
    assert np.array_equal(closed(mask, element, 2), ndimage.binary_closing(mask, element, 2))


@given(PAIRS)
def test_a_mask_grows_only_within_another(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask, within = pair
    expected = ndimage.binary_dilation(mask, EIGHT, 3, mask=within)
    assert np.array_equal(dilated(mask, EIGHT, 3, within), expected)


@given(SIDES.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(0, 255, width=32))))
def test_the_highest_around_is_a_maximum_filter(plane: np.ndarray) -> None:
    assert np.array_equal(highest(plane, 5), ndimage.maximum_filter(plane, 5))


@pytest.mark.parametrize("corners", [False, True])
@given(MASKS)
def test_parts_are_those_that_hang_together(corners: bool, mask: np.ndarray) -> None:
    """Under whatever numbers."""
    labels, count = components(mask, corners)
    expected, number = ndimage.label(mask, EIGHT if corners else CROSS)
    assert count == number
    assert len(set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))) == len(np.unique(expected))


@given(MASKS.filter(np.any))
def test_the_nearest_pixel_is_nearly_the_nearest(mask: np.ndarray) -> None:
    """Distances are right to 3 %, and lead to a pixel of the mask."""
    places = np.arange(mask.size)
    nearest = nearest_in(mask, places)
    assert mask.ravel()[nearest].all()
    exact = ndimage.distance_transform_edt(~mask).ravel()
    rows, columns = np.divmod(places, mask.shape[1])
    there, across = np.divmod(nearest, mask.shape[1])
    assert np.allclose(np.hypot(rows - there, columns - across), exact, rtol=0.05)
    assert np.allclose(depth_from(mask).ravel(), exact, rtol=0.03)


@pytest.mark.parametrize(("sigma", "most", "mean"), [(0.6, 0.01, 0.01), (3, 0.01, 0.01), (10, 4, 0.2), (20, 8, 0.5)])
def test_a_wide_gaussian_is_nearly_that_of_a_small_copy(sigma: float, most: float, mean: float) -> None:
    """Only at the picture's edge, which cuts the small copy's cells here, a slope of 100 levels shows."""
    y, x = np.mgrid[:75, :113]
    planes = np.stack([128 + 100 * np.sin(x / 19 + y / 31), x * 2.0]).astype(np.float32)
    off = np.abs(smooth(planes, sigma) - ndimage.gaussian_filter(planes, (0, sigma, sigma), mode="nearest", truncate=3))
    assert off.max() < most
    assert off.mean() < mean


def test_a_box_surrounds_a_mask_with_its_margin() -> None:
    """As far as the picture goes; an empty mask has a box of one pixel."""
    mask = np.zeros((20, 30), bool)
    assert surrounding(mask, 8) == (slice(0, 1), slice(0, 1))
    mask[10:12, 3] = True
    rows, columns = surrounding(mask, 4)
    assert mask[rows, columns].shape == (10, 8)
    assert mask[rows, columns].sum() == mask.sum()
    assert (rows.start, columns.start) == (6, 0)


def test_the_likely_colour_is_the_one_whose_line_meets_the_pixel() -> None:
    """Where both meet it, it is their mean."""
    behind, red, dark = (np.array([plane], np.float32).T for plane in ((200, 0, 0), (90, -20, 150), (20, 0, 0)))
    candidates = np.stack([red, dark])
    assert np.allclose(likely_colour((behind + red) / 2, behind, candidates), red, atol=1)
    assert np.allclose(likely_colour((behind + dark) / 2, behind, candidates), dark, atol=1)
    assert np.allclose(likely_colour(behind, behind, candidates), (red + dark) / 2, atol=1)


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


def test_enlarging_undoes_reducing_on_a_slope() -> None:
    """But for half a cell at the edge."""
    y = np.linspace(0, 100, 80, dtype=np.float32)[:, None].repeat(60, axis=1)
    small = y.reshape(20, 4, 15, 4).mean(axis=(1, 3), dtype=np.float32)
    assert np.abs(enlarged(small[None], 4, (80, 60))[0] - y)[2:-2].max() < 0.01


def test_repeating_cuts_the_last_cells() -> None:
    """A picture need not be a whole number of cells."""
    assert np.array_equal(repeated(mask("#.", ".#"), 2, (3, 3)), mask("##.", "##.", "..#"))


def test_depth_counts_pixels() -> None:
    """And is infinite where there is no backdrop."""
    assert depth_from(mask("#...")).tolist() == [[0, 1, 2, 3]]
    assert np.isinf(depth_from(mask("...."))).all()


@pytest.mark.parametrize(("shape", "length"), [((720, 500), 24), ((300, 480), 24), ((360, 90), 18), ((9, 9), 12)])
def test_lengths_shrink_with_small_pictures(shape: tuple[int, int], length: float) -> None:
    """Down to half."""
    assert in_proportion(24, max(shape)) == length


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


def test_clearing_takes_colour_with_alpha() -> None:
    """Cell by cell; a cell at the edge may be cut."""
    rgba = np.full((4, 5, 4), 9, np.uint8)
    clear(rgba, 2, mask("...", "#.."))
    assert not rgba[2:, :2].any()
    assert (rgba[2:, 2:] == 9).all()
