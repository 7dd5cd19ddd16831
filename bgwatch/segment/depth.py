"""How far each pixel lies from a mask, and which of its pixels is nearest."""

import cv2
import numpy as np
from numpy.typing import NDArray


def depth_from(backdrop: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure the distance (H, W) of each pixel from the nearest backdrop pixel; infinite where there is none."""
    if not backdrop.any():
        return np.full(backdrop.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(_elsewhere(backdrop), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def nearest_in(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Find the pixel of a mask that is nearest to each pixel, or nearly so.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        At least one pixel.

    Returns
    -------
    ndarray of int, shape (H, W)
        Its index in the flattened mask.

    References
    ----------
    G. Borgefors, "Distance transformations in digital images", 1986.
    """
    elsewhere = _elsewhere(mask)
    _, number = cv2.distanceTransformWithLabels(elsewhere, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.flatnonzero(mask)
    place_of = np.empty(len(places) + 1, np.intp)
    place_of[number.ravel()[places]] = places
    nearest: NDArray[np.intp] = place_of[number]
    return nearest


def _elsewhere(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(~mask).view(np.uint8)
