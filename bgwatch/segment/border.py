"""The pixels of the border that may say what the backdrop is."""

import numpy as np
from numpy.typing import NDArray

STRIP = 0.02
COUNTED_HEIGHT = 0.85
FOOT = 0.2


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
    return _strips(visible, COUNTED_HEIGHT)


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
    return _strips(visible[::-1], FOOT)[:, ::-1]


def _strips(visible: NDArray[np.bool_], counted: float) -> NDArray[np.bool_]:
    """Mark the top and the upper part of both sides, as far down as a share of the height."""
    height, width = visible.shape
    depth, rows = (max(1, round(share)) for share in (STRIP * min(height, width), counted * height))
    sides = np.zeros((3, height, width), bool)
    sides[0, :depth] = True
    sides[1, :rows, :depth] = True
    sides[2, :rows, width - depth :] = True
    return sides & visible
