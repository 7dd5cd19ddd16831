"""How much subject a pixel holds, when the backdrop behind it is known."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPREAD = 4.0
CHROMA = np.float32(0.5)
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
    alphas, misses = [], []
    residual = colours - behind
    longest = np.ones_like(depth)
    for candidate in candidates:
        line = candidate - behind
        weighted = line * _weights(line)
        along = (residual * weighted).sum(axis=0) / np.maximum((line * weighted).sum(axis=0), 1)
        longest = np.maximum(longest, _length(line))
        off = residual - np.clip(along, 0, np.float32(1.05)) * line
        alphas.append(np.clip(along, 0, 1))
        misses.append((off[0] ** 2 + CHROMA * (off[1] ** 2 + off[2] ** 2)) / np.float32(2 * SPREAD**2))
    least = np.minimum.reduce(misses)
    weights = [np.exp(least - miss) for miss in misses]
    alpha = sum(w * a for w, a in zip(weights, alphas, strict=True)) / sum(weights)
    own = 1 / (1 + np.exp(np.clip(np.float32(LEAST_OPAQUE) - least, -30, 30)))
    own *= _rising(depth, SHALLOW, DEEP) * _rising(_length(residual) / longest, RINGING, DISTINCT)
    return Blend(np.asarray(alpha + (1 - alpha) * own, np.float32), least)


def _weights(line: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weigh luma and chroma, shape (3, ...): luma alone is sharp, if there is enough of it."""
    chroma = 1 - (1 - SMEARED) * _rising(np.abs(line[0]), *LUMA_CONTRAST)
    return np.stack([np.ones_like(chroma), chroma, chroma])


def _length(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    length: NDArray[np.float32] = np.sqrt(np.maximum((planes * planes).sum(axis=0), 1))
    return length


def _rising(value: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Map a value to 0 up to low, to 1 from high on, and linearly between."""
    risen: NDArray[np.float32] = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return risen
