"""From the small copy back to the larger one: planes bilinearly, masks cell by cell."""

import cv2
import numpy as np
from numpy.typing import NDArray


def enlarged(planes: NDArray[np.float32], cell: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolate planes (C, h, w) whose pixels are cells of ``cell`` pixels; the result is (C, *shape)."""
    large = np.empty((len(planes), *shape), np.float32)
    for plane, out in zip(planes, large, strict=True):
        out[:] = cv2.resize(plane, None, fx=cell, fy=cell)[: shape[0], : shape[1]]
    return large


def repeated(mask: NDArray[np.bool_], cell: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Repeat each pixel of a mask (h, w) over its cell; the result has the given shape."""
    return mask.repeat(cell, axis=0).repeat(cell, axis=1)[: shape[0], : shape[1]]
