"""The course of light over a backdrop: a polynomial of the place."""

import numpy as np
from numpy.typing import NDArray

SAMPLES, ROUNDS = 600, 3


def polynomial_course(
    colours: NDArray[np.float32], known: NDArray[np.bool_], degree: int
) -> tuple[NDArray[np.float32], float]:
    """Fit a polynomial of the place to known pixels, by least squares with Cauchy weights.

    Parameters
    ----------
    colours : ndarray of float32, shape (3, H, W)
        Planes from `ycc`.
    known : ndarray of bool, shape (H, W)
        The pixels that count; at least one.
    degree : int
        Of the polynomial in x and y.

    Returns
    -------
    course : ndarray of float32, shape (3, H, W)
        The polynomial everywhere.
    spread : float
        Robust standard deviation of what it leaves, at least 1.

    References
    ----------
    P. Holland and R. Welsch, "Robust regression using iteratively reweighted least-squares", 1977.
    """
    height, width = known.shape
    y, x = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    exponents = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    places = np.flatnonzero(known)
    places = places[:: max(1, len(places) // SAMPLES)]
    down, across = np.divmod(places, width)
    terms = np.stack([x[across] ** i * y[down] ** j for i, j in exponents])
    values = colours.reshape(3, -1)[:, places]
    weight = np.ones(len(places))
    for _ in range(ROUNDS):
        weighted = terms * weight
        normal = np.einsum("in,jn->ij", weighted, terms) + 1e-3 * np.eye(len(terms))
        factors = np.linalg.solve(normal, np.einsum("in,cn->ic", weighted, values))
        away = np.sqrt(((values - np.einsum("ic,in->cn", factors, terms)) ** 2).sum(axis=0))
        spread = max(1.0, 1.4826 * float(np.median(away)))
        weight = 1 / (1 + (away / (2 * spread)) ** 2)
    return _everywhere(dict(zip(exponents, factors, strict=True)), x, y), spread


def _everywhere(
    factors: dict[tuple[int, int], NDArray[np.float64]], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Evaluate the polynomial with factors (3,) of x**i * y**j, shape (3, H, W)."""
    course = np.zeros((3, len(y), len(x)), np.float32)
    for power in sorted({i for i, _ in factors}):
        down = sum(factor[:, None] * y**j for (i, j), factor in factors.items() if i == power)
        course += np.asarray(down, np.float32)[:, :, None] * np.asarray(x**power, np.float32)
    return course
