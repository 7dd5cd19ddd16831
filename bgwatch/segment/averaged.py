"""From the working copy to the small one."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.smoothing import shrunk


def averaged(plane: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Average the square cells of a plane (H, W); the result is (ceil(H / cell), ceil(W / cell))."""
    return np.asarray(shrunk(plane, cell) / shrunk(np.ones_like(plane), cell), np.float32)  # what is cut counts less


def touched(mask: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Mark the square cells of which a mask (H, W) holds any pixel."""
    return shrunk(mask.astype(np.float32), cell) > 0
