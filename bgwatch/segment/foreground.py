"""Which opaque subject colours lie near each unknown pixel."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.depth import nearest_in
from bgwatch.segment.smoothing import shrunk, smooth

SCALES = (0.75, 2.5, 10.0)  # pixels of a copy of half the size


def nearby_foreground(
    colours: NDArray[np.float32], core: NDArray[np.bool_], places: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Read the subject's colour at the nearest opaque pixel, smoothed at several scales.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    core : ndarray of bool, shape (H, W)
        Opaque subject; at least one pixel.
    places : ndarray of int, shape (N,)
        Indices in the flattened planes of the pixels for which colours are wanted.

    Returns
    -------
    ndarray of float32, shape (S, 3, N)
        One candidate a scale.
    """
    weighted = np.empty((4, *core.shape), np.float32)
    np.multiply(colours, core, out=weighted[:3])
    weighted[3] = core
    halves = np.stack([shrunk(plane, 2) for plane in weighted])
    rows, columns = np.divmod(places, core.shape[1])
    there = nearest_in(halves[3] > 0, rows // 2 * halves.shape[2] + columns // 2)
    candidates = np.empty((len(SCALES), 3, len(places)), np.float32)
    for sigma, out in zip(SCALES, candidates, strict=True):
        sums = smooth(halves, sigma)
        for plane, mean in zip(sums, out, strict=False):
            np.take(plane, there, out=mean)
        out /= sums[3].take(there) + np.float32(1e-6)
    return candidates
