"""The colour space of the steps: luma and two chroma planes, weighted so that equal distances look equal."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LUMA = (0.299, 0.587, 0.114)
CHROMA_WEIGHT = 1.8
TO_BLUE = CHROMA_WEIGHT * 0.5 / (1 - LUMA[2])
TO_RED = CHROMA_WEIGHT * 0.5 / (1 - LUMA[0])


def ycc(rgb: NDArray[Any]) -> NDArray[np.float32]:
    """Convert RGB levels to planes of luma and weighted chroma.

    Chroma counts 1.8 times as much as in JPEG's YCbCr: cameras and JPEG smooth it, so a step in it is rarer
    than the same step in luma and tells more. The sums are spelled out because BLAS may order them by thread.

    Parameters
    ----------
    rgb : ndarray, shape (..., 3 or more)
        Levels in 0..255; channels after the third are ignored.

    Returns
    -------
    ndarray of float32, shape (3, ...)
        Luma 0..255, then blue and red difference, each within +-230.

    References
    ----------
    ITU-R Recommendation BT.601, 2011.
    """
    red, green, blue = (rgb[..., channel].astype(np.float32, copy=False) for channel in range(3))
    planes = np.empty((3, *rgb.shape[:-1]), np.float32)
    planes[0] = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    planes[1] = (blue - planes[0]) * np.float32(TO_BLUE)
    planes[2] = (red - planes[0]) * np.float32(TO_RED)
    return planes


def rgb_levels(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert planes from `ycc`, shape (3, ...), back to RGB levels, shape (..., 3), not clipped."""
    luma, blue, red = planes
    rgb = np.empty((*planes.shape[1:], 3), np.float32)
    rgb[..., 0] = luma + red / np.float32(TO_RED)
    rgb[..., 2] = luma + blue / np.float32(TO_BLUE)
    rgb[..., 1] = (luma - LUMA[0] * rgb[..., 0] - LUMA[2] * rgb[..., 2]) / np.float32(LUMA[1])
    return rgb
