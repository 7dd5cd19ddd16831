"""A shadow laid under the finished cut-out, as black that lets through what light is left."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.segment.pixels import Pixels

ROWS = 64


def lay_shadow(rgba: Pixels, cell: int, light: NDArray[np.float32], given: NDArray[np.uint8]) -> None:
    """Compose a cut-out over black of the alpha that a shadow took from the light, in place.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The cut-out, straight alpha.
    cell : int
        Side of a cell in pixels.
    light : ndarray of float32, shape (ceil(H / cell), ceil(W / cell)), in (0, 1]
        From `remaining_light`.
    given : ndarray of uint8, shape (ceil(H / cell), ceil(W / cell))
        Alpha of the input: a shadow is no more opaque than that.

    References
    ----------
    T. Porter and T. Duff, "Compositing digital images", 1984.
    """
    top = np.float32(np.iinfo(rgba.dtype).max)
    whole, room = Image.fromarray(light), Image.fromarray(given)
    for start in range(0, rgba.shape[0], ROWS):
        block = rgba[start : start + ROWS]
        height, width = block.shape[:2]
        box = (0.0, start / cell, width / cell, (start + height) / cell)
        shade = 1 - np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR, box))
        most = np.asarray(room.resize((width, height), Image.Resampling.NEAREST, box)) * (top / 255)
        before = block[..., 3].astype(np.float32)
        after = np.round(before + np.maximum(most - before, 0) * shade)
        fading = (after > before)[..., None]
        share = (before / np.maximum(after, 1))[..., None]
        block[..., :3] = np.where(fading, np.round(block[..., :3] * share), block[..., :3])
        block[..., 3] = after
