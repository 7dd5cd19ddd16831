"""Which opaque subject colours lie near each unknown pixel."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.depth import nearest_in
from bgwatch.segment.smoothing import shrunk, smooth

SCALES = (1.5, 4.0, 10.0, 25.0)


def nearby_foreground(
    colours: NDArray[np.float32], core: NDArray[np.bool_], unknown: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Read the subject's colour at the nearest opaque pixel, smoothed at several scales.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    core : ndarray of bool, shape (H, W)
        Opaque subject; at least one pixel.
    unknown : ndarray of bool, shape (H, W)
        The N pixels for which colours are wanted.

    Returns
    -------
    ndarray of float32, shape (S, 3, N)
        One candidate a scale.
    """
    rows, columns = np.divmod(nearest_in(core)[unknown], core.shape[1])
    weighted = np.concatenate([colours * core, core[None].astype(np.float32)])
    candidates = np.empty((len(SCALES), 3, len(rows)), np.float32)
    for sigma, out in zip(SCALES, candidates, strict=True):
        cell = 1 if sigma < 3 else 2 if sigma < 8 else 4
        sums = smooth(np.stack([shrunk(plane, cell) for plane in weighted]), sigma / cell)
        places = rows // cell * sums.shape[2] + columns // cell
        for plane, mean in zip(sums, out, strict=False):
            np.take(plane, places, out=mean)
        out /= sums[3].take(places) + np.float32(1e-6)
    return candidates
