"""How far each pixel is from the backdrop expected there, in units of the noise measured here."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import highest
from bgwatch.segment.planes import dot
from bgwatch.segment.smoothing import smooth
from bgwatch.segment.ycc import CHROMA_WEIGHT

SCALES = (0.6, 1.2, 2.4)
LEAST = (0.9, 0.8, 0.6)
CHROMA_SHARE = 0.8
BLOCK = 15
FEWER = 4  # rows and columns are enough to measure noise
LUMA, CHROMA = (0.6, 1.0, 0.01), (CHROMA_WEIGHT, CHROMA_SHARE, 0.02)  # the noise's floor, the weight, the ringing


def evidence(residual: NDArray[np.float32], sure: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure distances from the backdrop, smoothed at three scales.

    A coarse scale sees faint wide differences that noise hides, a fine one sees thin strong ones. The noise of
    each scale is measured on sure backdrop, but never taken for less than a floor: JPEG erases chroma noise from
    flat areas and leaves it beside the subject, and the more of it the stronger the contrast there; twice as much in
    chroma, whose blocks are twice as wide.

    Parameters
    ----------
    residual : ndarray of float32, shape (3, H, W)
        Colour minus expected backdrop, planes from `ycc`.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt.

    Returns
    -------
    ndarray of float32, shape (3, H, W)
        Distance at each scale, about 1 on backdrop.
    """
    distances = np.empty((len(SCALES), *sure.shape), np.float32)
    contrast = highest(dot(residual, residual), BLOCK)
    few = sure[::FEWER, ::FEWER]
    for scale, least, squared in zip(SCALES, LEAST, distances, strict=True):
        squared[:] = 0
        for channel, plane in enumerate(smooth(residual, scale)):
            floor, share, ringing = LUMA if channel == 0 else CHROMA
            noise = float(np.sqrt(np.mean(plane[::FEWER, ::FEWER][few] ** 2))) if few.any() else 0.0
            allowed = contrast * np.float32((ringing / share) ** 2)
            allowed += np.float32((max(noise + 0.12, floor * least) / share) ** 2)
            plane *= plane
            plane /= allowed
            squared += plane
        squared *= np.float32(1 / (1 + 2 * CHROMA_SHARE**2))
        np.sqrt(squared, out=squared)
    return distances
