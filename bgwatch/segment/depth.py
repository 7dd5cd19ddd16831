"""How deep in the subject each pixel lies."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def depth_from(backdrop: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure the distance (H, W) of each pixel from the nearest backdrop pixel; infinite where there is none."""
    if not backdrop.any():
        return np.full(backdrop.shape, np.inf, np.float32)
    depth: NDArray[np.float32] = ndimage.distance_transform_edt(~backdrop).astype(np.float32)
    return depth
