"""The matte at full resolution: only the cells between sure backdrop and sure subject are solved."""

from typing import Any

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
    subject: NDArray[np.float32],
    depth: NDArray[np.float32],
) -> NDArray[np.float32]:
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
    subject : ndarray of float32, shape (3, N)
        Subject colour of each cell.
    depth : ndarray of float32, shape (N,)
        Distance from backdrop in pixels of the reduced copy.

    Returns
    -------
    ndarray of float32, shape (N,), in [0, 1]
        Mean of the alpha found in each cell.
    """
    top = float(np.iinfo(rgba.dtype).max)
    whole = rgba.view(np.uint32 if rgba.itemsize == 1 else np.uint64)[..., 0]  # a pixel at a time is gathered fast
    rows, columns = np.nonzero(unknown)
    found = np.empty(len(rows), np.float32)
    step = max(1, PIECE // cell**2)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        where = _pixels_of(rows[part], columns[part], cell, whole.shape)
        pixels = whole[where]
        block = pixels.view(rgba.dtype).reshape(*pixels.shape, 4)
        levels = block if top == 255 else block * np.float32(255 / top)
        back = behind[:, None, None, part]
        alpha, _ = blend_alpha(ycc(levels), back, subject[None, :, None, None, part], depth[part])
        _decontaminate(block, levels, alpha, rgb_levels(back))
        block[..., 3] = (block[..., 3] * alpha + np.float32(0.5)).astype(block.dtype)
        pixels[block[..., 3] == 0] = 0
        whole[where] = pixels
        found[part] = alpha.mean(axis=(0, 1))
    return found


def _pixels_of(
    rows: NDArray[np.intp], columns: NDArray[np.intp], cell: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index the pixels of cells, (cell, 1, n) and (1, cell, n); a cut cell repeats its last pixels."""
    inside = np.arange(cell)[:, None]
    y = np.minimum(rows * cell + inside, shape[0] - 1)
    x = np.minimum(columns * cell + inside, shape[1] - 1)
    return y[:, None], x[None]


def _decontaminate(
    block: Pixels, levels: NDArray[Any], alpha: NDArray[np.float32], behind: NDArray[np.float32]
) -> None:
    """Take the backdrop's share out of soft pixels (..., 4), in place: what remains is the subject's colour."""
    top = np.float32(np.iinfo(block.dtype).max)
    soft, share = alpha < OPAQUE, np.maximum(alpha, np.float32(LEAST_ALPHA))
    for channel in range(3):
        clean = (levels[..., channel] - (1 - alpha) * behind[..., channel]) / share
        clean = np.clip(clean * (top / 255) + np.float32(0.5), 0, top)
        np.copyto(block[..., channel], clean, where=soft, casting="unsafe")
