"""Backdrops of studios and tables, as colours in 0..255 before the camera adds its noise."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

Field = NDArray[np.float64]
Rng = np.random.Generator


def backdrop(kind: str, height: int, width: int, rng: Rng) -> Field:
    """Paint a backdrop.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    height, width : int
        Its size in pixels.
    rng : Generator
        Moves lights, seams and clouds a little.

    Returns
    -------
    ndarray of float64, shape (H, W, 3)
        Colours in 0..255.
    """
    y, x = np.mgrid[0:height, 0:width].astype(float)
    painted: Field = KINDS[kind](x / width, y / height, rng)
    return painted.clip(0, 255)


def clouds(height: int, width: int, falling: float, coarse: float, rng: Rng) -> Field:
    """Noise of deviation 1 whose amplitude falls with a power of the frequency, flat below ``coarse`` cycles a side."""
    rows, columns = np.fft.fftfreq(height) * height, np.fft.rfftfreq(width) * width
    frequency = np.maximum(np.hypot(rows[:, None], columns[None]), coarse)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**falling
    spectrum[0, 0] = 0
    noise: Field = np.fft.irfft2(spectrum, (height, width))
    return noise / noise.std()


def _even(colour: ArrayLike, x: Field) -> Field:
    return np.ones((*x.shape, 3)) * np.asarray(colour, float)


def _flat(x: Field, y: Field, rng: Rng) -> Field:
    return _even((178, 180, 182), x) + rng.uniform(-12, 12)


def _graded(x: Field, y: Field, rng: Rng) -> Field:
    lean = rng.uniform(-25, 25)
    return _even((196, 198, 204), x) - (58 * y**1.3 + lean * (x - 0.5))[..., None] * (1, 0.98, 0.92)


def _vignetted(x: Field, y: Field, rng: Rng) -> Field:
    """Let a lens darken its corners with the fourth power of the angle's cosine."""
    away = (x - rng.uniform(0.42, 0.58)) ** 2 + (y - rng.uniform(0.38, 0.5)) ** 2
    return _even((212, 208, 202), x) * (1 / (1 + 0.42 * away) ** 2)[..., None]


def _mottled(x: Field, y: Field, rng: Rng) -> Field:
    """Paint a photographer's canvas: clouds of two sizes."""
    soft = 11 * clouds(*x.shape, 3.0, 3.0, rng) + 2 * clouds(*x.shape, 2.2, 12.0, rng)
    return _even((116, 128, 148), x) + soft[..., None] * (1, 0.96, 0.88)


def _green(x: Field, y: Field, rng: Rng) -> Field:
    folds = 1 + 0.03 * np.sin(2 * np.pi * (x * rng.uniform(3, 5) + 0.3 * y))
    return _even((62, 172, 74), x) * (folds * (1.05 - 0.22 * (x - rng.uniform(0.2, 0.6)) ** 2 - 0.1 * y))[..., None]


def _blue(x: Field, y: Field, rng: Rng) -> Field:
    return _even((38, 84, 186), x) * (1.06 - 0.3 * (x - rng.uniform(0.3, 0.7)) ** 2 - 0.12 * y)[..., None]


def _white(x: Field, y: Field, rng: Rng) -> Field:
    """Overexpose all but the corners, where it falls just short of clipping."""
    return _even((263, 263, 262), x) - (34 * ((x - rng.uniform(0.4, 0.6)) ** 2 + (y - 0.4) ** 2))[..., None]


def _black(x: Field, y: Field, rng: Rng) -> Field:
    return _even((20, 20, 23), x) + (14 * np.exp(-((x - rng.uniform(0.3, 0.7)) ** 2 + (y - 0.3) ** 2) / 0.2))[..., None]


def _cream(x: Field, y: Field, rng: Rng) -> Field:
    return _even((232, 220, 196), x) - (16 * y + rng.uniform(-10, 10) * x)[..., None] * (0.8, 1, 1.3)


def _wall_and_table(x: Field, y: Field, rng: Rng, begins: tuple[float, float] = (0.68, 0.78)) -> Field:
    """Meet in a seam that leans a little and is slightly out of focus."""
    seam = rng.uniform(*begins) + rng.uniform(-0.02, 0.02) * x
    table = (1 / (1 + np.exp(-(y - seam) * x.shape[0] / 1.2).clip(0, 1e6)))[..., None]
    wall = _even((188, 196, 204), x) - (26 * (1 - y) + 10 * x)[..., None]
    top = _even((152, 124, 98), x) + (40 * (y - seam) - 14 * (x - 0.4) ** 2)[..., None]
    return (1 - table) * wall + table * top


def _low_table(x: Field, y: Field, rng: Rng) -> Field:
    return _wall_and_table(x, y, rng, (0.82, 0.96))


def _two_lights(x: Field, y: Field, rng: Rng) -> Field:
    """Stand between a warm lamp and a cool window."""
    cool = (1 / (1 + np.exp(-(x - rng.uniform(0.4, 0.6)) * 9)))[..., None]
    return (1 - cool) * np.array((214, 190, 158.0)) + cool * np.array((164, 182, 208.0)) - (14 * y)[..., None]


KINDS: dict[str, Callable[[Field, Field, Rng], Field]] = {
    "flat": _flat,
    "graded": _graded,
    "vignetted": _vignetted,
    "mottled": _mottled,
    "green": _green,
    "blue": _blue,
    "white": _white,
    "black": _black,
    "cream": _cream,
    "table": _wall_and_table,
    "low-table": _low_table,
    "lights": _two_lights,
}


def shadowed(behind: Field, mask: NDArray[np.float32], move: tuple[float, float], soft: float, dark: float) -> Field:
    """Cast a mask's shadow; ``move`` (x, y) and ``soft`` are pixels, ``dark`` is the share of light lost."""
    few = max(1, int(soft // 3))
    height, width = mask.shape
    small = ndimage.zoom(mask, 1 / few, order=1) if few > 1 else mask
    cast = ndimage.gaussian_filter(ndimage.shift(small, (move[1] / few, move[0] / few), order=1), soft / few)
    if few > 1:
        cast = ndimage.zoom(cast, (height / cast.shape[0], width / cast.shape[1]), order=1)
    return behind * (1 - dark * cast[..., None].clip(0, 1))
