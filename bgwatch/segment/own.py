"""Pixels that are opaque by themselves, whatever lies around them."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import highest
from bgwatch.segment.smoothing import slope

UNEXPLAINED = 30.0
AROUND, STRONGEST = 5, 0.9
EVEN, STANDS_OUT = 0.12, 20.0


def own_colours(strength: NDArray[np.float32], miss: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find pixels that no mix of backdrop and nearby subject explains, and that stand out most where they are.

    Such are hairlines in a second ink, or the stem of a leaf.

    Parameters
    ----------
    strength : ndarray of float32, shape (H, W)
        Length of the colour minus the expected backdrop, planes from `ycc`.
    miss : ndarray of float32, shape (H, W)
        How badly such mixes explain the pixel, from `blend_alpha`; 0 where nothing is known.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Pixels that are opaque in a colour of their own.
    """
    own: NDArray[np.bool_] = (miss > UNEXPLAINED) & (strength >= STRONGEST * highest(strength, AROUND))
    return own


def even_colours(residual: NDArray[np.float32], strength: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find pixels that stand out from the backdrop and change little over three pixels.

    The shaded side of a rod before black lies on the line from black to its bright side, and looks half
    transparent. But hair, fur and outlines change from pixel to pixel; a shaded surface does not.

    Parameters
    ----------
    residual : ndarray of float32, shape (3, H, W)
        Colour minus expected backdrop, planes from `ycc`.
    strength : ndarray of float32, shape (H, W)
        Its length.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Pixels that belong to a surface of their own.
    """
    steepest = highest(slope(residual), 3)
    even: NDArray[np.bool_] = (steepest < EVEN * strength) & (strength > STANDS_OUT)
    return even
