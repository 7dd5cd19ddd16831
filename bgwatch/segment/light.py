"""How much of the light a shadow leaves, and the backdrop's colour under it."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.depth import nearest_in
from bgwatch.segment.morphology import EIGHT, eroded
from bgwatch.segment.smoothing import smooth_known

SPREAD = 1.5
TINT = 4.0
INSET = 2  # pixels from anything else
LEAST = 0.05


def remaining_light(
    colours: NDArray[np.float32], surface: NDArray[np.float32], sure: NDArray[np.bool_], shadow: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure what a shadow leaves of the backdrop's light, and carry it under the subject's edges.

    Parameters
    ----------
    colours, surface : ndarray of float32, shape (3, H, W)
        The picture and the backdrop expected in full light, planes from `ycc`.
    sure : ndarray of bool, shape (H, W)
        Lit backdrop beyond doubt.
    shadow : ndarray of bool, shape (H, W)
        From `cast_shadow`.

    Returns
    -------
    light : ndarray of float32, shape (H, W), in (0, 1]
        The factor by which the backdrop is darkened: measured in the shadow, 1 in full light, and that of the
        nearest backdrop elsewhere.
    darkened : ndarray of float32, shape (3, H, W)
        The surface times the factor, and a little of the shadow's own tint.
    """
    if not shadow.any():
        return np.ones(shadow.shape, np.float32), surface
    known = eroded(shadow | sure, EIGHT, INSET)
    shaded = known & shadow
    luma, _ = smooth_known(np.stack([colours[0], surface[0]]), shaded, SPREAD)
    light = np.where(shaded, np.clip(luma[0] / np.maximum(luma[1], 1), LEAST, 1), 1).astype(np.float32)
    beyond = np.flatnonzero(~known)
    nearest = nearest_in(known, beyond)
    light.flat[beyond] = light.flat[nearest]
    darkened = surface * light
    tint, _ = smooth_known(colours - darkened, shaded, TINT)
    tint = np.where(shaded, tint, 0).reshape(3, -1)
    tint[:, beyond] = tint[:, nearest]
    return light, np.asarray(darkened + tint.reshape(darkened.shape), np.float32)
