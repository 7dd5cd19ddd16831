"""How much subject a pixel holds, when the backdrop behind it is known."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.planes import between, dot, length, rising

SPREAD = 4.0  # levels
MISS = np.float32(np.sqrt(0.5) / SPREAD)
CHROMA_MISS = np.float32(np.sqrt(0.5)) * MISS
SMEARED, LUMA_CONTRAST = np.float32(0.25), (30.0, 80.0)
LEAST_OPAQUE = 6.0
CHOOSY = 3.0
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
    longest = np.ones_like(depth)
    shares, misses = [], []
    for candidate in candidates:
        line = candidate - behind
        longest = np.maximum(longest, length(line))
        share, miss = _mixed(residual, seen, line)
        shares.append(share)
        misses.append(miss)
    least = reduce(np.minimum, misses)
    weights = [_falling(miss - least) for miss in misses]
    alpha = dot(weights, shares) / reduce(np.add, weights)
    own = 1 / (1 + _falling(least - np.float32(LEAST_OPAQUE)))
    own *= rising(depth, SHALLOW, DEEP) * rising(length(residual) / longest, RINGING, DISTINCT)
    alpha += (1 - alpha) * own
    return Blend(alpha, least)


def likely_colour(
    colours: NDArray[np.float32], behind: NDArray[np.float32], candidates: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Average several subject colours for each pixel, those the most whose line from the backdrop explains it.

    Parameters
    ----------
    colours, behind : ndarray of float32, shape (3, N)
        Pixels and the backdrop behind them, planes from `ycc`.
    candidates : ndarray of float32, shape (S, 3, N)
        Possible subject colours.

    Returns
    -------
    ndarray of float32, shape (3, N)
        One subject colour a pixel.
    """
    residual = colours - behind
    seen = _felt(residual)
    misses = [_mixed(residual, seen, candidate - behind)[1] for candidate in candidates]
    least = reduce(np.minimum, misses)
    weights = [_falling(np.float32(CHOOSY) * (miss - least)) for miss in misses]
    return np.asarray(reduce(np.add, map(np.multiply, weights, candidates)) / reduce(np.add, weights), np.float32)


def _mixed(
    residual: NDArray[np.float32], seen: list[NDArray[np.float32]], line: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the place of pixels on a line, from 0 at the backdrop to 1 at the subject, and how far they lie off it."""
    along = between(dot(residual, _pull(line)), 0, 1.05)
    off = [plane - along * ahead for plane, ahead in zip(seen, _felt(line), strict=True)]
    miss = dot(off, off)
    return np.minimum(along, 1, out=along), miss


def _pull(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give planes (3, ...) whose product with a pixel's difference from the backdrop is its place on a line.

    Luma alone is sharp: where there is enough of it, chroma counts less.
    """
    pull = line.copy()
    pull[1:] *= 1 - (1 - SMEARED) * rising(np.abs(line[0]), *LUMA_CONTRAST)
    pull /= np.maximum(dot(line, pull), 1)
    return pull


def _felt(planes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Scale differences in luma and chroma to what a miss of one is."""
    luma, blue, red = planes
    return [luma * MISS, blue * CHROMA_MISS, red * CHROMA_MISS]


def _falling(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give exp(-value), and no denormal numbers: they take a hundred times as long."""
    limited = np.minimum(value, np.float32(60), out=value)
    return np.exp(np.negative(limited, out=limited), out=limited)
