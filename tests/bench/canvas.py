"""Draw subjects with exact alpha, layer over layer.

Every mask is drawn several times as large and averaged, so that a pixel's alpha is the share of it that is covered.
Positions are hundredths of the picture's width, whatever its size; widths of strands are pixels.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.interpolate import CubicSpline

Plane = NDArray[np.float32]
SHOULDER, WHITEST = 215.0, 246.0  # where light tones begin to be compressed, and where they end
LIGHT = np.array([-0.6, -0.8])  # where the lamp stands, as seen from the subject: upper left


class Strand(NamedTuple):
    """A hair, a thread or a pen stroke."""

    path: NDArray[np.float64]
    """(N, 2): points in hundredths of the width."""
    width: float
    """In pixels of the picture."""
    colour: tuple[int, int, int]


class Canvas:
    """A subject that grows layer by layer.

    Attributes
    ----------
    alpha : ndarray of float32, shape (H, W)
        The subject's coverage so far.
    light : ndarray of float32, shape (H, W, 3)
        Its colours, 0..255, times alpha.
    pale : ndarray of bool, shape (H, W)
        Patches that look like the backdrop and belong to the subject.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.unit = width / 100
        self.tall = height / self.unit
        self.fine = 4 if width <= 1000 else 2
        self.alpha = np.zeros((height, width), np.float32)
        self.light = np.zeros((height, width, 3), np.float32)
        self.pale = np.zeros((height, width), bool)

    def mask(self, paint: Callable[[ImageDraw.ImageDraw], object]) -> Plane:
        """Average what ``paint`` draws in white on the fine grid."""
        fine = Image.new("L", (self.width * self.fine, self.height * self.fine))
        paint(ImageDraw.Draw(fine))
        return np.asarray(fine.reduce(self.fine), np.float32) / 255

    def at(self, points: ArrayLike) -> list[tuple[float, float]]:
        """From hundredths of the width to fine pixels."""
        return [(float(x), float(y)) for x, y in np.asarray(points, float) * (self.unit * self.fine)]

    def polygon(self, points: ArrayLike) -> Plane:
        """Mask a polygon."""
        return self.mask(lambda draw: draw.polygon(self.at(points), 255))

    def blob(self, points: Sequence[tuple[float, float]]) -> Plane:
        """Mask a closed smooth curve through points."""
        return self.polygon(closed_curve(points))

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> Plane:
        """Mask an ellipse by its centre and half axes."""
        turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
        return self.polygon(np.column_stack([x + rx * np.cos(turn), y + ry * np.sin(turn)]))

    def stroke(self, points: Sequence[tuple[float, float]], width: float) -> Plane:
        """Mask a thick smooth line with round ends; its width, too, is in hundredths."""
        path = open_curve(points, 120)
        reach = width / 2 * self.unit * self.fine

        def paint(draw: ImageDraw.ImageDraw) -> None:
            draw.line(self.at(path), 255, round(2 * reach), joint="curve")
            for x, y in self.at(path):
                draw.ellipse((x - reach, y - reach, x + reach, y + reach), 255)

        return self.mask(paint)

    def lay(self, mask: Plane, colour: ArrayLike) -> None:
        """Lay a colour, one for all pixels or one for each, over what is there."""
        cover = mask[..., None]
        self.light = cover * np.asarray(colour, np.float32) + (1 - cover) * self.light
        self.alpha = mask + (1 - mask) * self.alpha

    def strands(self, strands: Sequence[Strand], inside: Plane | None = None) -> None:
        """Lay strands over what is there, cut to a mask where one is given."""
        size = (self.width * self.fine, self.height * self.fine)
        colours, cover = Image.new("RGB", size), Image.new("L", size)
        on_colours, on_cover = ImageDraw.Draw(colours), ImageDraw.Draw(cover)
        for path, width, colour in strands:
            points, thick = self.at(path), max(1, round(width * self.fine))
            on_colours.line(points, colour, thick, joint="curve")
            on_cover.line(points, 255, thick, joint="curve")
        light = np.asarray(colours.reduce(self.fine), np.float32)
        mask = np.asarray(cover.reduce(self.fine), np.float32) / 255
        if inside is not None:
            light, mask = light * inside[..., None], mask * inside
        self.light = light + (1 - mask[..., None]) * self.light
        self.alpha = mask + (1 - mask) * self.alpha

    def keep(self, mask: Plane) -> None:
        """Note a pale patch that a remover must not take for a hole."""
        self.pale |= mask > 0.99

    def blur(self, sigma: float) -> None:
        """Look at the subject through a lens; colours and alpha blur alike, so that both stay exact."""
        self.alpha = ndimage.gaussian_filter(self.alpha, sigma).clip(0, 1)
        self.light = ndimage.gaussian_filter(self.light, (sigma, sigma, 0))

    def volume(self, mask: Plane, colour: ArrayLike, depth: float = 0.35, round_by: float = 7.0) -> Plane:
        """Shade a colour as if the mask were a body: light from the upper left, dark to the lower right.

        Light tones are compressed as a camera does it, so that a lit white shirt stays just short of clipping.
        """
        few = 4 if self.width <= 1000 else 16
        small = np.asarray(Image.fromarray(mask).reduce(few))
        sigma = round_by * self.unit / few
        soft = ndimage.gaussian_filter(small, sigma)
        slope = (ndimage.sobel(soft, 1) * LIGHT[0] + ndimage.sobel(soft, 0) * LIGHT[1]) / 8 * sigma * 2.5
        shade = Image.fromarray(slope.astype(np.float32)).resize((self.width, self.height), Image.Resampling.BICUBIC)
        lit = np.asarray(colour, np.float32) * (1 - depth * 2 * np.asarray(shade)[..., None])
        over = np.maximum(lit - SHOULDER, 0) / (WHITEST - SHOULDER)
        return (lit.clip(0, SHOULDER) + (WHITEST - SHOULDER) * np.tanh(over)).astype(np.float32)

    def colour(self) -> NDArray[np.float32]:
        """Give the straight colours, shape (H, W, 3), 0 where alpha is 0."""
        alpha = self.alpha[..., None]
        return np.where(alpha > 0, self.light / np.maximum(alpha, 1e-6), 0).clip(0, 255).astype(np.float32)


def closed_curve(points: ArrayLike, samples: int = 240) -> NDArray[np.float64]:
    """Sample the smooth closed curve through points: (samples, 2)."""
    around = np.vstack([points, np.asarray(points, float)[:1]])
    return spline(around, samples, "periodic")


def open_curve(points: ArrayLike, samples: int = 40) -> NDArray[np.float64]:
    """Sample the smooth curve through points: (samples, 2)."""
    return spline(np.asarray(points, float), samples, "natural")


def spline(points: NDArray[np.float64], samples: int, ends: str) -> NDArray[np.float64]:
    """Sample a cubic spline whose parameter is the length of its chords."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    course: NDArray[np.float64] = CubicSpline(length, points, bc_type=ends)(np.linspace(0, length[-1], samples))
    return course
