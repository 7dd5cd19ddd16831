"""Where the subject stands in a result: cropping, canvas, and the scaling for it."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.errors import PictureError
from bgwatch.settings import Output

Pixels = NDArray[Any]


class Box(NamedTuple):
    """A rectangle, in pixels; it may reach beyond the picture."""

    left: int
    top: int
    width: int
    height: int

    def within(self, width: int, height: int) -> "Box":
        """Give what of the box lies in a picture of that size."""
        left, top = max(0, self.left), max(0, self.top)
        right, bottom = min(width, self.left + self.width), min(height, self.top + self.height)
        return Box(left, top, max(0, right - left), max(0, bottom - top))

    def wider(self, across: int, down: int) -> "Box":
        """Give the box with so many pixels more on each side."""
        return Box(self.left - across, self.top - down, self.width + 2 * across, self.height + 2 * down)


def framed(rgba: Pixels, output: Output, max_pixels: int) -> tuple[Pixels, bool]:
    """Crop a cut-out to its subject and put it on a canvas, as the settings say.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha.
    output : Output
        The settings.
    max_pixels : int
        A larger result is refused.

    Returns
    -------
    ndarray, bool
        The result, of the same dtype, and whether there was a subject; where there is none the whole picture stands
        for it. What lies beyond the picture is transparent.

    Raises
    ------
    PictureError
        When the result would have more than ``max_pixels``.
    """
    height, width = rgba.shape[:2]
    whole = Box(0, 0, width, height)
    found = subject_box(rgba[..., 3], output.crop_alpha)
    box = whole if found is None else padded(found, output.crop_padding)
    region = box if output.crop else whole
    size = canvas_size(output.canvas, region) if output.canvas else region[2:]
    if size[0] * size[1] > max_pixels:
        said = f"crop and canvas make {size[0]} x {size[1]} pixels, more than max_pixels ({max_pixels})"
        raise PictureError(f"{said}; ask for fewer, or raise it")
    if not output.canvas:
        return cut(rgba, box), found is not None
    return _on_canvas(rgba, box, size, output.enlarge), found is not None


def subject_box(alpha: Pixels, threshold: float) -> Box | None:
    """Find the smallest box around all that is more opaque than a threshold in [0, 1]; None where nothing is."""
    opaque = alpha > threshold * np.iinfo(alpha.dtype).max
    rows, columns = (np.flatnonzero(opaque.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def padded(box: Box, padding: str) -> Box:
    """Leave room around a box: so many pixels, or a share of its longer side as ``5%``."""
    share = padding.removesuffix("%")
    room = int(padding) if share == padding else round(float(share) / 100 * max(box.width, box.height))
    return box.wider(room, room)


def canvas_size(canvas: str, region: Box) -> tuple[int, int]:
    """Give width and height of a canvas, of which ``square`` has the longer side of a region."""
    if canvas == "square":
        side = max(region.width, region.height)
        return side, side
    width, height = canvas.split("x")
    return int(width), int(height)


def cut(pixels: Pixels, box: Box) -> Pixels:
    """Cut a box out of pixels, without a copy where it lies inside; beyond them all is transparent."""
    part = box.within(pixels.shape[1], pixels.shape[0])
    inside = pixels[part.top : part.top + part.height, part.left : part.left + part.width]
    if part == box:
        return inside
    made = np.zeros((box.height, box.width, *pixels.shape[2:]), pixels.dtype)
    if inside.size:
        y, x = part.top - box.top, part.left - box.left
        made[y : y + part.height, x : x + part.width] = inside
    return made


def scaled(rgba: Pixels, width: int, height: int) -> Pixels:
    """Bring a cut-out to a size.

    The kernel for smaller sizes has no negative lobes, so that no colour comes out that was not there.
    """
    smaller = width <= rgba.shape[1] and height <= rgba.shape[0]
    kernel = Image.Resampling.HAMMING if smaller else Image.Resampling.BICUBIC
    return resampled(rgba, lambda plane: plane.resize((width, height), kernel))


def resampled(rgba: Pixels, way: Callable[[Image.Image], Image.Image]) -> Pixels:
    """Resample straight alpha without a fringe: colours count as much as they are opaque.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha.
    way : callable
        Resamples one plane, an image in mode F.

    Returns
    -------
    ndarray of the same dtype, shape (h, w, 4)
        As large as what ``way`` makes.
    """
    full = np.iinfo(rgba.dtype).max

    def plane_of(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(way(Image.fromarray(values)))

    weight = rgba[..., 3].astype(np.float32)
    alpha = plane_of(weight)
    made = np.zeros((*alpha.shape, 4), rgba.dtype)
    made[..., 3] = (alpha.clip(0, full) + 0.5).astype(rgba.dtype)
    seen = made[..., 3] > 0
    alpha = np.where(seen, alpha, np.float32(1))
    for channel in range(3):
        colour = (plane_of(rgba[..., channel] * weight) / alpha).clip(0, full)
        made[..., channel] = ((colour + 0.5) * seen).astype(rgba.dtype)
    return made


def _on_canvas(rgba: Pixels, box: Box, size: tuple[int, int], enlarge: bool) -> Pixels:
    """Put a box in the middle of a canvas; a shadow that fades out around it in the picture comes along."""
    factor = min(side / inner for side, inner in zip(size, box[2:], strict=True))
    if factor > 1 and not enlarge:
        factor = 1.0
    part = _seen(box, size, factor).within(rgba.shape[1], rgba.shape[0])
    pixels = cut(rgba, part)
    if factor != 1:
        pixels = scaled(pixels, *(max(1, round(factor * side)) for side in part[2:]))
    left, top = (
        _placed(factor * (start - begin - inner / 2) + side / 2, length, side)
        for start, begin, inner, side, length in zip(part[:2], box[:2], box[2:], size, pixels.shape[1::-1], strict=True)
    )
    return cut(pixels, Box(-left, -top, *size))


def _seen(box: Box, size: tuple[int, int], factor: float) -> Box:
    """Give what a canvas with a box in its middle shows of the picture, in whole pixels of the picture."""
    across, down = (max(0, math.ceil((side / factor - inner) / 2)) for side, inner in zip(size, box[2:], strict=True))
    return box.wider(across, down)


def _placed(start: float, length: int, side: int) -> int:
    """Round a place to whole pixels, so that what fits is inside."""
    rounded = math.floor(start + 0.5)
    return min(max(rounded, 0), side - length) if length <= side else rounded
