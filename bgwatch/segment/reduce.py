"""First step: smaller copies to look at, in which noise has fallen and structure has stayed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORK = 720
SMALL = 180


class Look(NamedTuple):
    """A picture at two reduced sizes; each pixel is the mean of a square cell of the one before.

    Attributes
    ----------
    work : ndarray of uint8, shape (h, w, 4)
        The working copy: long side near 720 (540 to 1080), or the picture itself where that is smaller.
    cell : int
        Side of its cells, in pixels of the picture.
    small : ndarray of uint8, shape (ceil(h / ratio), ceil(w / ratio), 4)
        The small copy: long side near 180.
    ratio : int
        Side of its cells, in pixels of the working copy.
    """

    work: NDArray[np.uint8]
    cell: int
    small: NDArray[np.uint8]
    ratio: int

    @property
    def scale(self) -> int:
        """Side of the small copy's cells, in pixels of the picture."""
        return self.cell * self.ratio


def look_at(rgba: NDArray[np.uint8]) -> Look:
    """Average a picture over square cells, twice.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (H, W, 4), contiguous
        Each channel is averaged by itself; the colour of transparent pixels counts.

    Returns
    -------
    Look
        Cells at the right and bottom edge may be cut.
    """
    work, cell = _reduced(rgba, WORK)
    small, ratio = _reduced(work, SMALL)
    return Look(work, cell, small, ratio)


def _reduced(rgba: NDArray[np.uint8], longest: int) -> tuple[NDArray[np.uint8], int]:
    height, width = rgba.shape[:2]
    cell = max(1, round(max(height, width) / longest))
    image = Image.frombuffer("RGBX", (width, height), rgba, "raw", "RGBX", 0, 1)
    return np.asarray(image.reduce(cell)), cell
