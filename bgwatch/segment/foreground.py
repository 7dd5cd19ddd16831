"""Which opaque subject colours lie near each unknown pixel."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bgwatch.segment.smoothing import smooth_known

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
    nearest = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
    rows, columns = nearest[:, unknown]
    candidates = np.empty((len(SCALES), 3, len(rows)), np.float32)
    for sigma, out in zip(SCALES, candidates, strict=True):
        cell = 1 if sigma < 3 else 2 if sigma < 8 else 4
        known = _shrunk(core[None].astype(np.float32), cell)
        inside = np.divide(_shrunk(colours * core, cell), np.maximum(known, np.float32(1e-6)))
        mean, _ = smooth_known(inside, known[0], sigma / cell)
        out[:] = mean[:, rows // cell, columns // cell]
    return candidates


def _shrunk(planes: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Average square cells of planes (C, H, W); what lies beyond the edge counts as 0."""
    if cell == 1:
        return planes
    count, height, width = planes.shape
    padded = np.pad(planes, ((0, 0), (0, -height % cell), (0, -width % cell)))
    cells = padded.reshape(count, padded.shape[1] // cell, cell, padded.shape[2] // cell, cell)
    mean: NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32)
    return mean
