"""How noisy the backdrop is, in levels of the original pixels."""

import numpy as np
from numpy.typing import NDArray


def noise_level(rgb: NDArray[np.uint8], cell: int, backdrop: NDArray[np.bool_]) -> float:
    """Estimate the standard deviation of the noise from rows of three pixels on backdrop.

    The second difference of three neighbours is 0 on any slope, so light and mottle do not count.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (H, W, 3 or more)
        The picture.
    cell : int
        Side in pixels of the cells that ``backdrop`` tells about.
    backdrop : ndarray of bool, shape (ceil(H / cell), ceil(W / cell))
        Cells that are backdrop.

    Returns
    -------
    float
        Levels of the green channel, 0..255, of single pixels; 0 without backdrop or room for three pixels.

    References
    ----------
    J. Immerkaer, "Fast noise variance estimation", 1996.
    """
    rows, columns = np.nonzero(backdrop)
    rows, columns = rows * cell, columns * cell
    inside = columns + 2 < rgb.shape[1]
    if not inside.any():
        return 0.0
    rows, columns = rows[inside], columns[inside]
    left, middle, right = (rgb[rows, columns + step, 1].astype(np.float32) for step in range(3))
    return float(np.abs(left - 2 * middle + right).mean() * np.sqrt(np.pi / 12))
