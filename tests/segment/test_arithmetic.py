"""What the steps share: masks, distances and smooth planes agree with their plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from bgwatch.segment.blend import likely_colour
from bgwatch.segment.depth import depth_from, nearest_in
from bgwatch.segment.morphology import CROSS, EIGHT, closed, dilated, eroded, highest, opened
from bgwatch.segment.regions import components, surrounding
from bgwatch.segment.smoothing import smooth

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
