"""The inside of the subject, from which its colours are first read."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bgwatch.segment.regions import in_proportion

DEEP = 10.0
STROKE = 2.0
SPECK, LARGE = 20, 200
STRONG = 0.8


def inner_subject(
    residual: NDArray[np.float32], backdrop: NDArray[np.bool_], depth: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find pixels that are surely opaque: those deep inside, and in thin parts those that stand out most.

    Parameters
    ----------
    residual : ndarray of float32, shape (3, H, W)
        Colour minus expected backdrop.
    backdrop : ndarray of bool, shape (H, W)
        Found backdrop.
    depth : ndarray of float32, shape (H, W)
        Distance from backdrop in pixels.

    Returns
    -------
    deep : ndarray of bool, shape (H, W)
        Pixels more than 10 pixels from backdrop, or 5 in a small picture.
    thin : ndarray of bool, shape (H, W)
        The strongest pixels of parts that have no such depth: letters, wires. Specks and stray hairs have none,
        unless there is nothing else. Both are empty only where all is backdrop.
    """
    wanted = in_proportion(DEEP, depth.shape)
    deep = depth > wanted
    strength = np.sqrt((residual**2).sum(axis=0))
    labels, count = ndimage.label(~backdrop)
    numbers = np.arange(count + 1)
    area = np.bincount(labels.ravel(), minlength=count + 1)
    thickness = np.asarray(ndimage.maximum(depth, labels, numbers))
    own = (thickness <= wanted) & (((thickness >= STROKE) & (area >= SPECK)) | (area >= LARGE))
    own[0] = False
    most = np.asarray(ndimage.maximum(strength, labels, numbers))
    thin = own[labels] & (strength >= STRONG * most[labels])
    if not deep.any() and not thin.any():
        thin = ~backdrop & (strength >= STRONG * strength.max(where=~backdrop, initial=0))
    return deep, thin
