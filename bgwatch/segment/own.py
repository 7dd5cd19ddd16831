"""Opaque pixels of a colour that nothing around them has: hairlines in a second ink, the stem of a leaf."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

UNEXPLAINED = 30.0
AROUND, STRONGEST = 5, 0.9


def own_colours(residual: NDArray[np.float32], miss: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find pixels that no mix of backdrop and nearby subject explains, and that stand out most where they are.

    Parameters
    ----------
    residual : ndarray of float32, shape (3, H, W)
        Colour minus expected backdrop, planes from `ycc`.
    miss : ndarray of float32, shape (H, W)
        How badly such mixes explain the pixel, from `blend_alpha`; 0 where nothing is known.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Pixels that are opaque in a colour of their own.
    """
    strength = np.sqrt((residual * residual).sum(axis=0))
    own: NDArray[np.bool_] = (miss > UNEXPLAINED) & (strength >= STRONGEST * ndimage.maximum_filter(strength, AROUND))
    return own
