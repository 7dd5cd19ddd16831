"""Colours that the inside of the subject has as well: see-through or not, they are no sign of backdrop."""

import numpy as np
from numpy.typing import NDArray

BIN = 12.0
BINS = (22, 40, 40)


def familiar_colours(
    colours: NDArray[np.float32], deep: NDArray[np.bool_], zone: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Compare how common a colour is deep in the subject and how common near its outline.

    Pale fur or a printed shirt before a white wall lies on the line from the wall to a dark subject colour, and
    looks half transparent. But the same colours lie deep inside too, where nothing is see-through; the mix of
    hair and wall does not.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    deep : ndarray of bool, shape (H, W)
        The subject's inside.
    zone : ndarray of bool, shape (H, W)
        The N pixels near backdrop.

    Returns
    -------
    ndarray of float32, shape (N,), in [0, 1]
        Share of the inside in all pixels of about that colour; 0 for a subject without an inside.

    References
    ----------
    M. Swain and D. Ballard, "Color indexing", 1991 (ratio of histograms).
    """
    near = _bins(colours[:, zone])
    inside, outline = _histogram(_bins(colours[:, deep])), _histogram(near)
    share: NDArray[np.float32] = np.divide(inside, np.maximum(inside + outline, np.float32(1e-3))).ravel()[near]
    return share


def _bins(colours: NDArray[np.float32]) -> NDArray[np.intp]:
    levels = [
        np.clip(plane / np.float32(BIN) + middle, 0, count - 1).astype(np.intp)
        for plane, middle, count in zip(colours, (0, BINS[1] // 2, BINS[2] // 2), BINS, strict=True)
    ]
    return np.asarray(np.ravel_multi_index(tuple(levels), BINS))


def _histogram(bins: NDArray[np.intp]) -> NDArray[np.float32]:
    counts = np.bincount(bins, minlength=int(np.prod(BINS))).reshape(BINS).astype(np.float32)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        counts = np.lib.stride_tricks.sliding_window_view(padded, 3, axis).sum(axis=-1, dtype=np.float32)
    return np.asarray(counts / np.float32(27), np.float32)
