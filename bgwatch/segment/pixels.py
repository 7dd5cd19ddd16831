"""What came in, as straight RGBA: the validation at the public door."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.errors import PictureError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")


def straight_rgba(image: Image.Image | Pixels) -> Pixels:
    """Copy a picture into a new straight-alpha RGBA array.

    Parameters
    ----------
    image : PIL image or ndarray of uint8 or uint16, shape (H, W), (H, W, 3) or (H, W, 4)
        The picture; it is not changed.

    Returns
    -------
    ndarray, shape (H, W, 4)
        Of the input's dtype; alpha is full where the input has none, and colour is 0 where alpha is.

    Raises
    ------
    PictureError
        When the array has another shape or type, or no pixels, or the PIL mode holds no colours (``F``, ``I``).
    """
    array = _array(image) if isinstance(image, Image.Image) else np.asarray(image)
    if array.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"image: must be uint8 or uint16, got {array.dtype}; scale and convert it first")
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or not array.size:
        raise PictureError(f"image: must have the shape (H, W), (H, W, 3) or (H, W, 4), got {array.shape}")
    pixels = cast(Pixels, array)
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        code = cv2.COLOR_GRAY2RGBA if pixels.ndim == 2 else cv2.COLOR_RGB2RGBA
        opaque = np.empty((*pixels.shape[:2], 4), pixels.dtype)  # numpy asks for huge pages, OpenCV does not
        cv2.cvtColor(pixels, code, dst=opaque)
        return cast(Pixels, opaque)
    rgba = pixels.copy()
    rgba[rgba[..., 3] == 0] = 0
    return rgba


def eight_bits(rgba: Pixels) -> NDArray[np.uint8]:
    """Look at a picture, shape (H, W, C), through the upper 8 bits of its levels; uint8 is not copied."""
    return np.asarray(rgba if rgba.dtype == np.uint8 else rgba >> 8, np.uint8)


def cells_of(rgba: Pixels, cell: int, box: tuple[slice, slice]) -> Pixels:
    """Give the pixels, a view, of a box of cells with a side of ``cell`` pixels."""
    rows, columns = (slice(cells.start * cell, cells.stop * cell) for cells in box)
    return rgba[rows, columns]


def clear(rgba: Pixels, cell: int, backdrop: NDArray[np.bool_]) -> None:
    """Make the pixels of backdrop cells 0, in place.

    Parameters
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        The picture.
    cell : int
        Side of a cell in pixels.
    backdrop : ndarray of bool, shape (ceil(H / cell), ceil(W / cell))
        The cells that are backdrop.
    """
    steps = np.diff(backdrop.astype(np.int8), prepend=0, append=0, axis=1)
    rows, starts = np.nonzero(steps > 0)
    ends = np.nonzero(steps < 0)[1]
    for row, start, end in zip((rows * cell).tolist(), (starts * cell).tolist(), (ends * cell).tolist(), strict=True):
        rgba[row : row + cell, start:end] = 0


def _array(image: Image.Image) -> NDArray[np.generic]:
    if image.mode in DEEP_GREY:
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("F", "I"):
        raise PictureError(f"image: PIL mode {image.mode} has no fixed range; convert it to uint8 or uint16 first")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:  # also a palette's or a key colour's
        return np.asarray(image.convert("RGBA"))
    return np.asarray(image if image.mode in ("RGB", "L") else image.convert("RGB"))
