"""How far each pixel lies from a mask, and which of its pixels is nearest."""

import cv2
import numpy as np
from numpy.typing import NDArray


def depth_from(backdrop: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure each pixel's distance (H, W) from the nearest backdrop, to 2 %; infinite where there is none."""
    if not backdrop.any():
        return np.full(backdrop.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(_elsewhere(backdrop), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def nearest_in(mask: NDArray[np.bool_], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find the pixels of a mask that are nearest to others, or nearly so.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        At least one pixel.
    places : ndarray of int, shape (N,)
        Indices of pixels in the flattened mask.

    Returns
    -------
    ndarray of int, shape (N,)
        Indices of the pixels nearest to them.

    References
    ----------
    G. Borgefors, "Distance transformations in digital images", 1986.
    """
    elsewhere = _elsewhere(mask)
    _, number = cv2.distanceTransformWithLabels(elsewhere, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    number, inside = number.ravel(), np.flatnonzero(mask)
    place_of = np.zeros(len(inside) + 1, np.intp)
    place_of[number[inside]] = inside
    nearest: NDArray[np.intp] = place_of[number[places]]
    return nearest


def _elsewhere(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(~mask).view(np.uint8)
