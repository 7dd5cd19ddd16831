"""The course of light over a backdrop: a polynomial of the place."""

import numpy as np
from numpy.typing import NDArray


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
