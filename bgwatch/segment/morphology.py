"""Masks that grow and shrink, and the highest value around each pixel."""

import cv2
import numpy as np
from numpy.typing import NDArray

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
EIGHT = np.ones((3, 3), np.uint8)


def dilated(
    mask: NDArray[np.bool_], element: NDArray[np.uint8], times: int = 1, within: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Grow a mask (H, W) by a structuring element, ``times`` over; only inside another mask, if one is given."""
    if within is None:
        return cv2.dilate(_bytes(mask), element, iterations=times).view(np.bool_)
    grown = mask
    for _ in range(times):
        grown = grown | (dilated(grown, element) & within)
    return grown


def eroded(mask: NDArray[np.bool_], element: NDArray[np.uint8], times: int = 1) -> NDArray[np.bool_]:
    """Shrink a mask (H, W) by a structuring element, ``times`` over, but not from the picture's edge."""
    return cv2.erode(_bytes(mask), element, iterations=times).view(np.bool_)


def opened(mask: NDArray[np.bool_], element: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Shrink a mask (H, W), from the picture's edge as well, and grow what is left."""
    shrunk = cv2.erode(_bytes(mask), element, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return cv2.dilate(shrunk, element).view(np.bool_)


def closed(mask: NDArray[np.bool_], element: NDArray[np.uint8], times: int) -> NDArray[np.bool_]:
    """Grow a mask (H, W), and shrink it again, from the picture's edge as well."""
    grown = cv2.dilate(_bytes(mask), element, iterations=times)
    return cv2.erode(grown, element, iterations=times, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)).view(np.bool_)


def highest(plane: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Take the highest value of a plane (H, W) in the square of ``size`` pixels around each pixel."""
    return np.asarray(cv2.dilate(plane, np.ones((size, size), np.uint8)), np.float32)


def _bytes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)
