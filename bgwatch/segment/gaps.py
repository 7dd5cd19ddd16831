"""Where one sees through the subject: seeds of what is unknown, beyond the outline."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

ONE_SIDED = 0.93
SEE_THROUGH, STRANGE = 0.5, 0.25
CLOSE, STRANGER = 3.0, 0.2
MOST = 6.0


def see_through(
    one_sided: NDArray[np.float32],
    distance: NDArray[np.float32],
    rough: NDArray[np.float32],
    miss: NDArray[np.float32],
    familiar: NDArray[np.float32],
    wanted: Literal["auto", "open", "fill"],
) -> NDArray[np.bool_]:
    """Find pixels between hairs, in curls and loops, that the backdrop shines through.

    Such a pixel looks like backdrop, or half transparent by a mix of colours that explains it; the inside of the
    subject has no such colours; and all around it the picture differs from the backdrop in one direction, towards the
    hair's colour. Where a dark part of the subject meets a pale one, the way from one to the other may pass through the
    backdrop's colour too, but what lies around differs from it in opposite directions.

    Parameters
    ----------
    one_sided : ndarray of float32, shape (H, W), in [0, 1]
        How much the colours around a pixel differ from the backdrop in one direction.
    distance : ndarray of float32, shape (H, W)
        The finest scale of `evidence`.
    rough : ndarray of float32, shape (H, W), in [0, 1]
        Rough alpha; 1 where nothing is known.
    miss : ndarray of float32, shape (H, W)
        How badly a mix of backdrop and subject explains the pixel, from `blend_alpha`.
    familiar : ndarray of float32, shape (H, W), in [0, 1]
        From `familiar_colours`; 1 where nothing is known.
    wanted : {"auto", "open", "fill"}
        With "fill" nothing enclosed by the subject is see-through.

    Returns
    -------
    ndarray of bool, shape (H, W)
        See-through pixels.
    """
    if wanted == "fill":
        return np.zeros(rough.shape, bool)
    thin = (rough < np.float32(SEE_THROUGH) * (1 - familiar / np.float32(STRANGE))) & (miss < MOST)
    like_backdrop = (distance < CLOSE) & (familiar < STRANGER)
    seen: NDArray[np.bool_] = (thin | like_backdrop) & (one_sided >= ONE_SIDED)
    return seen
