"""The backdrop as a smooth surface: which colour is to be expected at each place."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bgwatch.segment.regions import reachable
from bgwatch.segment.smoothing import slope, smooth_known

DEGREES = (1, 2, 2, 3, 3)
ROUNDS = 20
REACH = 4
SOFT = 18.0
FEWEST = 20


def backdrop_surface(
    colours: NDArray[np.float32], seeds: NDArray[np.bool_], strip: NDArray[np.bool_], shadow: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Fit the backdrop's colours by a surface that follows light and mottle.

    Robust polynomials grow from the border inwards; then the surface bends to what the polynomials left over,
    and takes in what is close to it, or what runs on from it without an edge.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc` of a small copy; lengths are in its pixels and fit a long side near 180.
    seeds : ndarray of bool, shape (H, W)
        Border pixels that are backdrop.
    strip : ndarray of bool, shape (H, W)
        All border pixels from which backdrop may be reached.
    shadow : ndarray of bool, shape (H, W)
        Pixels that say nothing about the backdrop in full light.

    Returns
    -------
    surface : ndarray of float32, shape (3, H, W)
        Expected backdrop colour everywhere, also behind the subject.
    sure : ndarray of bool, shape (H, W)
        Pixels that are backdrop beyond doubt, one pixel away from anything else.

    References
    ----------
    P. Holland and R. Welsch, "Robust regression using iteratively reweighted least-squares", 1977.
    """
    surface, found = _polynomials(colours, seeds, strip, shadow)
    steep = slope(colours)
    sure = _eroded(found)
    usual = float(np.median(steep[sure])) if sure.any() else 1.0
    gentle = steep < max(2.2, 2.5 * usual)
    for _ in range(ROUNDS):
        left = colours - surface
        left -= _spread(left, sure, (2.5, 6.0))
        squared = (left * left).sum(axis=0)
        spread = float(np.sqrt(np.median(squared[sure]))) + 0.25 if sure.any() else 1.0
        allowed = np.where(gentle, SOFT, 4 * spread + 0.5) ** 2
        near = ndimage.binary_dilation(sure, iterations=REACH)
        grown = _eroded(reachable((squared < allowed) & near & ~shadow, strip))
        changed = int((grown != sure).sum())
        if grown.sum() > FEWEST:
            sure = grown
        if changed < 5:
            break
    return surface + _spread(colours - surface, sure, (2.5, 5.0, 10.0, 20.0, 40.0)), sure


def _polynomials(
    colours: NDArray[np.float32], seeds: NDArray[np.bool_], strip: NDArray[np.bool_], shadow: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    found = seeds
    surface = colours
    for degree in DEGREES:
        surface, spread = _robust_fit(colours, found, degree)
        away = np.sqrt(((colours - surface) ** 2).sum(axis=0))
        found = reachable((away < np.clip(3.2 * spread, 5, 16)) & ~shadow, strip)
        if found.sum() < FEWEST:
            found = seeds
    return surface, found


def _robust_fit(
    colours: NDArray[np.float32], known: NDArray[np.bool_], degree: int
) -> tuple[NDArray[np.float32], float]:
    """Fit a polynomial of the place by least squares with Cauchy weights; return it and the residual's spread."""
    powers = _powers(colours.shape[1:], degree)
    step = max(1, int(known.sum()) // 6000)
    terms, values = powers[:, known][:, ::step], colours[:, known][:, ::step]
    weight = np.ones(values.shape[1])
    for _ in range(5):
        weighted = terms * weight
        normal = np.einsum("in,jn->ij", weighted, terms) + 1e-3 * np.eye(len(terms))
        factors = np.linalg.solve(normal, np.einsum("in,cn->ic", weighted, values))
        away = np.sqrt(((values - np.einsum("ic,in->cn", factors, terms)) ** 2).sum(axis=0))
        spread = max(1.0, 1.4826 * float(np.median(away)))
        weight = 1 / (1 + (away / (2 * spread)) ** 2)
    return np.einsum("ic,ihw->chw", factors, powers).astype(np.float32), spread


def _powers(shape: tuple[int, ...], degree: int) -> NDArray[np.float64]:
    height, width = shape
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    return np.stack([x**i * y**j for i in range(degree + 1) for j in range(degree + 1 - i)])


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inner: NDArray[np.bool_] = ndimage.binary_erosion(mask, border_value=1)
    return inner


def _spread(planes: NDArray[np.float32], known: NDArray[np.bool_], sigmas: tuple[float, ...]) -> NDArray[np.float32]:
    """Carry known values everywhere: from near where enough is known, else from farther."""
    total = np.zeros_like(planes)
    settled = np.zeros(known.shape, np.float32)
    for sigma in sigmas:
        mean, support = smooth_known(planes, known, sigma)
        share = (1 - settled) * np.minimum(support / np.float32(0.08), np.float32(1))
        total += share * mean
        settled += share
    spread: NDArray[np.float32] = np.divide(total, np.maximum(settled, np.float32(1e-6)))
    return spread
