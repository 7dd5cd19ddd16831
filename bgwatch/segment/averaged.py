"""From the working copy to the small one."""

import numpy as np
from numpy.typing import NDArray


def averaged(plane: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Average the square cells of a plane (H, W); the result is (ceil(H / cell), ceil(W / cell))."""
    rows, columns = (np.arange(0, side, cell) for side in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    area = np.diff(rows, append=plane.shape[0])[:, None] * np.diff(columns, append=plane.shape[1])
    return np.asarray(sums / area, np.float32)


def touched(mask: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Mark the square cells of which a mask (H, W) holds any pixel."""
    return averaged(mask.astype(np.float32), cell) > 0
