"""Colours that the inside of the subject has as well: see-through or not, they are no sign of backdrop."""

import cv2
import numpy as np
from numpy.typing import NDArray

BIN = 12.0
BINS = (22, 40, 40)


def colour_bins(colours: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give each pixel of planes (3, H, W) from `ycc` the number of the bin that its colour falls into."""
    numbers = np.zeros(colours.shape[1:], np.intp)
    for plane, middle, count in zip(colours, (0, BINS[1] // 2, BINS[2] // 2), BINS, strict=True):
        numbers *= count
        numbers += np.clip(plane * np.float32(1 / BIN) + np.float32(middle), 0, count - 1).astype(np.intp)
    return numbers


def familiar_colours(bins: NDArray[np.intp], deep: NDArray[np.bool_], near: NDArray[np.intp]) -> NDArray[np.float32]:
    """Compare how common a colour is deep in the subject and how common near its outline.

    Pale fur or a printed shirt before a white wall lies on the line from the wall to a dark subject colour, and
    looks half transparent. But the same colours lie deep inside too, where nothing is see-through; the mix of
    hair and wall does not.

    Parameters
    ----------
    bins : ndarray of int, shape (H, W)
        From `colour_bins`.
    deep : ndarray of bool, shape (H, W)
        The subject's inside.
    near : ndarray of int, shape (N,)
        Indices in the flattened planes of the pixels near backdrop.

    Returns
    -------
    ndarray of float32, shape (N,), in [0, 1]
        Share of the inside in all pixels of about that colour; 0 for a subject without an inside.

    References
    ----------
    M. Swain and D. Ballard, "Color indexing", 1991 (ratio of histograms).
    """
    colours = bins.take(near)
    inside, outline = _histogram(bins[deep]), _histogram(colours)
    return np.asarray((inside / np.maximum(inside + outline, np.float32(1e-3))).take(colours), np.float32)


def _histogram(bins: NDArray[np.intp]) -> NDArray[np.float32]:
    counts = np.bincount(bins, minlength=int(np.prod(BINS))).reshape(BINS).astype(np.float32)
    planes = [cv2.boxFilter(plane, -1, (3, 3), borderType=cv2.BORDER_CONSTANT) for plane in counts]
    flat = np.asarray(planes, np.float32)
    smooth = flat.copy()
    smooth[1:] += flat[:-1]
    smooth[:-1] += flat[1:]
    return smooth
