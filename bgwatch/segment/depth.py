"""How deep in the subject each pixel lies."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FULL, LEAST = 480, 0.5


def depth_from(backdrop: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure how far each pixel is from the nearest backdrop pixel.

    Parameters
    ----------
    backdrop : ndarray of bool, shape (H, W)
        What counts as outside.

    Returns
    -------
    ndarray of float32, shape (H, W)
        Distance in pixels, infinite where there is no backdrop. In a picture whose long side is below 480 a pixel is a
        larger part of the subject and counts for more, up to twice: hairs there are as thin as elsewhere, heads are not
        as wide.
    """
    if not backdrop.any():
        return np.full(backdrop.shape, np.inf, np.float32)
    unit = np.clip(max(backdrop.shape) / FULL, LEAST, 1)
    depth: NDArray[np.float32] = ndimage.distance_transform_edt(~backdrop).astype(np.float32) / np.float32(unit)
    return depth
