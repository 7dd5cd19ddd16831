"""Each step that finds the subject's colours and solves what is half of it, on arrays that can be checked by eye."""

import numpy as np
import pytest
from scenes import mask

from bgwatch.segment.band import matte_band
from bgwatch.segment.depth import depth_from
from bgwatch.segment.familiar import colour_bins, familiar_colours
from bgwatch.segment.foreground import nearby_foreground
from bgwatch.segment.inner import inner_subject
from bgwatch.segment.planes import length
from bgwatch.segment.ycc import ycc


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
