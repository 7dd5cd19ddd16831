"""The user names the backdrop's colour: it takes the place of the border's vote."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.pixels import Pixels, eight_bits
from bgwatch.settings import Segmentation

NEAR = 24.0


def named_colour(wanted: Segmentation, rgba: Pixels) -> NDArray[np.uint8] | None:
    """Give the colour that the user names, or that of the first pixel of a picture (H, W, 4); shape (3,), or None."""
    if wanted.backdrop.startswith("#"):
        return np.frombuffer(bytes.fromhex(wanted.backdrop[1:]), np.uint8)
    return eight_bits(rgba[0, 0, :3]) if wanted.backdrop == "first-pixel" else None


def named_seeds(
    colours: NDArray[np.float32], colour: NDArray[np.float32], sides: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Find pixels of a named colour: on the border, or anywhere when the border has none.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    colour : ndarray of float32, shape (3,)
        The named colour in the same planes.
    sides : ndarray of bool, shape (3, H, W)
        From `border_sides`.

    Returns
    -------
    ndarray of bool, shape (H, W)
        Pixels within 24 levels of the colour; there may be none.
    """
    near: NDArray[np.bool_] = ((colours - colour[:, None, None]) ** 2).sum(axis=0) < NEAR**2
    bordering = near & sides.any(axis=0)
    return bordering if bordering.any() else near
