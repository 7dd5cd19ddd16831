"""What a picture came to: the cut-out, and the evidence behind its confidence."""

import io
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bgwatch.segment.laps import Lap
from bgwatch.segment.palette import BackdropColour
from bgwatch.segment.pixels import Pixels, eight_bits

SHOWN = 800  # pixels: how large a notebook shows a cut-out at most


@dataclass(frozen=True)
class Report:
    """What was found on the way: the evidence behind a confidence.

    Attributes
    ----------
    method : str
        The method that ran.
    backdrop : tuple of BackdropColour
        Each colour that was removed, as ``colour`` (``#rrggbb``) and ``share`` (of the backdrop, in [0, 1]; they add
        up to 1), the most common first.
    clusters : int
        Colour clusters that a small copy of the picture fell into, in 0..8, whatever the method; those of the
        method ``kmeans`` are its own.
    border_share : float
        Share of the border that was taken for backdrop, in [0, 1].
    noise : float
        Standard deviation of the backdrop's noise at the border, in levels 0..255.
    holes_opened, holes_kept : int
        Enclosed regions of a backdrop colour that the method ``auto`` made transparent, or left to the subject.
    reasons : tuple of str
        What speaks against the result, in words; empty when nothing does.
    steps : tuple of Lap
        The time of the segmentation as ``name`` and ``seconds`` of each step, in the order they ran. Two reports
        that differ in nothing else are equal.
    """

    method: str
    backdrop: tuple[BackdropColour, ...]
    clusters: int
    border_share: float
    noise: float
    holes_opened: int
    holes_kept: int
    reasons: tuple[str, ...]
    steps: tuple[Lap, ...] = field(compare=False)


@dataclass(frozen=True, eq=False, repr=False)
class Cutout:
    """A picture without its background.

    Attributes
    ----------
    rgba : ndarray of uint8 or uint16, shape (H, W, 4)
        Straight alpha, in the dtype of the input; colour 0 where alpha is 0.
    confidence : float
        How sure it is that this was a plain backdrop, in [0, 1].
    report : Report
        The evidence.
    """

    rgba: Pixels
    confidence: float
    report: Report

    @cached_property
    def alpha(self) -> NDArray[np.float32]:
        """Alpha as float32 in [0, 1], shape (H, W)."""
        return self.rgba[..., 3].astype(np.float32) / np.float32(np.iinfo(self.rgba.dtype).max)

    @property
    def image(self) -> Image.Image:
        """A new PIL image in mode RGBA; 16 bits are brought to 8, since Pillow has no deeper colours."""
        return Image.fromarray(eight_bits(self.rgba))

    def __repr__(self) -> str:
        """Tell size, depth and confidence: the pixels fill a screen and say nothing."""
        height, width = self.rgba.shape[:2]
        return f"<Cutout {width} x {height}, {self.rgba.dtype}, confidence {self.confidence:.2f}>"

    def _repr_png_(self) -> bytes:
        """Show it in a notebook: a PNG of at most 800 pixels on either side."""
        image, data = self.image, io.BytesIO()
        image.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
        image.save(data, "PNG")
        return data.getvalue()
