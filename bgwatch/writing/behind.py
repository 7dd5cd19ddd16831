"""What is laid behind a cut-out: a colour or a picture, in straight alpha.

Everything happens in the values of the picture, as the alpha was found: it says how much of the pixel's value, and not
of its light, is the subject's.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bgwatch.writing.frame import resampled

Pixels = NDArray[Any]


def over(rgba: Pixels, behind: Pixels) -> Pixels:
    """Lay a cut-out over what is opaque.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha.
    behind : ndarray of the same dtype, shape (H, W, C) or (1, 1, C)
        Three channels, or one, which is laid behind the first one of the cut-out.

    Returns
    -------
    ndarray of the same dtype, shape (H, W, C)
        Rounded to the nearest value; what is opaque stays as it is.
    """
    full = int(np.iinfo(rgba.dtype).max)
    wide = np.uint16 if full == 255 else np.uint32  # which hold full * full + full // 2
    made = np.empty((*rgba.shape[:2], behind.shape[2]), rgba.dtype)
    alpha = rgba[..., 3].astype(wide)
    clear = full - alpha
    for channel in range(behind.shape[2]):
        mixed = rgba[..., channel] * alpha
        mixed += behind[..., channel] * clear
        mixed += full // 2
        made[..., channel] = mixed // full
    return made


def over_clear(rgba: Pixels, behind: Pixels) -> Pixels:
    """Lay a cut-out over what is transparent in places, both (H, W, 4) in straight alpha and of one dtype."""
    full = np.iinfo(rgba.dtype).max
    mine = rgba[..., 3] / np.float32(full)
    theirs = behind[..., 3] / np.float32(full) * (1 - mine)
    alpha = mine + theirs
    made = np.empty_like(rgba)
    made[..., 3] = (full * alpha + 0.5).astype(rgba.dtype)
    alpha[alpha == 0] = 1
    for channel in range(3):
        mixed = (rgba[..., channel] * mine + behind[..., channel] * theirs) / alpha
        made[..., channel] = (mixed + 0.5).clip(0, full).astype(rgba.dtype)
    return made


def fitted(pixels: Pixels, width: int, height: int, fit: Literal["cover", "contain"]) -> Pixels:
    """Scale a picture so that it fills a size and is cut, or is seen whole with nothing beside it.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, shape (H, W, C)
        Three channels or four, the last one straight alpha.
    width, height : int
        The size.
    fit : {"cover", "contain"}
        How.

    Returns
    -------
    ndarray of the same dtype, shape (height, width, C)
        With alpha, too, where there is nothing beside it.
    """
    if pixels.dtype == np.uint8:
        return np.asarray(_fitted(Image.fromarray(pixels), width, height, fit))
    full = np.iinfo(pixels.dtype).max
    rgba = pixels if pixels.shape[2] == 4 else np.dstack([pixels, np.full(pixels.shape[:2], full, pixels.dtype)])
    made = resampled(rgba, lambda plane: _fitted(plane, width, height, fit))
    return made if pixels.shape[2] == 4 or not made[..., 3].all() else made[..., :3]


def _fitted(image: Image.Image, width: int, height: int, fit: Literal["cover", "contain"]) -> Image.Image:
    if fit == "cover":
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    inner = ImageOps.contain(image, (width, height), Image.Resampling.LANCZOS)
    if inner.size == (width, height):
        return inner
    made = Image.new("F" if image.mode == "F" else "RGBA", (width, height))
    made.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return made
