"""Which pixels hang together."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import EIGHT, dilated, highest

FULL, LEAST = 480, 0.5


def components(mask: NDArray[np.bool_], corners: bool = False) -> tuple[NDArray[np.int32], int]:
    """Give numbers, from 1, to the connected parts of a mask (H, W), over corners too if wanted, and count them."""
    count, labels = cv2.connectedComponents(np.ascontiguousarray(mask).view(np.uint8), connectivity=8 if corners else 4)
    return np.asarray(labels, np.int32), count - 1


def reachable(mask: NDArray[np.bool_], start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the parts of a mask that touch a start, over edges (not corners) of pixels.

    Parameters
    ----------
    mask, start : ndarray of bool, shape (H, W)
        Where one may walk, and where one may begin.

    Returns
    -------
    ndarray of bool, shape (H, W)
        The connected components of ``mask`` that share a pixel with ``start``.
    """
    labels, count = components(mask)
    touched = np.zeros(count + 1, bool)
    touched[labels[start]] = True
    touched[0] = False
    return touched.take(labels)


def rims(labels: NDArray[np.int32], inner: int, outer: int) -> NDArray[np.int32]:
    """Repeat the numbers of labelled regions (H, W) from ``inner`` to ``outer`` pixels around them; 0 elsewhere."""
    around = highest(labels.astype(np.float32), 2 * outer + 1).astype(np.int32)
    around[dilated(labels > 0, EIGHT, inner)] = 0
    return around


def filled(
    values: NDArray[np.float32], places: NDArray[np.intp], shape: tuple[int, ...], elsewhere: float
) -> NDArray[np.float32]:
    """Put N values at their indices into a plane of this shape that is ``elsewhere`` everywhere else."""
    plane = np.full(shape, elsewhere, np.float32)
    plane.ravel()[places] = values
    return plane


def surrounding(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Give the rows and columns of the box around a mask (H, W), with a margin where the picture has it."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    top, left = (max(0, int(hit[0]) - margin) for hit in (rows, columns))
    return slice(top, int(rows[-1]) + 1 + margin), slice(left, int(columns[-1]) + 1 + margin)


def in_proportion(length: float, long_side: int) -> float:
    """Shorten a length in pixels where a picture's long side is below 480, at most to half.

    Heads and bodies are narrower there; outlines and hairs, as a camera and JPEG leave them, are not.
    """
    return length * float(np.clip(long_side / FULL, LEAST, 1))
