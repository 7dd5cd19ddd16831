"""The pixels of the border that may say what the backdrop is."""

import numpy as np
from numpy.typing import NDArray

STRIP = 0.02
COUNTED_HEIGHT = 0.85
FOOT = 0.8


def border_sides(visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark a strip of 2 % at the top and at both sides, without the lowest 15 %: shoulders touch those.

    Parameters
    ----------
    visible : ndarray of bool, shape (H, W)
        False where the input was transparent: such pixels say nothing.

    Returns
    -------
    ndarray of bool, shape (3, H, W)
        Top, left and right.
    """
    height, width = visible.shape
    depth = max(1, round(STRIP * min(height, width)))
    counted = max(1, round(COUNTED_HEIGHT * height))
    sides = np.zeros((3, height, width), bool)
    sides[0, :depth] = True
    sides[1, :counted, :depth] = True
    sides[2, :counted, width - depth :] = True
    return sides & visible


def border_foot(visible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark a strip of 2 % at the bottom and at the lowest 20 % of both sides: a table may begin as low as that.

    Parameters
    ----------
    visible : ndarray of bool, shape (H, W)
        False where the input was transparent: such pixels say nothing.

    Returns
    -------
    ndarray of bool, shape (3, H, W)
        Bottom, left and right.
    """
    height, width = visible.shape
    depth = max(1, round(STRIP * min(height, width)))
    foot = np.zeros((3, height, width), bool)
    foot[0, height - depth :] = True
    foot[1, round(FOOT * height) :, :depth] = True
    foot[2, round(FOOT * height) :, width - depth :] = True
    return foot & visible
