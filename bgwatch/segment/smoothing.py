"""Gaussian smoothing of planes, and of planes that are known only in places."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def smooth(planes: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Smooth the last two axes by a Gaussian of ``sigma`` pixels, cut off at three sigma."""
    smoothed: NDArray[np.float32] = ndimage.gaussian_filter(planes, sigma, mode="nearest", truncate=3, axes=(-2, -1))
    return smoothed


def smooth_known(
    planes: NDArray[np.float32], known: NDArray[Any], sigma: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Average the known pixels around each pixel (normalised convolution).

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        Any values.
    known : ndarray of bool, or of float in [0, 1], shape (H, W)
        Where, or how much, they count.
    sigma : float
        Of the Gaussian weights, in pixels.

    Returns
    -------
    mean : ndarray of float32, shape (C, H, W)
        Weighted mean of the known pixels; 0 where none is near.
    support : ndarray of float32, shape (H, W), in [0, 1]
        How much of the Gaussian lay on known pixels.

    References
    ----------
    H. Knutsson and C.-F. Westin, "Normalized and differential convolution", 1993.
    """
    stack = np.concatenate([planes * known, known[None].astype(np.float32)])
    sums = smooth(stack, sigma)
    support = sums[-1]
    return sums[:-1] / (support + np.float32(1e-6)), support


def carried(planes: NDArray[np.float32], known: NDArray[np.bool_], sigmas: tuple[float, ...]) -> NDArray[np.float32]:
    """Carry known values everywhere: from near where enough is known, else from farther.

    Parameters
    ----------
    planes : ndarray of float32, shape (C, H, W)
        Any values.
    known : ndarray of bool, shape (H, W)
        Where they count.
    sigmas : tuple of float
        Of the Gaussian weights, in pixels, the nearest first.

    Returns
    -------
    ndarray of float32, shape (C, H, W)
        Weighted means of the known pixels; 0 where even the widest weights find none.
    """
    total = np.zeros_like(planes)
    settled = np.zeros(known.shape, np.float32)
    for sigma in sigmas:
        mean, support = smooth_known(planes, known, sigma)
        share = (1 - settled) * np.minimum(support / np.float32(0.08), np.float32(1))
        total += share * mean
        settled += share
    spread: NDArray[np.float32] = np.divide(total, np.maximum(settled, np.float32(1e-6)))
    return spread


def slope(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Length of the gradient of planes (C, H, W), in levels a pixel, shape (H, W)."""
    squares = [ndimage.gaussian_filter1d(planes, 1.0, axis=axis, order=1, mode="nearest") ** 2 for axis in (1, 2)]
    length: NDArray[np.float32] = np.sqrt(np.sum(squares, axis=(0, 1)))
    return length


def one_sided(planes: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Tell how much the vectors of planes (C, H, W) in a square of ``size`` pixels point the same way.

    Returns
    -------
    ndarray of float32, shape (H, W), in [0, 1]
        Length of their sum over the sum of their lengths.
    """
    lengths = np.sqrt((planes * planes).sum(axis=0))
    mean = ndimage.uniform_filter(planes, (0, size, size), mode="nearest")
    together = np.sqrt((mean * mean).sum(axis=0))
    share: NDArray[np.float32] = together / np.maximum(ndimage.uniform_filter(lengths, size, mode="nearest"), 1)
    return share
