"""Backdrop is what looks like backdrop and hangs together with the border."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.morphology import EIGHT, dilated
from bgwatch.segment.regions import reachable

LIMITS = (2.475, 2.2, 2.2)
TIGHT = 2.0
GROWTH = 8


def connected_backdrop(
    distances: NDArray[np.float32], sure: NDArray[np.bool_], gone: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Walk from the border and from sure backdrop through all that is near the expected colour.

    Parameters
    ----------
    distances : ndarray of float32, shape (3, H, W)
        From `evidence`; the coarser scales blur the subject outwards, so that the found region stops short of it
        and then grows back through pixels that the finest scale finds tight.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt.
    gone : ndarray of bool, shape (H, W)
        Pixels that were transparent already; one may walk through them.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Backdrop, without ``gone``.
    """
    edge = np.zeros(sure.shape, bool)
    edge[:2] = edge[:, :2] = edge[:, -2:] = True
    plain = np.logical_and.reduce([plane < limit for plane, limit in zip(distances, LIMITS, strict=True)])
    found = reachable(plain | gone, edge | sure | gone)
    tight = distances[0] < TIGHT
    return dilated(found, EIGHT, GROWTH, within=tight) & ~gone
