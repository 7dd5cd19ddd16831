"""The inside of the subject, from which its colours are first read."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.regions import components, in_proportion, reachable

DEEP = 10.0
STROKE = 2.0
SPECK, LARGE = 20, 200
STRONG = 0.8


def inner_subject(
    strength: NDArray[np.float32], backdrop: NDArray[np.bool_], depth: NDArray[np.float32], long_side: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find pixels that are surely opaque: those deep inside, and in thin parts those that stand out most.

    Parameters
    ----------
    strength : ndarray of float32, shape (H, W)
        Length of the colour minus the expected backdrop.
    backdrop : ndarray of bool, shape (H, W)
        Found backdrop.
    depth : ndarray of float32, shape (H, W)
        Distance from backdrop in pixels.
    long_side : int
        Of the whole picture, in pixels.

    Returns
    -------
    deep : ndarray of bool, shape (H, W)
        Pixels more than 10 pixels from backdrop, or 5 in a small picture.
    thin : ndarray of bool, shape (H, W)
        The strongest pixels of parts that have no such depth: letters, wires. Specks and stray hairs have none,
        unless there is nothing else. Both are empty only where all is backdrop.
    """
    wanted = in_proportion(DEEP, long_side)
    deep = depth > wanted
    shallow = ~backdrop & ~reachable(~backdrop, deep)
    if not shallow.any():
        return deep, shallow
    labels, count = components(shallow)
    area, stroke = (np.bincount(labels[where], minlength=count + 1) for where in (shallow, shallow & (depth >= STROKE)))
    thin = (((stroke > 0) & (area >= SPECK)) | (area >= LARGE)).take(labels)
    owner, strong = labels[thin], strength[thin]
    most = np.zeros(count + 1, np.float32)
    np.maximum.at(most, owner, strong)
    thin[thin] = strong >= STRONG * most[owner]
    if not deep.any() and not thin.any():
        thin = ~backdrop & (strength >= STRONG * strength.max(where=~backdrop, initial=0))
    return deep, thin
