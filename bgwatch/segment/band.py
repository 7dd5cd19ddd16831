"""The matte at full resolution: only the cells between sure backdrop and sure subject are solved."""

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.blend import SHALLOW, blend_alpha, likely_colour
from bgwatch.segment.pixels import Pixels
from bgwatch.segment.planes import dot, picked
from bgwatch.segment.ycc import rgb_levels, ycc

PIECE = 1 << 17  # pixels at a time
LEAST_ALPHA = 0.05
OPAQUE = 0.98


def matte_band(
    rgba: Pixels,
    cell: int,
    places: tuple[NDArray[np.intp], NDArray[np.intp]],
    behind: NDArray[np.float32],
    candidates: NDArray[np.float32],
    depth: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Solve alpha in the unknown cells, piece by piece, and take the backdrop out of their colours, in place.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The picture; its alpha is multiplied by the alpha found.
    cell : int
        Side of a cell in pixels.
    places : tuple of ndarray of int, shape (N,) each
        Rows and columns of the cells to solve.
    behind : ndarray of float32, shape (3, N)
        Backdrop of each cell, planes from `ycc`.
    candidates : ndarray of float32, shape (S, 3, N)
        Subject colours near each cell. The pixel of a cell that differs most from the backdrop tells which holds.
    depth : ndarray of float32, shape (N,)
        Distance from backdrop in pixels of the reduced copy.

    Returns
    -------
    ndarray of float32, shape (N,), in [0, 1]
        Mean of the alpha found in each cell.
    """
    top = float(np.iinfo(rgba.dtype).max)
    whole = rgba.view(np.uint32 if rgba.itemsize == 1 else np.uint64)[..., 0]  # a pixel at a time is gathered fast
    order = np.argsort(depth > SHALLOW, kind="stable")  # pieces of shallow cells take half the time
    (rows, columns), depth = (side[order] for side in places), depth[order]
    behind, candidates = behind[:, order], candidates[..., order]
    means = np.empty(len(order), np.float32)
    step = max(1, PIECE // cell**2)
    for start in range(0, len(order), step):
        part = slice(start, start + step)
        where = _pixels_of(rows[part], columns[part], cell, whole.shape)
        pixels = whole[where]
        block = pixels.view(rgba.dtype).reshape(*pixels.shape, 4)
        levels = np.stack([block[..., channel].astype(np.float32) for channel in range(3)])
        if top != 255:
            levels *= np.float32(255 / top)
        colours, back = ycc(np.moveaxis(levels, 0, -1)), behind[:, None, None, part]
        subject = likely_colour(_strongest(colours, back), behind[:, part], candidates[:, :, part])
        alpha, _ = blend_alpha(colours, back, subject[None, :, None, None], depth[part])
        _decontaminate(block, levels, alpha, rgb_levels(back))
        block[..., 3] = (block[..., 3] * alpha + np.float32(0.5)).astype(block.dtype)
        np.multiply(pixels, block[..., 3] > 0, out=pixels)
        whole[where] = pixels
        means[part] = alpha.mean(axis=(0, 1))
    found = np.empty_like(means)
    found[order] = means
    return found


def _pixels_of(
    rows: NDArray[np.intp], columns: NDArray[np.intp], cell: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index the pixels of cells, (cell, 1, n) and (1, cell, n); a cut cell repeats its last pixels."""
    inside = np.arange(cell)[:, None]
    y = np.minimum(rows * cell + inside, shape[0] - 1)
    x = np.minimum(columns * cell + inside, shape[1] - 1)
    return y[:, None], x[None]


def _strongest(colours: NDArray[np.float32], behind: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pick of every second row of each cell, (3, cell, cell, n), the colour (3, n) least like the backdrop's."""
    away = colours[:, ::2] - behind
    number = colours.shape[-1]
    most = dot(away, away).reshape(-1, number).argmax(axis=0)
    return picked(away, most * number + np.arange(number)) + behind.reshape(3, number)


def _decontaminate(
    block: Pixels, levels: NDArray[np.float32], alpha: NDArray[np.float32], behind: NDArray[np.float32]
) -> None:
    """Take the backdrop's share out of soft pixels (..., 4), in place: what remains is the subject's colour."""
    top = float(np.iinfo(block.dtype).max)
    subject = np.where(alpha < OPAQUE, alpha, np.float32(1))
    scale = np.float32(top / 255) / np.maximum(subject, np.float32(LEAST_ALPHA))
    share = (1 - subject) * scale
    for channel, plane in enumerate(levels):
        plane *= scale
        plane -= share * behind[..., channel]
        block[..., channel] = np.clip(plane, 0, top, out=plane) + np.float32(0.5)
