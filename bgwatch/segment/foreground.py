"""Which opaque subject colours lie near each unknown pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.depth import nearest_in
from bgwatch.segment.smoothing import smooth

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
        sums = smooth(_shrunk(weighted, cell), sigma / cell)
        places = rows // cell * sums.shape[2] + columns // cell
        for plane, mean in zip(sums, out, strict=False):
            np.take(plane, places, out=mean)
        out /= sums[3].take(places) + np.float32(1e-6)
    return candidates


def _shrunk(planes: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Average square cells of planes (C, H, W); what lies beyond the edge counts as 0."""
    if cell == 1:
        return planes
    down, right = (-side % cell for side in planes.shape[1:])
    size = (planes.shape[2] + right) // cell, (planes.shape[1] + down) // cell
    whole = (cv2.copyMakeBorder(plane, 0, down, 0, right, cv2.BORDER_CONSTANT, value=(0,)) for plane in planes)
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in whole])
