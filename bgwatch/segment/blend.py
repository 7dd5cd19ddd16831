"""How much subject a pixel holds, when the backdrop behind it is known."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.vectors import dot, length

SPREAD = 4.0  # levels
MISS = np.float32(np.sqrt(0.5) / SPREAD)
CHROMA_MISS = np.float32(np.sqrt(0.5)) * MISS
SMEARED, LUMA_CONTRAST = np.float32(0.25), (30.0, 80.0)
LEAST_OPAQUE = 6.0
SHALLOW, DEEP = 1.5, 3.5
RINGING, DISTINCT = 0.1, 0.25


class Blend(NamedTuple):
    """What pixels are mixed of.

    Attributes
    ----------
    alpha : ndarray of float32, shape (...), in [0, 1]
        The subject's share.
    miss : ndarray of float32, shape (...)
        How far the pixel is from the nearest line, squared, over twice the square of 4 levels; from 6 on no line
        explains it.
    """

    alpha: NDArray[np.float32]
    miss: NDArray[np.float32]


def blend_alpha(
    colours: NDArray[np.float32],
    behind: NDArray[np.float32],
    candidates: NDArray[np.float32],
    depth: NDArray[np.float32],
) -> Blend:
    """Project pixels on the lines from the backdrop to several subject colours, and average.

    JPEG's 4:2:0 smears chroma over an edge: where luma differs enough, chroma counts a quarter. A line that misses
    the pixel counts less, and a miss in chroma half. A pixel that all lines miss shows an opaque colour of its own,
    the more surely the deeper it lies in the subject; unless it is so faint beside the subject's contrast that JPEG's
    ringing explains it.

    Parameters
    ----------
    colours, behind : ndarray of float32, shape (3, ...)
        Pixels and the backdrop behind them, planes from `ycc`.
    candidates : ndarray of float32, shape (S, 3, ...)
        Possible subject colours.
    depth : ndarray of float32, shape (...)
        Distance from backdrop, in pixels of the reduced copy.

    Returns
    -------
    Blend
        Alpha, and how badly the lines explain the pixels.

    References
    ----------
    M. Ruzon and C. Tomasi, "Alpha estimation in natural images", 2000 (the weighing of several lines).
    """
    residual = colours - behind
    seen = _felt(residual)
    alphas, misses = [], []
    longest = np.ones_like(depth)
    for candidate in candidates:
        line = candidate - behind
        longest = np.maximum(longest, length(line))
        along = _between(dot(residual, _pull(line)), 0, 1.05)
        off = [plane - along * ahead for plane, ahead in zip(seen, _felt(line), strict=True)]
        misses.append(dot(off, off))
        alphas.append(np.minimum(along, 1, out=along))
    least = reduce(np.minimum, misses)
    weights = [_falling(miss - least) for miss in misses]
    alpha = dot(weights, alphas) / reduce(np.add, weights)
    own = 1 / (1 + _falling(least - np.float32(LEAST_OPAQUE)))
    own *= _rising(depth, SHALLOW, DEEP) * _rising(length(residual) / longest, RINGING, DISTINCT)
    alpha += (1 - alpha) * own
    return Blend(alpha, least)


def _pull(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give planes (3, ...) whose product with a pixel's difference from the backdrop is its place on a line.

    Luma alone is sharp: where there is enough of it, chroma counts less.
    """
    pull = line.copy()
    pull[1:] *= 1 - (1 - SMEARED) * _rising(np.abs(line[0]), *LUMA_CONTRAST)
    pull /= np.maximum(dot(line, pull), 1)
    return pull


def _felt(planes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Scale differences in luma and chroma to what a miss of one is."""
    luma, blue, red = planes
    return [luma * MISS, blue * CHROMA_MISS, red * CHROMA_MISS]


def _rising(value: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Map a value to 0 up to low, to 1 from high on, and linearly between."""
    return _between((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)


def _falling(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give exp(-value), and no denormal numbers: they take a hundred times as long."""
    limited = np.minimum(value, np.float32(60), out=value)
    return np.exp(np.negative(limited, out=limited), out=limited)


def _between(value: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Hold a value between two limits, in place."""
    np.maximum(value, np.float32(low), out=value)
    return np.minimum(value, np.float32(high), out=value)
