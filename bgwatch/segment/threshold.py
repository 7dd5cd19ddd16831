"""The article's first method: whatever is close to the first pixel is background."""

import numpy as np
from numpy.typing import NDArray


def close_to(rgb: NDArray[np.uint8], colour: NDArray[np.uint8], tolerance: int) -> NDArray[np.bool_]:
    """Find the pixels within a Chebyshev distance of one colour.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
        The picture.
    colour : ndarray of uint8, shape (3,)
        The colour taken for background.
    tolerance : int
        Largest difference, in levels 0..255, that any channel may have.

    Returns
    -------
    ndarray of bool, shape (H, W)
        True where the pixel is background.

    References
    ----------
    The article "Clustering and Image Segmentation", 2019: ``max(abs(pixels - pixels[0])) <= 20``.
    """
    lowest = np.maximum(colour.astype(np.int16) - tolerance, 0).astype(np.uint8)
    highest = np.minimum(colour.astype(np.int16) + tolerance, 255).astype(np.uint8)
    background = np.ones(rgb.shape[:2], bool)
    for channel in range(3):
        plane = rgb[..., channel]
        background &= (plane >= lowest[channel]) & (plane <= highest[channel])
    return background
