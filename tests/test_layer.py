"""What a cut-out comes to in a layer: the runs of soft pixels."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bgwatch.layer import soft_pixels

FEW = st.integers(0, 2)  # so that neighbours are often alike


@given(st.data(), st.tuples(st.integers(1, 5), st.integers(1, 5)), st.integers(1, 4), st.sampled_from(["u1", "u2"]))
def test_runs_tell_of_every_changed_pixel_that_shows(
    data: st.DataObject, sides: tuple[int, int], channels: int, dtype: str
) -> None:
    """Each once, in order, as long as the row goes on; alpha stays the layer's own."""
    pixels = data.draw(arrays.arrays(dtype, (*sides, channels), elements=FEW))
    rgba = data.draw(arrays.arrays(dtype, (*sides, 4), elements=FEW))
    runs, colours = soft_pixels(rgba, pixels)
    count = 3 if channels > 2 else 1
    changed = np.any(rgba[..., :count] != pixels[..., :count], axis=2) & (rgba[..., 3] > 0)
    told = [np.arange(first, first + length) for first, length in runs.tolist()]
    assert [place for run in told for place in run] == np.flatnonzero(changed).tolist()
    assert all(run[0] // sides[1] == run[-1] // sides[1] for run in told)
    assert not any(a[-1] + 1 == b[0] and b[0] % sides[1] for a, b in itertools.pairwise(told))
    np.testing.assert_array_equal(colours[:, :count], rgba[changed][:, :count])
    np.testing.assert_array_equal(colours[:, count:], pixels[changed][:, count:])
