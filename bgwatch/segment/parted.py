"""One surface from the two parts of a backdrop, mixed along their seam."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 1.5


def parted_surface(
    colours: NDArray[np.float32],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    beyond: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Expect each part's colour on its own side of the seam, and along it the mix that is nearest to the pixel.

    Parameters
    ----------
    colours, first, second : ndarray of float32, shape (3, H, W)
        The picture and the surface of each part, planes from `ycc`.
    beyond : ndarray of float32, shape (H, W)
        From `straight_seam`, enlarged: its unit is a pixel of the small copy.

    Returns
    -------
    ndarray of float32, shape (3, H, W)
        Expected backdrop colour everywhere.
    """
    joined = np.where(beyond > 0, second, first)
    along = np.abs(beyond) < WIDTH
    start, way = first[:, along], second[:, along] - first[:, along]
    share = ((colours[:, along] - start) * way).sum(axis=0) / np.maximum((way * way).sum(axis=0), 1)
    joined[:, along] = start + np.clip(share, 0, 1) * way
    return joined
