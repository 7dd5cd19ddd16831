"""The colours that were removed, for the report."""

import numpy as np
from numpy.typing import NDArray


def removed_colours(rgba: NDArray[np.uint8], labels: NDArray[np.intp], alpha: NDArray[np.float32]) -> tuple[str, ...]:
    """Name the mean colour of each cluster of which most was removed.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (H, W, 4)
        The picture, or a small copy.
    labels : ndarray of int, shape (H, W)
        Colour cluster of each pixel.
    alpha : ndarray of float32, shape (H, W), in [0, 1]
        The alpha found.

    Returns
    -------
    tuple of str
        Colours as ``#rrggbb``, the most common first.
    """
    removed = (alpha < 0.5) & (rgba[..., 3] > 0)
    every = np.bincount(labels.ravel())
    gone = np.bincount(labels[removed], minlength=len(every))
    mostly = np.flatnonzero((gone > 0) & (2 * gone >= every))
    ordered = mostly[np.argsort(-gone[mostly], kind="stable")]
    means = [rgba[removed & (labels == label), :3].mean(axis=0) for label in ordered]
    return tuple("#" + bytes(np.round(mean).astype(np.uint8)).hex() for mean in means)
