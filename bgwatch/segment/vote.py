"""The border votes which colour clusters are backdrop."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.smoothing import slope

SOFT_STEP = 5.0
FLAT = 6.0


def border_vote(colours: NDArray[np.float32], labels: NDArray[np.intp], sides: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the border pixels whose cluster is backdrop.

    Clusters that run into each other without an edge (a graded wall) vote as one group. A group's weight is its
    share of each side, averaged, times how flat it is there: hair that crowds a close crop covers more of the
    border than the wall, but is never flat.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    labels : ndarray of int, shape (H, W)
        Colour cluster of each pixel.
    sides : ndarray of bool, shape (3, H, W)
        From `border_sides`.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Border pixels that belong to the winning group.
    """
    groups = _merged(colours, labels)[labels]
    flat = slope(colours) < FLAT
    weight = np.zeros(int(groups.max()) + 1)
    for side in sides:
        if side.any():
            weight += np.bincount(groups[side], flat[side], len(weight)) / side.sum()
    winners: NDArray[np.bool_] = np.any(sides, axis=0) & (groups == weight.argmax())
    return winners


def _merged(colours: NDArray[np.float32], labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each cluster the number of its group, shape (K,): a mostly soft boundary joins two."""
    count = int(labels.max()) + 1
    contacts = np.zeros((count, count))
    soft = np.zeros((count, count))
    for axis in (0, 1):
        here, there = _neighbours(labels, axis)
        step = np.abs(np.diff(colours, axis=axis + 1)).sum(axis=0).ravel()
        pair = here.ravel() * count + there.ravel()
        contacts += np.bincount(pair, minlength=count * count).reshape(count, count)
        soft += np.bincount(pair, step < SOFT_STEP, count * count).reshape(count, count)
    joined = soft + soft.T > 0.5 * (contacts + contacts.T)  # never so where there is no contact
    np.fill_diagonal(joined, True)
    for _ in range(count):
        joined = joined @ joined
    group: NDArray[np.intp] = joined.argmax(axis=1)
    return group


def _neighbours(labels: NDArray[np.intp], axis: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    ahead = np.moveaxis(labels, axis, 0)
    return np.moveaxis(ahead[:-1], 0, axis), np.moveaxis(ahead[1:], 0, axis)
