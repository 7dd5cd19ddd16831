"""Enclosed backdrop that strays as the rest of the backdrop does: mottle, folds, a painted wall."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import EIGHT, dilated, eroded
from bgwatch.segment.regions import components, rims
from bgwatch.segment.smoothing import slope

WANDERS, HUED = 4.0, 6.0  # levels
MOST, ROOM = 0.98, 1.2
STEEP, STEEPER = 0.95, 1.3
APART, RING = 2, (4, 6)
FEWEST = 12
RIM_NEAR, SOFT_RIM = 1.5, 0.4


def backdrop_islands(
    colours: NDArray[np.float32], course: NDArray[np.float32], sure: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find gaps whose colour no surface can foretell from outside.

    Where sure backdrop strays far from its own polynomials, an island that strays as far, in light and not in hue,
    and has an edge around it, is worth bending the surface to. Whether it is opened is for `enclosed_backdrop`.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc` of a small copy; lengths fit a long side near 180.
    course : ndarray of float32, shape (3, H, W)
        What the polynomials expect.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt.

    Returns
    -------
    ndarray of bool, shape (H, W)
        The insides of such islands; none where the backdrop is even.
    """
    none = np.zeros_like(sure)
    if sure.sum() < FEWEST:
        return none
    away = np.abs(colours - course)
    usual = np.quantile(away[:, sure], MOST, axis=1) + np.float32(0.5)
    if usual[0] < WANDERS or usual[1:].max() > HUED:
        return none
    away /= usual[:, None, None]
    steep = slope(colours)
    gentle = steep < STEEPER * float(np.quantile(steep[sure], STEEP))
    near = (away < ROOM).all(axis=0) & gentle & ~dilated(sure, EIGHT, APART)
    labels, count = components(eroded(near, EIGHT))
    rim = np.where(sure, 0, rims(labels, *RING))
    alike = np.bincount(rim.ravel(), (away * away).sum(axis=0).ravel() < RIM_NEAR**2, count + 1)
    taken = (alike < SOFT_RIM * np.bincount(rim.ravel(), minlength=count + 1)) & (np.bincount(labels.ravel()) >= FEWEST)
    taken[0] = False
    islands: NDArray[np.bool_] = taken[labels]
    return islands
