"""Gaussian smoothing of planes, and of planes that are known only in places."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgwatch.segment.planes import length

NARROW = 4.0


def smooth(planes: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Smooth planes (C, H, W) by a Gaussian of ``sigma`` pixels, cut off at three sigma; a wide one on a small copy."""
    cell = max(1, 1 << int(np.log2(sigma / NARROW))) if sigma > NARROW else 1
    side = 2 * int(3 * sigma / cell + 0.5) + 1
    smoothed = np.empty_like(planes)
    for plane, out in zip(planes, smoothed, strict=True):
        few = shrunk(plane, cell, cv2.BORDER_REPLICATE)
        even = out if cell == 1 else np.empty_like(few)
        cv2.GaussianBlur(few, (side, side), sigma / cell, dst=even, borderType=cv2.BORDER_REPLICATE)
        if cell > 1:
            out[:] = cv2.resize(even, None, fx=cell, fy=cell)[: plane.shape[0], : plane.shape[1]]
    return smoothed


def shrunk(plane: NDArray[np.float32], cell: int, beyond: int = cv2.BORDER_CONSTANT) -> NDArray[np.float32]:
    """Average square cells of a plane (H, W), shape (ceil(H / cell), ceil(W / cell)); beyond the edge there is 0."""
    if cell == 1:
        return plane
    height, width = (-(-side // cell) for side in plane.shape)
    down, right = height * cell - plane.shape[0], width * cell - plane.shape[1]
    whole = cv2.copyMakeBorder(plane, 0, down, 0, right, beyond, value=(0,))
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)


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
    squared = np.zeros(planes.shape[1:], np.float32)
    for plane in planes:
        for across, along in ((STEP, ONE), (ONE, STEP)):
            step = cv2.sepFilter2D(plane, -1, across, along, borderType=cv2.BORDER_REPLICATE)
            squared += cv2.multiply(step, step)
    return np.sqrt(squared, out=squared)


def steepness(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Length of the gradient of a plane (H, W) smoothed by a Gaussian of ``sigma`` pixels, in levels a pixel."""
    step = derivative(sigma)
    smoothing = cv2.getGaussianKernel(len(step), sigma, cv2.CV_32F)
    parts = [
        cv2.sepFilter2D(plane, -1, across, along, borderType=cv2.BORDER_REPLICATE)
        for across, along in ((step, smoothing), (smoothing, step))
    ]
    return np.asarray(cv2.magnitude(*parts), np.float32)


def one_sided(planes: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Tell how much the vectors of planes (C, H, W) in a square of ``size`` pixels point the same way.

    It is told of squares of 2 x 2 pixels, whose vectors are averaged first.

    Returns
    -------
    ndarray of float32, shape (H, W), in [0, 1]
        Length of their sum over the sum of their lengths.
    """
    halves = np.stack([shrunk(plane, 2) for plane in planes])
    side = max(1, size // 2)
    together = length(np.stack([_box_mean(plane, side) for plane in halves]))
    share = together / np.maximum(_box_mean(length(halves), side), np.float32(1))
    return np.asarray(cv2.resize(share, None, fx=2, fy=2)[: planes.shape[1], : planes.shape[2]], np.float32)


def _box_mean(plane: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Average the square of ``size`` pixels around each pixel of a plane (H, W)."""
    return np.asarray(cv2.blur(plane, (size, size), borderType=cv2.BORDER_REPLICATE), np.float32)


def derivative(sigma: float) -> NDArray[np.float32]:
    """Sample the derivative of a Gaussian out to four sigma, shape (N,)."""
    places = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (places / sigma) ** 2)
    return np.asarray(-places / sigma**2 * weights / weights.sum(), np.float32)


ONE, STEP = np.ones(1, np.float32), derivative(1.0)
