"""Plain parts of the border that are not yet explained."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import EIGHT, dilated
from bgwatch.segment.smoothing import slope

PLAIN = 2.5
BESIDE = 3
FEWEST = 0.03


def plain_leftover(
    colours: NDArray[np.float32], sides: NDArray[np.bool_], sure: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find border pixels that may belong to a second part of the backdrop: a table, or the other wall.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc` of a small copy.
    sides : ndarray of bool, shape (3, H, W)
        From `border_sides` or `border_foot`.
    sure : ndarray of bool, shape (H, W)
        The backdrop found so far.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Plain pixels away from what was found; none where they are less than 3 % of the border.
    """
    strip = np.any(sides, axis=0)
    left: NDArray[np.bool_] = strip & ~dilated(sure, EIGHT, BESIDE) & (slope(colours) < PLAIN)
    enough = bool(left.sum() > FEWEST * strip.sum())
    return left if enough else np.zeros_like(left)
