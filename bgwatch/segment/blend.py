"""How much subject a pixel holds, when the backdrop behind it is known."""

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.planes import dot, length, rising

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
    seen = _felt(colours - behind)
    longest = np.ones_like(depth)
    shares, misses = [], []
    for candidate in candidates:
        line = candidate - behind
        longest = np.maximum(longest, length(line))
        share, miss = _mixed(seen, line)
        shares.append(share)
        misses.append(miss)
    least = reduce(np.minimum, misses)
    alpha = shares[0] if len(shares) == 1 else _mean(shares, [_likelihood(miss - least) for miss in misses])
    if (depth > SHALLOW).any():
        own = 1 / (1 + _likelihood(least - np.float32(LEAST_OPAQUE)))
        own *= rising(depth, SHALLOW, DEEP) * rising(length(_unfelt(seen)) / longest, RINGING, DISTINCT)
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
    seen = _felt(colours - behind)
    misses = [_mixed(seen, candidate - behind)[1] for candidate in candidates]
    least = reduce(np.minimum, misses)
    return _mean(candidates, [_likelihood(np.float32(CHOOSY) * (miss - least)) for miss in misses])


def _mixed(seen: NDArray[np.float32], line: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the place of felt pixels on a line, from 0 at the backdrop to 1 at the subject, and how far off they lie.

    Luma alone is sharp: where there is enough of it, chroma counts less for the place.
    """
    pull = line.copy()
    pull[1:] *= 1 - (1 - SMEARED) * rising(np.abs(line[0]), *LUMA_CONTRAST)
    pull /= np.maximum(dot(line, pull), 1)
    along = dot(seen, _unfelt(pull))
    np.clip(along, 0, 1.05, out=along)
    off = np.empty_like(seen)
    for plane, ahead, out in zip(seen, _felt(line), off, strict=True):
        np.multiply(along, ahead, out=out)
        np.subtract(plane, out, out=out)
    return np.minimum(along, 1, out=along), dot(off, off)


def _felt(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale differences in luma and chroma, in place, to what a miss of one is."""
    planes[0] *= MISS
    planes[1:] *= CHROMA_MISS
    return planes


def _unfelt(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([planes[0] / MISS, planes[1] / CHROMA_MISS, planes[2] / CHROMA_MISS])


def _mean(
    values: list[NDArray[np.float32]] | NDArray[np.float32], weights: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    return np.asarray(reduce(np.add, map(np.multiply, weights, values)) / reduce(np.add, weights), np.float32)


def _likelihood(miss: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give exp(-miss), in place, and no denormal numbers: they take a hundred times as long."""
    limited = np.minimum(miss, np.float32(60), out=miss)
    return np.exp(np.negative(limited, out=limited), out=limited)
