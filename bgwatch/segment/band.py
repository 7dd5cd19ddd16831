"""The matte at full resolution: only the cells between sure backdrop and sure subject are solved."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.blend import blend_alpha
from bgwatch.segment.pixels import Pixels
from bgwatch.segment.ycc import rgb_levels, ycc

PIECE = 1 << 16
LEAST_ALPHA = 0.05
OPAQUE = 0.98


def matte_band(
    rgba: Pixels,
    cell: int,
    unknown: NDArray[np.bool_],
    behind: NDArray[np.float32],
    candidates: NDArray[np.float32],
    depth: NDArray[np.float32],
) -> None:
    """Solve alpha in the unknown cells, piece by piece, and take the backdrop out of their colours, in place.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The picture; its alpha is multiplied by the alpha found.
    cell : int
        Side of a cell in pixels.
    unknown : ndarray of bool, shape (ceil(H / cell), ceil(W / cell))
        The N cells to solve.
    behind : ndarray of float32, shape (3, N)
        Backdrop of each cell, planes from `ycc`.
    candidates : ndarray of float32, shape (S, 3, N)
        Subject colours near each cell.
    depth : ndarray of float32, shape (N,)
        Distance from backdrop in pixels of the reduced copy.
    """
    top = float(np.iinfo(rgba.dtype).max)
    rows, columns = np.nonzero(unknown)
    step = max(1, PIECE // cell**2)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        where = _pixels_of(rows[part], columns[part], cell, rgba.shape)
        block = rgba[where]
        levels = block[..., :3] * np.float32(255 / top)
        back = behind[:, part, None, None]
        alpha, _ = blend_alpha(ycc(levels), back, candidates[:, :, part, None, None], depth[part, None, None])
        clean = _decontaminated(levels, alpha, rgb_levels(back)) * np.float32(top / 255) + np.float32(0.5)
        block[..., :3] = np.where(alpha[..., None] < OPAQUE, clean.astype(block.dtype), block[..., :3])
        block[..., 3] = (block[..., 3] * alpha + np.float32(0.5)).astype(block.dtype)
        block[block[..., 3] == 0] = 0
        rgba[where] = block


def _pixels_of(
    rows: NDArray[np.intp], columns: NDArray[np.intp], cell: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index the pixels of cells, (n, cell, 1) and (n, 1, cell); a cut cell repeats its last pixels."""
    inside = np.arange(cell)
    y = np.minimum(rows[:, None] * cell + inside, shape[0] - 1)
    x = np.minimum(columns[:, None] * cell + inside, shape[1] - 1)
    return y[:, :, None], x[:, None, :]


def _decontaminated(
    levels: NDArray[np.float32], alpha: NDArray[np.float32], behind: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Take the backdrop's share out of RGB levels (..., 3): what remains is the subject's colour."""
    share = np.maximum(alpha, np.float32(LEAST_ALPHA))[..., None]
    return np.clip((levels - (1 - alpha[..., None]) * behind) / share, 0, 255)
