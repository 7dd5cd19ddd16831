"""What a cut-out comes to in an editor's layer: a mask, the colours of its soft pixels, a preview.

Pixels have the shape (H, W, C), C as an editor stores them: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.pixels import Pixels

SQUARE = 8  # pixels, of the preview's checkerboard
DARK, LIGHT = 153, 204


def as_picture(pixels: Pixels) -> Pixels:
    """Give a layer (H, W, C) a shape that ``remove_background`` takes: (H, W), (H, W, 3) or (H, W, 4)."""
    channels = pixels.shape[2]
    if channels == 1:
        return pixels[..., 0]
    if channels == 2:
        return pixels[..., [0, 0, 0, 1]]
    return pixels


def layer_mask(alpha: Pixels, pixels: Pixels, before: Pixels | None) -> Pixels:
    """Divide the layer's own alpha out of the result's, and multiply with the mask that was there.

    Parameters
    ----------
    alpha : ndarray of uint8 or uint16, shape (H, W)
        The result's.
    pixels : ndarray of the same type, shape (H, W, C)
        The layer.
    before : ndarray of the same type, shape (H, W), optional
        The mask that it has.

    Returns
    -------
    ndarray of the same type, shape (H, W)
        0 where the layer is transparent.
    """
    full = np.iinfo(alpha.dtype).max
    mask = alpha.copy()
    if pixels.shape[2] in (2, 4):
        own = pixels[..., -1]
        part = (own > 0) & (own < full)
        wide = own[part].astype(np.uint32)
        mask[part] = (alpha[part].astype(np.uint32) * full + wide // 2) // wide  # alpha is never more than own
    if before is not None:
        mask = cast(Pixels, ((mask.astype(np.uint32) * before + full // 2) // full).astype(alpha.dtype))
    return mask


def soft_pixels(rgba: Pixels, pixels: Pixels) -> tuple[NDArray[np.uint32], Pixels]:
    """Find the pixels whose colour was freed of the backdrop's.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The result.
    pixels : ndarray of the same type, shape (H, W, C)
        The layer.

    Returns
    -------
    runs : ndarray of uint32, shape (R, 2)
        Runs within a row: the index of the first pixel in the flattened picture, and how many there are.
    colours : ndarray of the same type, shape (N, C)
        The pixels of all runs with their new colours; alpha is the layer's own.
    """
    count = 3 if pixels.shape[2] > 2 else 1
    changed = rgba[..., 0] != pixels[..., 0]
    for plane in range(1, count):
        changed |= rgba[..., plane] != pixels[..., plane]
    changed &= rgba[..., 3] > 0
    width = pixels.shape[1]
    places = np.flatnonzero(changed)
    begins = (np.diff(places, prepend=-2) > 1) | (places % width == 0)
    lengths = np.diff(np.flatnonzero(begins), append=len(places))
    colours = pixels.reshape(-1, pixels.shape[2])[places]
    colours[:, :count] = rgba.reshape(-1, 4)[places, :count]
    return np.stack([places[begins], lengths], 1).astype(np.uint32), colours


def on_checkerboard(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture of the shape (H, W, 4) on a checkerboard, as RGB of the shape (H, W, 3)."""
    y, x = np.indices(rgba.shape[:2]) // SQUARE
    board = np.where((x + y) % 2, np.uint16(LIGHT), np.uint16(DARK))[..., None]
    alpha = rgba[..., 3:].astype(np.uint16)
    return cast(NDArray[np.uint8], ((rgba[..., :3] * alpha + board * (255 - alpha) + 127) // 255).astype(np.uint8))
